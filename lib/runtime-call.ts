import { onAbort } from './abort-listeners.js';
import { deferred } from './deferred.js';
import type { QueuedRequest, RequestQueue } from './request-queue.js';

/** One call of `model.runtime`: it waits in the model's queue like a generation, and has the engine for itself. */
export class RuntimeCall<T> {
  readonly #queue: RequestQueue;
  readonly #queued: QueuedRequest;
  readonly #outcome = deferred<T>();
  readonly #stop = new AbortController();
  readonly #unsubscribe: (() => void) | undefined;

  readonly result: Promise<T> = this.#outcome.promise;

  /**
   * @param call - gets a signal that is aborted when the call should end.
   * @throws the reason of a signal that is aborted already; RkllmError `RKLLM_QUEUE_FULL`.
   */
  constructor(
    id: string,
    queue: RequestQueue,
    signal: AbortSignal | undefined,
    call: (signal: AbortSignal) => Promise<T>,
  ) {
    this.#queue = queue;
    this.#queued = {
      id,
      run: () => this.#execute(call),
      refuse: (reason) => this.#fail(this.#stop.signal.aborted ? this.#stop.signal.reason : reason),
    };
    signal?.throwIfAborted();
    this.#unsubscribe = signal && onAbort(signal, () => this.abort(signal.reason));
    try {
      queue.add(this.#queued);
    } catch (error) {
      this.#unsubscribe?.();
      throw error;
    }
  }

  /** It then rejects with the reason, when the engine is idle. */
  abort(reason: unknown): void {
    this.#stop.abort(reason);
    this.#queue.remove(this.#queued, undefined);
  }

  async #execute(call: (signal: AbortSignal) => Promise<T>): Promise<() => void> {
    try {
      const value = await call(this.#stop.signal);
      return () => {
        this.#unsubscribe?.();
        this.#outcome.resolve(value);
      };
    } catch (error) {
      return () => this.#fail(error);
    }
  }

  #fail(error: unknown): void {
    this.#unsubscribe?.();
    this.#outcome.reject(error);
  }
}
