import type { Run, RunEnd, TokenBatch } from '../backend.js';
import type { RkllmError } from '../../errors.js';
import type { EndedEvent, NativeInput, NativeRunOptions, RunHandle } from './addon.js';
import { deferred } from '../../deferred.js';
import { AbortWatch } from './abort-watch.js';
import type { RunListener } from './event-router.js';
import { toRunError, toStartError } from './native-errors.js';
import type { NativeModel } from './native-model.js';

/** A run on the model's own thread in this process. */
export class InProcessRun implements Run, RunListener {
  readonly #model: NativeModel;
  readonly #end = deferred<RunEnd>();
  #handle: RunHandle | undefined;
  #watch: AbortWatch | undefined;
  #over = false;
  #wake: (() => void) | undefined;

  readonly ended: Promise<RunEnd> = this.#end.promise;

  constructor(model: NativeModel, input: NativeInput | readonly NativeInput[], options: NativeRunOptions) {
    this.#model = model;
    const { addon, handle, router } = model;
    const id = router.add(this);
    try {
      this.#handle = addon.start(handle, id, input, options);
      this.#watch = new AbortWatch(addon, handle, this.#handle, model.limit);
    } catch (error) {
      router.remove(id);
      this.#finish();
      this.#end.reject(toStartError(error));
    }
  }

  drain(): TokenBatch | undefined {
    return this.#handle === undefined ? undefined : this.#model.addon.drain(this.#handle);
  }

  readable(): Promise<void> {
    if (this.#over || this.#handle === undefined || this.#model.addon.arm(this.#handle)) return Promise.resolve();
    return new Promise((resolve) => {
      this.#wake = resolve;
    });
  }

  abort(): void {
    this.#watch?.abort();
  }

  onReadable(): void {
    this.#wake?.();
    this.#wake = undefined;
  }

  onEnded(event: EndedEvent, failure?: RkllmError): void {
    this.#finish();
    const { outcome } = event;
    if (outcome === 'failed') this.#end.reject(failure ?? toRunError(event));
    else this.#end.resolve(toRunEnd(reasons[outcome], event));
  }

  onLost(error: RkllmError): void {
    this.#finish();
    this.#end.reject(error);
  }

  #finish(): void {
    this.#over = true;
    this.#watch?.end();
    this.onReadable();
  }
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
