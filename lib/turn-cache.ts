import type { RuntimeControls } from './backends/runtime-controls.js';
import type { CacheDirectory } from './cache-directory.js';

/** A file, and the adapter that has computed what is in it. */
interface CacheFile {
  readonly path: string;
  readonly lora: string | undefined;
}

/**
 * What a runtime that keeps nothing between two prompts has computed of a conversation, in a file that it reads again before
 * the next turn. It compares the tokens of a prompt with those of the file; across adapters, nobody compares.
 */
export class TurnCache {
  readonly #runtime: RuntimeControls;
  readonly #directory: CacheDirectory;
  #saved: CacheFile | undefined;
  #loaded: CacheFile | undefined;
  #files = 0;
  #written: string | undefined;

  constructor(runtime: RuntimeControls, directory: CacheDirectory) {
    this.#runtime = runtime;
    this.#directory = directory;
  }

  /** Loads what was saved for a turn, and has nothing stay loaded that another adapter has computed. */
  prepare(lora: string | undefined, isConversation: boolean): Promise<void> | undefined {
    const saved = isConversation && this.#saved?.lora === lora ? this.#saved : undefined;
    if (saved !== undefined && saved !== this.#loaded) return this.#load(saved);
    return this.#loaded !== undefined && this.#loaded.lora !== lora ? this.#release() : undefined;
  }

  /** Two by turns: the runtime may still read the one that it has loaded. */
  nextFile(): string {
    this.#written = this.#directory.fileNamed(`turn-${String(this.#files++ % 2)}.cache`);
    return this.#written;
  }

  /** A file has been written, and is whole. Those of the caller are the caller's. */
  saved(path: string, lora: string | undefined): void {
    if (path === this.#written) this.#saved = { path, lora };
  }

  /** What is in the files, or loaded, is no longer known. */
  forget(): void {
    this.#saved = undefined;
    this.#loaded = undefined;
  }

  /** The caller has put another one in its place, or released it. */
  replaced(): void {
    this.#loaded = undefined;
  }

  /** Without it the turn takes longer and is the same. */
  async #load(file: CacheFile): Promise<void> {
    this.forget();
    const isLoaded = await this.#runtime.loadPromptCache(file.path).then(
      () => true,
      () => false,
    );
    if (!isLoaded) return;
    this.#saved = file;
    this.#loaded = file;
  }

  async #release(): Promise<void> {
    await this.#runtime.releasePromptCache();
    this.#loaded = undefined;
  }
}
