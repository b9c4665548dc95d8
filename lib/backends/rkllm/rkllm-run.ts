import type { Run, RunEnd, TokenBatch } from '../backend.js';
import { isRkllmError, type RkllmError } from '../../errors.js';
import type { EndedEvent, NativeInput, NativeRunOptions, RunHandle } from './addon.js';
import { deferred } from '../../deferred.js';
import { AbortWatch } from './abort-watch.js';
import type { DriverEvent } from './driver.js';
import type { RunListener } from './event-router.js';
import { toRunError, toStartError } from './native-errors.js';
import type { NativeModel } from './native-model.js';
import { StallWatch } from './stall-watch.js';

/** A run on the model's own thread, in this process or in another. */
export class RkllmRun implements Run, RunListener {
  readonly #model: NativeModel;
  readonly #end = deferred<RunEnd>();
  #handle: RunHandle | undefined;
  #watch: AbortWatch | undefined;
  readonly #stall: StallWatch;
  #decodes = false;
  #aborting = false;
  #over = false;
  #wake: (() => void) | undefined;

  readonly ended: Promise<RunEnd> = this.#end.promise;

  constructor(model: NativeModel, input: NativeInput | readonly NativeInput[], options: NativeRunOptions) {
    this.#model = model;
    this.#stall = new StallWatch(model, () => (this.#decodes ? 'decode' : 'prefill'));
    const { driver, handle, router } = model;
    const id = router.add(this);
    try {
      this.#handle = driver.start(handle, id, input, options);
      this.#watch = new AbortWatch(model, this.#handle);
    } catch (error) {
      router.remove(id);
      this.onRefused(isRkllmError(error) ? error : toStartError(error));
    }
  }

  drain(): TokenBatch | undefined {
    if (this.#handle === undefined) return undefined;
    const batch = this.#model.driver.drain(this.#handle);
    if (batch !== undefined) this.#decodes = true;
    return batch;
  }

  readable(): Promise<void> {
    if (this.#over || this.#handle === undefined || this.#model.driver.arm(this.#handle)) return Promise.resolve();
    if (!this.#aborting) this.#stall.start();
    return new Promise((resolve) => {
      this.#wake = resolve;
    });
  }

  abort(): void {
    this.#aborting = true;
    this.#stall.stop(); // from here on another limit counts
    this.#watch?.abort();
  }

  onReadable(): void {
    this.#stall.stop();
    this.#wake?.();
    this.#wake = undefined;
  }

  onEnded(event: Extract<DriverEvent, { type: 'ended' }>, failure?: RkllmError): void {
    this.#finish();
    const { outcome } = event;
    if (outcome === 'failed') this.#end.reject(failure ?? toRunError(event));
    else this.#end.resolve(toRunEnd(reasons[outcome], event));
  }

  onLost(error: RkllmError): void {
    this.#finish();
    this.#end.reject(error);
  }

  onRefused(error: RkllmError): void {
    this.onLost(error);
  }

  #finish(): void {
    this.#over = true;
    this.#watch?.end();
    this.onReadable();
  }
}

const reasons = { completed: 'unstated', limited: 'length', aborted: 'aborted' } as const;

function toRunEnd(reason: RunEnd['reason'], { prefillMs, decodeMs, perf, peakMemoryMb }: EndedEvent): RunEnd {
  return {
    reason,
    promptTokens: perf?.prefillTokens,
    cachedPromptTokens: undefined,
    prefillMs: perf?.prefillMs ?? prefillMs,
    decodeMs: perf?.generateMs ?? decodeMs,
    peakMemoryMb: perf?.memoryMb ?? peakMemoryMb ?? process.resourceUsage().maxRSS / 1024,
  };
}
