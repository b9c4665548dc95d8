import { absolutePath } from './absolute-path.js';
import type { Capabilities } from './backends/backend.js';
import type { Adapter } from './backends/model-parts.js';
import { checkEmbeddings } from './backends/embedding-width.js';
import type {
  ComputeOptions,
  CrossAttention,
  Matrix,
  ModelRuntime,
  RuntimeControls,
  RuntimeInput,
} from './backends/runtime-controls.js';
import { toRuntimeInput } from './batch-input.js';
import { RkllmError } from './errors.js';
import type { KvEffect } from './kv-owner.js';
import { checkOptions } from './options/check.js';
import { runtimeArguments } from './options/runtime-arguments.js';
import { runtimeCallTitle } from './options/runtime-calls.js';
import type { Checked, OptionTable } from './options/table.js';

/** Calls the controls of the model that is loaded, when it is the call's turn. */
type Enqueue = <T>(
  effect: KvEffect,
  signal: AbortSignal | undefined,
  call: (controls: RuntimeControls, signal: AbortSignal) => Promise<T>,
) => Promise<T>;

type Argument<K extends Exclude<keyof RuntimeControls, 'embeddingWidth' | 'adapters'>> = Parameters<
  RuntimeControls[K]
>[0];

/** {@link ModelRuntime} over the controls of the backend's model that is loaded at the moment. */
export class LoadedRuntime implements ModelRuntime {
  readonly #current: () => RuntimeControls;
  readonly #capabilities: Capabilities;
  readonly #enqueue: Enqueue;
  readonly #onAdapter: (adapter: Adapter) => void;

  /** @param onAdapter - is told of each adapter that has been loaded. */
  constructor(
    current: () => RuntimeControls,
    capabilities: Capabilities,
    enqueue: Enqueue,
    readonly generateBatch: ModelRuntime['generateBatch'],
    onAdapter: (adapter: Adapter) => void,
  ) {
    this.#current = current;
    this.#capabilities = capabilities;
    this.#enqueue = enqueue;
    this.#onAdapter = onAdapter;
  }

  get embeddingWidth(): number | undefined {
    return this.#current().embeddingWidth;
  }

  get adapters(): readonly string[] {
    return this.#current().adapters;
  }

  has(release: string): boolean {
    return this.#current().has(release);
  }

  hiddenStates(input: RuntimeInput, options?: ComputeOptions): Promise<Matrix> {
    return this.#compute('hiddenStates', input, options);
  }

  logits(input: RuntimeInput, options?: ComputeOptions): Promise<Matrix> {
    return this.#compute('logits', input, options);
  }

  async loadLora(lora: Argument<'loadLora'>): Promise<void> {
    const checked = complete('loadLora', runtimeArguments.loadLora, lora, ['path', 'name']);
    const adapter = { ...checked, path: absolutePath(checked.path) };
    await this.#enqueue('loads-adapter', undefined, (controls) => controls.loadLora(adapter));
    this.#onAdapter(adapter);
  }

  async loadPromptCache(path: string): Promise<void> {
    const checked = complete('loadPromptCache', runtimeArguments.loadPromptCache, { path }, ['path']);
    const file = absolutePath(checked.path);
    return this.#enqueue('loads-cache', undefined, (controls) => controls.loadPromptCache(file));
  }

  releasePromptCache(): Promise<void> {
    return this.#enqueue('releases-cache', undefined, (controls) => controls.releasePromptCache());
  }

  async clearKvCache(options?: Argument<'clearKvCache'>): Promise<void> {
    const checked = complete('clearKvCache', runtimeArguments.clearKvCache, options, []);
    const isPart = checked.keepSystemPrompt === true || checked.ranges !== undefined;
    return this.#enqueue(isPart ? 'arranges' : 'clears', undefined, (controls) => controls.clearKvCache(checked));
  }

  kvCacheSize(): Promise<number> {
    return this.#enqueue('none', undefined, (controls) => controls.kvCacheSize());
  }

  kvCacheSizes(): Promise<readonly number[]> {
    return this.#enqueue('none', undefined, (controls) => controls.kvCacheSizes());
  }

  async setChatTemplate(template: Argument<'setChatTemplate'>): Promise<void> {
    const checked = complete('setChatTemplate', runtimeArguments.setChatTemplate, template, []);
    return this.#enqueue('spoils', undefined, (controls) => controls.setChatTemplate(checked));
  }

  async setFunctionTools(tools: Argument<'setFunctionTools'>): Promise<void> {
    const due = ['tools', 'responseTag'] as const;
    const checked = complete('setFunctionTools', runtimeArguments.setFunctionTools, tools, due);
    return this.#enqueue('sets-tools', undefined, (controls) => controls.setFunctionTools(checked));
  }

  async setCrossAttention(attention: CrossAttention | undefined): Promise<void> {
    const due = ['keyCache', 'valueCache', 'mask', 'positions'] as const;
    const table = runtimeArguments.setCrossAttention;
    const checked = attention === undefined ? undefined : complete('setCrossAttention', table, attention, due);
    return this.#enqueue('spoils', undefined, (controls) => controls.setCrossAttention(checked));
  }

  async #compute(name: 'hiddenStates' | 'logits', input: RuntimeInput, options: unknown): Promise<Matrix> {
    const owner = runtimeCallTitle(name);
    refuseOnBatches(owner, this.#capabilities);
    const checked = toRuntimeInput(input, `The input of ${owner}`);
    if ('embeddings' in checked) checkEmbeddings(checked, this);
    const { signal } = checkOptions(owner, runtimeArguments.compute, options);
    return this.#enqueue('spoils', signal, (controls, stop) => controls[name](checked, { signal: stop }));
  }
}

/** The arguments of a call, if they are right and none is missing. */
function complete<T extends OptionTable, K extends keyof T & string>(
  call: string,
  table: T,
  given: unknown,
  due: readonly K[],
): Checked<T> & Required<Pick<Checked<T>, K>> {
  const owner = runtimeCallTitle(call);
  const checked = checkOptions(owner, table, given);
  const missing = due.find((name) => checked[name] === undefined);
  if (missing === undefined) return checked as Checked<T> & Required<Pick<Checked<T>, K>>;
  throw new RkllmError('RKLLM_INVALID_OPTION', `${owner}: ${missing} is missing.`, {
    hint: `Give ${due.join(', ')}.`,
    details: { owner, option: missing },
  });
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
