import type { RuntimeControls } from '../backends/runtime-controls.js';

/** A prompt cache in a file of this library's, and the adapter that has computed it. */
export interface CacheFile {
  readonly path: string;
  readonly lora: string | undefined;
}

/**
 * The one prompt cache that a runtime has loaded. It compares each prompt's tokens with that; across adapters, nobody
 * compares.
 */
export class LoadedPromptCache {
  readonly #runtime: RuntimeControls;
  #file: CacheFile | 'none' | 'caller' | 'unknown' = 'none';

  constructor(runtime: RuntimeControls) {
    this.#runtime = runtime;
  }

  /** Nothing is loaded. */
  get isEmpty(): boolean {
    return this.#file === 'none';
  }

  /** The file that is loaded, if it is one of ours. */
  get path(): string | undefined {
    return typeof this.#file === 'object' ? this.#file.path : undefined;
  }

  /** This very one: a file of the same name may have been written anew. */
  has(file: CacheFile): boolean {
    return this.#file === file;
  }

  /** @returns false when the runtime does not take it. */
  async load(file: CacheFile): Promise<boolean> {
    if (this.has(file)) return true;
    this.forget();
    const isLoaded = await this.#runtime.loadPromptCache(file.path).then(
      () => true,
      () => false,
    );
    if (isLoaded) this.#file = file;
    // A runtime that does not take one may keep the one before it.
    else await this.releaseOthers(file.lora);
    return isLoaded;
  }

  /**
   * Has nothing stay loaded that another adapter has computed, or that nobody knows. What the caller has loaded is the
   * caller's.
   */
  releaseOthers(lora: string | undefined): Promise<void> | undefined {
    if (typeof this.#file === 'object') return this.#file.lora === lora ? undefined : this.#release();
    return this.#file === 'unknown' ? this.#release() : undefined;
  }

  /** What is loaded, if anything of ours is, is no longer known. */
  forget(): void {
    if (typeof this.#file === 'object') this.#file = 'unknown';
  }

  /** The caller has put another one in its place, or released it. */
  replaced(by: 'none' | 'caller'): void {
    this.#file = by;
  }

  async #release(): Promise<void> {
    await this.#runtime.releasePromptCache();
    this.#file = 'none';
  }
}
