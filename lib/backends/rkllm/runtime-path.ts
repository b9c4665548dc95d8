import { readdirSync, statSync } from 'node:fs';
import path from 'node:path';
import { absolutePath } from '../../absolute-path.js';
import { RkllmError } from '../../errors.js';
import { findFault } from './elf-file.js';

/** Where to look for the vendor's library. */
export interface RuntimeSearch {
  /** `runtimePath` of `loadModel()`: a file, or a directory with `librkllmrt*.so` in it. */
  readonly option: string | undefined;
  /** `RKLLM_RUNTIME_PATH`: likewise. */
  readonly environment: string | undefined;
  /** Directories to look in when neither is given. Never the current directory. */
  readonly directories: readonly string[];
}

/** The library paths of Debian, Ubuntu and the vendor's images. */
export const systemDirectories: readonly string[] = [
  '/usr/lib',
  '/usr/local/lib',
  '/usr/lib/aarch64-linux-gnu',
  '/lib',
  '/lib/aarch64-linux-gnu',
  '/usr/lib64',
  '/lib64',
];

/** The search as the options and the environment of this process define it. */
export function runtimeSearch(option: string | undefined, env: NodeJS.ProcessEnv): RuntimeSearch {
  return { option, environment: env['RKLLM_RUNTIME_PATH'], directories: systemDirectories };
}

/**
 * Finds the library to load: the option, else the environment variable, else the system's directories. What was asked
 * for explicitly is taken or refused, never passed over.
 *
 * @returns an absolute path of a shared library for this architecture.
 * @throws RkllmError `RKLLM_RUNTIME_NOT_FOUND` with everything that was tried, or `RKLLM_RUNTIME_INVALID`.
 */
export function findRuntime({ option, environment, directories }: RuntimeSearch): string {
  if (option !== undefined) return findGiven(option, 'the option runtimePath');
  if (environment !== undefined && environment !== '') return findGiven(environment, 'RKLLM_RUNTIME_PATH');
  const tried: string[] = [];
  for (const directory of withoutDuplicates(directories)) {
    const files = librariesIn(directory);
    if (files.length === 0) tried.push(`${directory}: no librkllmrt*.so in this directory`);
    for (const file of files) {
      const fault = findFault(file);
      if (fault === undefined) return file;
      tried.push(`${file}: ${fault.reason}`);
    }
  }
  throw notFound("the system's library paths", tried);
}

function findGiven(given: string, source: string): string {
  if (given.includes('\0')) throw notFound(source, [`${JSON.stringify(given)}: not a path`]);
  const absolute = absolutePath(given);
  if (!isDirectory(absolute)) return check(absolute, source);
  const files = librariesIn(absolute);
  const [first] = files;
  if (first === undefined) throw notFound(source, [`${absolute}: no librkllmrt*.so in this directory`]);
  return files.find((file) => findFault(file) === undefined) ?? check(first, source);
}

function check(file: string, source: string): string {
  const fault = findFault(file);
  if (fault === undefined) return file;
  if (fault.missing) throw notFound(source, [`${file}: ${fault.reason}`]);
  throw new RkllmError('RKLLM_RUNTIME_INVALID', `${file} (from ${source}) is not usable: ${fault.reason}.`, {
    hint: fault.hint ?? 'Take librkllmrt.so from the airockchip/rknn-llm release that your model was converted for.',
    details: { path: file, source, reason: fault.reason },
  });
}

/** The plain name first, then versioned ones, the newest first. */
function librariesIn(directory: string): string[] {
  let names: string[] = [];
  try {
    names = readdirSync(directory);
  } catch {
    // No such directory, or not readable: then nothing can be loaded from it either.
  }
  return names
    .filter((name) => /^librkllmrt.*\.so(?:\.[\d.]+)?$/u.test(name))
    .sort((a, b) => Number(b === plainName) - Number(a === plainName) || b.localeCompare(a, 'en', { numeric: true }))
    .map((name) => path.join(directory, name));
}

const plainName = 'librkllmrt.so';

/** On most systems /lib is a link to /usr/lib. */
function withoutDuplicates(directories: readonly string[]): string[] {
  const seen = new Set<string>();
  return directories.filter((directory) => {
    const stats = statSync(directory, { throwIfNoEntry: false });
    const identity = stats === undefined ? directory : `${stats.dev}:${stats.ino}`;
    return !seen.has(identity) && seen.add(identity);
  });
}

function isDirectory(file: string): boolean {
  return statSync(file, { throwIfNoEntry: false })?.isDirectory() ?? false;
}

function notFound(source: string, tried: readonly string[]): RkllmError {
  return new RkllmError(
    'RKLLM_RUNTIME_NOT_FOUND',
    `The vendor's runtime librkllmrt.so was not found (${source}): ${tried.join('; ')}.`,
    {
      hint: 'Copy librkllmrt.so of airockchip/rknn-llm to /usr/lib, or name it with the option runtimePath or the environment variable RKLLM_RUNTIME_PATH. Without an NPU use the CPU backend: RKLLM_BACKEND=onnx.',
      details: { source, tried: [...tried] },
    },
  );
}
