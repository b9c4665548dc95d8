import { mkdtempSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { RkllmError } from './errors.js';

/** Those that are not removed yet; whatever ends the process in an orderly way removes them. */
const open = new Set<CacheDirectory>();

function removeAll(): void {
  for (const directory of open) directory.remove();
}

/** A directory of this process, in one of the caller's, for files that are of no use without the model. */
export class CacheDirectory {
  readonly #path: string;

  /** @throws RkllmError `RKLLM_INVALID_OPTION` when it cannot be made there. */
  constructor(parent: string) {
    try {
      this.#path = mkdtempSync(join(parent, 'rkllm-'));
    } catch (cause) {
      const reason = cause instanceof Error ? cause.message : String(cause);
      throw new RkllmError('RKLLM_INVALID_OPTION', `loadModel(): promptCacheDirectory cannot be used: ${reason}`, {
        hint: 'Name a directory that exists and may be written to.',
        details: { owner: 'loadModel()', option: 'promptCacheDirectory', path: parent },
        cause,
      });
    }
    if (open.size === 0) process.on('exit', removeAll);
    open.add(this);
  }

  fileNamed(name: string): string {
    return join(this.#path, name);
  }

  remove(): void {
    rmSync(this.#path, { recursive: true, force: true });
    open.delete(this);
    if (open.size === 0) process.off('exit', removeAll);
  }
}
