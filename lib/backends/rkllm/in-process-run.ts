import type { PromptMedia } from '../media.js';
import type { Run, RunEnd, RunInput, RunRequest, TokenBatch } from '../backend.js';
import type { EndedEvent, ModelHandle, NativeAddon, NativeInput, RunHandle } from './addon.js';
import { deferred } from '../../deferred.js';
import type { EventRouter, RunListener } from './event-router.js';
import { toRunError, toStartError } from './native-errors.js';

/** A run on the model's own thread in this process. */
export class InProcessRun implements Run, RunListener {
  readonly #addon: NativeAddon;
  readonly #model: ModelHandle;
  readonly #end = deferred<RunEnd>();
  #handle: RunHandle | undefined;
  #over = false;
  #wake: (() => void) | undefined;

  readonly ended: Promise<RunEnd> = this.#end.promise;

  constructor(addon: NativeAddon, model: ModelHandle, router: EventRouter, request: RunRequest) {
    this.#addon = addon;
    this.#model = model;
    const { input, media, maxNewTokens, sampling, npu } = request;
    const id = router.add(this);
    try {
      const prompt = toNativeInput(input, media);
      this.#handle = addon.start(model, id, prompt, { ...sampling, ...npu, maxNewTokens });
    } catch (error) {
      router.remove(id);
      this.#finish();
      this.#end.reject(toStartError(error));
    }
  }

  drain(): TokenBatch | undefined {
    return this.#handle === undefined ? undefined : this.#addon.drain(this.#handle);
  }

  readable(): Promise<void> {
    if (this.#over || this.#handle === undefined || this.#addon.arm(this.#handle)) return Promise.resolve();
    return new Promise((resolve) => {
      this.#wake = resolve;
    });
  }

  abort(): void {
    if (!this.#over && this.#handle !== undefined) this.#addon.abort(this.#model, this.#handle);
  }

  onReadable(): void {
    this.#wake?.();
    this.#wake = undefined;
  }

  onEnded(event: EndedEvent): void {
    this.#finish();
    const { outcome } = event;
    if (outcome === 'failed') this.#end.reject(toRunError(event));
    else this.#end.resolve(toRunEnd(reasons[outcome], event));
  }

  #finish(): void {
    this.#over = true;
    this.onReadable();
  }
}

function toNativeInput(input: RunInput, media: PromptMedia | undefined): NativeInput {
  if (input.type === 'tokens') return input.tokenIds;
  return media === undefined ? input.text : { ...media, prompt: input.text };
}

const reasons = { completed: 'unstated', limited: 'length', aborted: 'aborted' } as const;

function toRunEnd(reason: RunEnd['reason'], { prefillMs, decodeMs, perf }: EndedEvent): RunEnd {
  return {
    reason,
    promptTokens: perf?.prefillTokens,
    cachedPromptTokens: undefined,
    prefillMs: perf?.prefillMs ?? prefillMs,
    decodeMs: perf?.generateMs ?? decodeMs,
    peakMemoryMb: perf?.memoryMb ?? process.resourceUsage().maxRSS / 1024,
  };
}
