import type { Capabilities } from './backends/backend.js';
import type {
  ComputeOptions,
  Matrix,
  ModelRuntime,
  RuntimeControls,
  RuntimeInput,
} from './backends/runtime-controls.js';
import { RkllmError } from './errors.js';

type Argument<K extends Exclude<keyof RuntimeControls, 'embeddingWidth'>> = Parameters<RuntimeControls[K]>[0];

/** {@link ModelRuntime} over the controls of the backend's model that is loaded at the moment. */
export class LoadedRuntime implements ModelRuntime {
  readonly #current: () => RuntimeControls;
  readonly #capabilities: Capabilities;

  constructor(
    current: () => RuntimeControls,
    capabilities: Capabilities,
    readonly generateBatch: ModelRuntime['generateBatch'],
  ) {
    this.#current = current;
    this.#capabilities = capabilities;
  }

  get embeddingWidth(): number | undefined {
    return this.#current().embeddingWidth;
  }

  has(release: string): boolean {
    return this.#current().has(release);
  }

  async hiddenStates(input: RuntimeInput, options?: ComputeOptions): Promise<Matrix> {
    refuseOnBatches('hiddenStates()', this.#capabilities);
    return this.#current().hiddenStates(input, options);
  }

  async logits(input: RuntimeInput, options?: ComputeOptions): Promise<Matrix> {
    refuseOnBatches('logits()', this.#capabilities);
    return this.#current().logits(input, options);
  }

  loadLora(lora: Argument<'loadLora'>): Promise<void> {
    return this.#current().loadLora(lora);
  }

  loadPromptCache(path: string): Promise<void> {
    return this.#current().loadPromptCache(path);
  }

  releasePromptCache(): Promise<void> {
    return this.#current().releasePromptCache();
  }

  clearKvCache(options?: Argument<'clearKvCache'>): Promise<void> {
    return this.#current().clearKvCache(options);
  }

  kvCacheSize(): Promise<number> {
    return this.#current().kvCacheSize();
  }

  kvCacheSizes(): Promise<readonly number[]> {
    return this.#current().kvCacheSizes();
  }

  setChatTemplate(template: Argument<'setChatTemplate'>): Promise<void> {
    return this.#current().setChatTemplate(template);
  }

  setFunctionTools(tools: Argument<'setFunctionTools'>): Promise<void> {
    return this.#current().setFunctionTools(tools);
  }

  setCrossAttention(attention: Argument<'setCrossAttention'>): Promise<void> {
    return this.#current().setCrossAttention(attention);
  }
}

/** @throws RkllmError `RKLLM_UNSUPPORTED_OPTION` for what has one prompt, on a model that takes several at once. */
export function refuseOnBatches(owner: string, { batchSize = 1 }: Capabilities): void {
  if (batchSize === 1) return;
  throw new RkllmError(
    'RKLLM_UNSUPPORTED_OPTION',
    `${owner} has one prompt, and this model was loaded to take ${String(batchSize)} at once.`,
    {
      hint: 'Use model.runtime.generateBatch(), or load the model without batchSize.',
      details: { owner, option: 'batchSize', batchSize },
    },
  );
}
