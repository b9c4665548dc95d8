import path from 'node:path';
import { RkllmError } from './errors.js';

/**
 * A path as it is meant now: the current directory may change, and that of the process with the engine is another one.
 *
 * @throws RkllmError `RKLLM_INVALID_INPUT` where there is no current directory any more.
 */
export function absolutePath(given: string): string {
  const directory = currentDirectory();
  if (directory !== undefined || path.isAbsolute(given)) return path.resolve(directory ?? '/', given);
  throw new RkllmError('RKLLM_INVALID_INPUT', `${given} starts at the current directory, which has been removed.`, {
    hint: 'Give an absolute path, or change to a directory that is there.',
    details: { path: given },
  });
}

/** Undefined: it has been removed. */
export function currentDirectory(): string | undefined {
  try {
    return process.cwd();
  } catch {
    return undefined;
  }
}
