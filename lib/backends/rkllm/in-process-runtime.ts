import { deferred } from '../../deferred.js';
import { RkllmError } from '../../errors.js';
import type { CrossAttention, Matrix, RuntimeControls, RuntimeInput } from '../runtime-controls.js';
import type { ModelHandle, NativeAddon, NativeInput, NativeOperation } from './addon.js';
import type { EventRouter } from './event-router.js';
import { hasRelease, type GenerationName } from './generations.js';
import { toCallError, toRunError, toStartError } from './native-errors.js';

/** {@link RuntimeControls} of a model in this process. */
export class InProcessRuntime implements RuntimeControls {
  readonly #addon: NativeAddon;
  readonly #model: ModelHandle;
  readonly #router: EventRouter;
  readonly #generation: GenerationName;

  constructor(addon: NativeAddon, model: ModelHandle, router: EventRouter, generation: GenerationName) {
    this.#addon = addon;
    this.#model = model;
    this.#router = router;
    this.#generation = generation;
  }

  has(release: string): boolean {
    return hasRelease(this.#generation, release);
  }

  hiddenStates(input: RuntimeInput): Promise<Matrix> {
    return this.#compute('hiddenStates', input);
  }

  async logits(input: RuntimeInput): Promise<Matrix> {
    this.#need('logits()', '1.2.0');
    return this.#compute('logits', input);
  }

  async loadLora(lora: Parameters<RuntimeControls['loadLora']>[0]): Promise<void> {
    await this.#perform({ operation: 'loadLora', ...lora });
  }

  async loadPromptCache(path: string): Promise<void> {
    await this.#perform({ operation: 'loadPromptCache', path });
  }

  async releasePromptCache(): Promise<void> {
    await this.#perform({ operation: 'releasePromptCache' });
  }

  async clearKvCache(options: { readonly keepSystemPrompt?: boolean } = {}): Promise<void> {
    this.#need('clearKvCache()', '1.2.0');
    await this.#perform({ operation: 'clearKvCache', ...options });
  }

  async kvCacheSize(): Promise<number> {
    this.#need('kvCacheSize()', '1.2.1');
    return this.#perform({ operation: 'kvCacheSize' });
  }

  async setChatTemplate(template: Parameters<RuntimeControls['setChatTemplate']>[0]): Promise<void> {
    this.#need('setChatTemplate()', '1.2.0');
    await this.#perform({ operation: 'setChatTemplate', ...template });
  }

  async setFunctionTools(tools: Parameters<RuntimeControls['setFunctionTools']>[0]): Promise<void> {
    this.#need('setFunctionTools()', '1.2.1');
    await this.#perform({ operation: 'setFunctionTools', ...tools });
  }

  async setCrossAttention(attention: CrossAttention | undefined): Promise<void> {
    this.#need('setCrossAttention()', '1.2.1');
    if (attention === undefined) await this.#perform({ operation: 'clearCrossAttention' });
    else await this.#perform({ operation: 'setCrossAttention', ...attention });
  }

  #need(what: string, since: string): void {
    if (this.has(since)) return;
    throw new RkllmError(
      'RKLLM_UNSUPPORTED_BY_RUNTIME',
      `${what} needs a runtime from ${since} on; this one is ${this.#generation}.`,
      { hint: 'Use a newer librkllmrt.so.', details: { call: what, since, generation: this.#generation } },
    );
  }

  async #perform(operation: NativeOperation): Promise<number> {
    const { id, outcome } = this.#router.addCall();
    try {
      this.#addon.perform(this.#model, id, operation);
    } catch (error) {
      this.#router.removeCall(id);
      throw toStartError(error);
    }
    const event = await outcome;
    if (event.returned !== 0) throw toCallError(event);
    return event.value;
  }

  async #compute(mode: 'hiddenStates' | 'logits', input: RuntimeInput): Promise<Matrix> {
    const done = deferred<Matrix>();
    const id = this.#router.add({
      onReadable: () => undefined,
      onEnded: (event) => {
        if (event.matrix === undefined) done.reject(toRunError(event));
        else done.resolve(event.matrix);
      },
    });
    try {
      this.#addon.start(this.#model, id, toNativeInput(input), { mode });
    } catch (error) {
      this.#router.remove(id);
      throw toStartError(error);
    }
    return done.promise;
  }
}

function toNativeInput(input: RuntimeInput): NativeInput {
  if ('prompt' in input) return input.prompt;
  return 'tokenIds' in input ? input.tokenIds : input;
}
