import { accessSync, constants, statSync } from 'node:fs';
import { isRkllmError, RkllmError } from '../../errors.js';
import type { Adapter } from '../model-parts.js';
import type { RuntimeControls } from '../runtime-controls.js';

/**
 * Looks for the files before the model is loaded, which takes long.
 *
 * @throws RkllmError `RKLLM_MODEL_NOT_FOUND`.
 */
export function checkAdapterFiles(adapters: readonly Adapter[]): void {
  for (const { name, path } of adapters) {
    try {
      accessSync(path, constants.R_OK);
      if (!statSync(path).isFile()) throw new Error('it is not a file');
    } catch (cause) {
      const reason = cause instanceof Error ? cause.message : String(cause);
      throw new RkllmError('RKLLM_MODEL_NOT_FOUND', `The adapter '${name}' cannot be read at ${path}: ${reason}`, {
        hint: 'Check the path; a relative path is resolved against the current directory.',
        details: { adapter: name, path },
        cause,
      });
    }
  }
}

/** @throws RkllmError what the runtime failed with, naming the adapter; the reason of the signal. */
export async function loadAdapters(
  runtime: Pick<RuntimeControls, 'loadLora'>,
  adapters: readonly Adapter[],
  signal: AbortSignal | undefined,
): Promise<void> {
  for (const { name, path, scale = 1 } of adapters) {
    signal?.throwIfAborted();
    try {
      await runtime.loadLora({ name, path, scale });
    } catch (error) {
      throw isRkllmError(error, 'RKLLM_RUN_FAILED') ? refused(name, path, error) : error;
    }
  }
}

function refused(name: string, path: string, cause: RkllmError): RkllmError {
  return new RkllmError('RKLLM_INIT_FAILED', `The adapter '${name}' (${path}) could not be loaded: ${cause.message}`, {
    hint: 'An adapter is a .rkllm file of its own that was converted together with this very model.',
    details: { ...cause.details, adapter: name, path },
    cause,
  });
}
