import type { CacheDirectory } from './cache-directory.js';
import type { CacheFile, LoadedPromptCache } from './prompt-cache/loaded.js';

/**
 * What a runtime that keeps nothing between two prompts has computed of a conversation, in a file that it reads again before
 * the next turn.
 */
export class TurnCache {
  readonly #loaded: LoadedPromptCache;
  readonly #directory: CacheDirectory;
  #saved: CacheFile | undefined;
  #written: string | undefined;

  constructor(loaded: LoadedPromptCache, directory: CacheDirectory) {
    this.#loaded = loaded;
    this.#directory = directory;
  }

  /** Loads what was saved for a turn, and has nothing stay loaded that another adapter has computed. */
  prepare(lora: string | undefined, isConversation: boolean): Promise<void> | undefined {
    const saved = isConversation && this.#saved?.lora === lora ? this.#saved : undefined;
    if (saved !== undefined && !this.#loaded.has(saved)) return this.#load(saved);
    return this.#loaded.releaseOthers(lora);
  }

  /** Two by turns: the runtime may still read the one that it has loaded. */
  nextFile(): string {
    const one = this.#directory.fileNamed('turn-0.cache');
    this.#written = this.#loaded.path === one ? this.#directory.fileNamed('turn-1.cache') : one;
    return this.#written;
  }

  /** A file has been written, and is whole. Those of the caller are the caller's. */
  saved(path: string, lora: string | undefined): void {
    if (path === this.#written) this.#saved = { path, lora };
  }

  /** The next turn goes on from this one, which has been loaded. */
  adopt(file: CacheFile): void {
    this.#saved = file;
  }

  /** What is in the files is no longer known. What has been loaded of them stays what it was. */
  forget(): void {
    this.#saved = undefined;
  }

  /** Without it the turn takes longer and is the same. */
  async #load(file: CacheFile): Promise<void> {
    this.#saved = undefined;
    if (await this.#loaded.load(file)) this.#saved = file;
  }
}
