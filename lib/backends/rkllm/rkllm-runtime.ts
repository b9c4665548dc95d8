import { deferred } from '../../deferred.js';
import { isRkllmError, RkllmError } from '../../errors.js';
import { onAbort } from '../../abort-listeners.js';
import { runtimeCallTitle, runtimeCalls, type RuntimeCallName } from '../../options/runtime-calls.js';
import type {
  ComputeOptions,
  CrossAttention,
  KvRange,
  Matrix,
  RuntimeControls,
  RuntimeInput,
} from '../runtime-controls.js';
import { checkEmbeddings } from '../embedding-width.js';
import { AbortWatch } from './abort-watch.js';
import type { NativeOperation } from './addon.js';
import { hasRelease, type GenerationName } from './generations.js';
import { toNativeInput } from './native-input.js';
import { toRunError, toStartError } from './native-errors.js';
import type { NativeModel } from './native-model.js';
import { StallWatch } from './stall-watch.js';

/** {@link RuntimeControls} of the vendor's runtime, in this process or in another. */
export class RkllmRuntime implements RuntimeControls {
  readonly #model: NativeModel;
  readonly #generation: GenerationName;
  readonly #batchSize: number;
  #embeddingWidth: number | undefined;
  readonly #adapters = new Set<string>();

  constructor(
    model: NativeModel,
    generation: GenerationName,
    { batchSize, embeddingWidth }: { readonly batchSize: number; readonly embeddingWidth: number | undefined },
  ) {
    this.#batchSize = batchSize;
    this.#model = model;
    this.#generation = generation;
    this.#embeddingWidth = embeddingWidth;
  }

  get embeddingWidth(): number | undefined {
    return this.#embeddingWidth;
  }

  get adapters(): readonly string[] {
    return [...this.#adapters];
  }

  has(release: string): boolean {
    return hasRelease(this.#generation, release);
  }

  async hiddenStates(input: RuntimeInput, options: ComputeOptions = {}): Promise<Matrix> {
    const states = await this.#compute('hiddenStates', input, options);
    this.#embeddingWidth ??= states.columns;
    return states;
  }

  async logits(input: RuntimeInput, options: ComputeOptions = {}): Promise<Matrix> {
    this.#need('logits');
    return this.#compute('logits', input, options);
  }

  async loadLora(lora: Parameters<RuntimeControls['loadLora']>[0]): Promise<void> {
    await this.#perform({ ...lora, operation: 'loadLora' });
    this.#adapters.add(lora.name);
  }

  async loadPromptCache(path: string): Promise<void> {
    await this.#perform({ operation: 'loadPromptCache', path });
  }

  async releasePromptCache(): Promise<void> {
    await this.#perform({ operation: 'releasePromptCache' });
  }

  async clearKvCache({ ranges, ...rest }: Parameters<RuntimeControls['clearKvCache']>[0] = {}): Promise<void> {
    this.#need('clearKvCache');
    await this.#perform({ ...rest, ...this.#toColumns(ranges), operation: 'clearKvCache' });
  }

  async kvCacheSize(): Promise<number> {
    this.#need('kvCacheSize');
    const [first = 0] = await this.#perform({ operation: 'kvCacheSizes' });
    return first;
  }

  async kvCacheSizes(): Promise<readonly number[]> {
    this.#need('kvCacheSizes');
    return this.#perform({ operation: 'kvCacheSizes' });
  }

  async setChatTemplate(template: Parameters<RuntimeControls['setChatTemplate']>[0]): Promise<void> {
    this.#need('setChatTemplate');
    await this.#perform({ ...template, operation: 'setChatTemplate' });
  }

  async setFunctionTools(tools: Parameters<RuntimeControls['setFunctionTools']>[0]): Promise<void> {
    this.#need('setFunctionTools');
    await this.#perform({ ...tools, operation: 'setFunctionTools' });
  }

  async setCrossAttention(attention: CrossAttention | undefined): Promise<void> {
    this.#need('setCrossAttention');
    if (attention === undefined) await this.#perform({ operation: 'clearCrossAttention' });
    else await this.#perform({ ...attention, operation: 'setCrossAttention' });
  }

  #need(name: RuntimeCallName): void {
    const { since } = runtimeCalls[name];
    if (since === undefined || this.has(since)) return;
    const call = runtimeCallTitle(name);
    throw new RkllmError(
      'RKLLM_UNSUPPORTED_BY_RUNTIME',
      `${call} needs a runtime from ${since} on; this one is ${this.#generation}.`,
      { hint: 'Use a newer librkllmrt.so.', details: { call, since, generation: this.#generation } },
    );
  }

  #toColumns(ranges: readonly KvRange[] | undefined): { readonly from?: Int32Array; readonly to?: Int32Array } {
    if (ranges === undefined) return {};
    this.#need('clearKvCache({ ranges })');
    if (ranges.length !== this.#batchSize || !ranges.every(isRange)) {
      throw new RkllmError('RKLLM_INVALID_INPUT', 'clearKvCache() cannot clear these ranges.', {
        hint: 'Give one range { from, to } for each row of the batch: integers from 0, from not above to.',
        details: { ranges },
      });
    }
    if (!this.#model.router.paused) {
      throw new RkllmError('RKLLM_INVALID_INPUT', 'No range can be cleared: the last generation was not paused.', {
        hint: "Generate with { stopBy: 'pause' }: then the KV cache stays as it is when the generation is stopped.",
      });
    }
    return { from: Int32Array.from(ranges, ({ from }) => from), to: Int32Array.from(ranges, ({ to }) => to) };
  }

  async #perform(operation: NativeOperation): Promise<readonly number[]> {
    const { driver, handle, router } = this.#model;
    const { id, outcome } = router.addCall();
    try {
      driver.perform(handle, id, operation);
    } catch (error) {
      router.removeCall(id);
      throw isRkllmError(error) ? error : toStartError(error);
    }
    const stall = new StallWatch(this.#model, () => 'call');
    stall.start();
    try {
      return (await outcome).values;
    } finally {
      stall.stop();
    }
  }

  async #compute(mode: 'hiddenStates' | 'logits', input: RuntimeInput, { signal }: ComputeOptions): Promise<Matrix> {
    signal?.throwIfAborted();
    const { driver, handle, router } = this.#model;
    if ('embeddings' in input) checkEmbeddings(input, this);
    const done = deferred<Matrix>();
    const id = router.add({
      onReadable: () => undefined,
      onEnded: (event, failure) => {
        if (event.matrix !== undefined) done.resolve(event.matrix);
        else if (event.outcome === 'aborted' && signal?.aborted) done.reject(signal.reason);
        else done.reject(failure ?? toRunError(event));
      },
      onLost: (error) => done.reject(error),
      onRefused: (error) => done.reject(error),
    });
    let watch: AbortWatch;
    try {
      const run = driver.start(handle, id, toNativeInput(input), { mode });
      watch = new AbortWatch(this.#model, run);
    } catch (error) {
      router.remove(id);
      throw isRkllmError(error) ? error : toStartError(error);
    }
    const unsubscribe = signal && onAbort(signal, () => watch.abort());
    const stall = new StallWatch(this.#model, () => 'call');
    stall.start();
    try {
      return await done.promise;
    } finally {
      stall.stop();
      unsubscribe?.();
      watch.end();
    }
  }
}

function isRange({ from, to }: KvRange): boolean {
  return Number.isInteger(from) && Number.isInteger(to) && from >= 0 && from <= to && to < 2 ** 31;
}
