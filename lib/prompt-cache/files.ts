import type { BackendModelInfo } from '../backends/model-info.js';
import type { Adapter } from '../backends/model-parts.js';
import { fingerprintOf } from './fingerprint.js';
import { digestOf, type PromptCacheKey } from './key.js';
import { PromptCacheStore, type UnfinishedEntry } from './store.js';
import type { Found } from './entry.js';

/** What is computed, and by whom. */
export interface ComputedPrompt {
  readonly text: string;
  /** Name of the chat template. */
  readonly template: string;
  readonly lora: Adapter | undefined;
}

/** The prompt caches of one loaded model. */
export class PromptCacheFiles {
  readonly #store: PromptCacheStore;
  readonly #model: Pick<PromptCacheKey, 'model' | 'runtime' | 'contextLength'>;

  private constructor(store: PromptCacheStore, model: Pick<PromptCacheKey, 'model' | 'runtime' | 'contextLength'>) {
    this.#store = store;
    this.#model = model;
  }

  /**
   * @param path - of the model's file.
   * @throws what the file system says against it.
   */
  static async open(
    { directory, maxBytes }: { readonly directory: string; readonly maxBytes: number },
    path: string,
    { runtime, contextLength }: Pick<BackendModelInfo, 'runtime' | 'contextLength'>,
  ): Promise<PromptCacheFiles> {
    const store = await PromptCacheStore.open(directory, maxBytes);
    const release = `${runtime?.version ?? 'unknown'} (${runtime?.generation ?? 'unknown'})`;
    return new PromptCacheFiles(store, { model: await fingerprintOf(path), runtime: release, contextLength });
  }

  /** @throws what reading the adapter's file fails with. */
  async keyOf({ text, template, lora }: ComputedPrompt): Promise<PromptCacheKey> {
    const adapter = lora && { file: await fingerprintOf(lora.path), scale: lora.scale ?? 1 };
    return { ...this.#model, template, lora: adapter ?? null, prompt: digestOf(text) };
  }

  find(key: PromptCacheKey): Promise<Found | undefined> {
    return this.#store.find(key);
  }

  begin(key: PromptCacheKey): Promise<UnfinishedEntry> {
    return this.#store.begin(key);
  }

  remove(key: PromptCacheKey): Promise<void> {
    return this.#store.remove(key);
  }
}
