import { randomUUID } from 'node:crypto';
import type { BackendModel } from './backends/backend.js';
import type { RuntimeControls } from './backends/runtime-controls.js';
import type { Engine } from './engine.js';
import type { KvEffect } from './kv-owner.js';
import { disposedError } from './refusals.js';
import type { RequestQueue } from './request-queue.js';
import { RuntimeCall } from './runtime-call.js';

/** The model that the calls are made of. */
export interface CalledModel {
  readonly engine: Engine;
  readonly queue: RequestQueue;
  /** @throws RkllmError `RKLLM_DISPOSED`, or what the model died of. */
  refuseWhenGone(): void;
  /** Has what is waited for stopped when the model is disposed with `{ abort: true }`. */
  follow(request: { abort(): void }, settled: Promise<unknown>): void;
}

/** Has the engine do what is no generation: it waits in the queue like one, and has the engine for itself. */
export class EngineCalls {
  readonly #model: CalledModel;

  constructor(model: CalledModel) {
    this.#model = model;
  }

  /**
   * @param effect - what it does to the KV cache.
   * @param call - gets a signal that is aborted when it should end.
   */
  async onModel<T>(
    effect: KvEffect,
    signal: AbortSignal | undefined,
    call: (model: BackendModel, signal: AbortSignal) => Promise<T>,
  ): Promise<T> {
    const { engine, queue } = this.#model;
    this.#model.refuseWhenGone();
    const queued = new RuntimeCall(randomUUID(), queue, signal, async (stop) => {
      const model = await engine.ready(undefined, stop);
      stop.throwIfAborted();
      if (model === undefined) throw disposedError();
      engine.kv.touched(effect);
      return call(model, stop);
    });
    this.#model.follow({ abort: () => queued.abort(disposedError()) }, queued.result);
    return queued.result;
  }

  /** The same with what the vendor's runtime can do besides. */
  onRuntime<T>(
    effect: KvEffect,
    signal: AbortSignal | undefined,
    call: (controls: RuntimeControls, signal: AbortSignal) => Promise<T>,
  ): Promise<T> {
    return this.onModel(effect, signal, ({ runtime }, stop) => {
      if (runtime === undefined) throw disposedError();
      return call(runtime, stop);
    });
  }
}
