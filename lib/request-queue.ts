import { deferred } from './deferred.js';
import { RkllmError } from './errors.js';

/** A request that waits for, or has, a slot of the engine. */
export interface QueuedRequest {
  /** That of the generation, or of a call of `model.runtime`. */
  readonly id: string;
  /**
   * Called when a slot is free, once each time it was added or put back; the slot is taken until the promise settles. It
   * must not reject. What it resolves with is called when the slot is free again: whoever learns of the outcome there
   * finds the engine idle.
   */
  run(): Promise<() => void>;
  /** Called instead of `run` when the request leaves the queue without having had a slot, or another one. */
  refuse(reason: unknown): void;
}

export interface QueueLimits {
  readonly slots: number;
  readonly maxPending: number;
  readonly timeoutMs: number | undefined;
}

/** Is told what has been done with a request; by then the queue is as it will be. */
export interface QueueListener {
  /** It waits, with so many before it. */
  added(id: string, queue: RequestQueue, position: number): void;
  /** It has a slot. */
  started(id: string, queue: RequestQueue): void;
  /** @param reason - as in {@link RequestQueue.remove}, or why it could not be added. */
  refused(id: string, queue: RequestQueue, reason: unknown): void;
}

interface Entry {
  readonly request: QueuedRequest;
  readonly timer: NodeJS.Timeout | undefined;
}

/** First come, first served, in front of an engine that runs few requests at a time. */
export class RequestQueue {
  readonly #limits: QueueLimits;
  #waiting: Entry[] = [];
  readonly #running = new Set<Promise<undefined>>();
  readonly #listener: QueueListener | undefined;
  /** How many were added, and how many before each. */
  #added = 0;
  readonly #orders = new WeakMap<QueuedRequest, number>();
  /** Set while no slots are granted. */
  #onPending: (() => void) | undefined;

  constructor(limits: QueueLimits, listener?: QueueListener) {
    this.#limits = limits;
    this.#listener = listener;
  }

  /** How many requests wait. */
  get pending(): number {
    return this.#waiting.length;
  }

  /** How many requests have a slot. */
  get active(): number {
    return this.#running.size;
  }

  /** @throws RkllmError `RKLLM_QUEUE_FULL`. */
  add(request: QueuedRequest): void {
    const { maxPending } = this.#limits;
    this.#orders.set(request, this.#added++);
    if (this.#isFree() && this.#waiting.length === 0) {
      this.#grant(request);
      return;
    }
    if (this.#waiting.length >= maxPending) {
      const error = new RkllmError('RKLLM_QUEUE_FULL', `${String(maxPending)} generations are waiting already.`, {
        hint: 'Wait for one of them, or load the model with a larger queue: { queue: { maxPending: … } }.',
        details: { maxPending, active: this.#running.size },
      });
      this.#listener?.refused(request.id, this, error);
      throw error;
    }
    this.#wait(request, this.#waiting.length);
  }

  /**
   * Lets a request wait again that had a slot and gave it back: before those that came later, and also where the queue is
   * full. The time that it may wait begins anew.
   */
  putBack(request: QueuedRequest): void {
    const later = this.#waiting.findIndex((entry) => this.#orderOf(entry.request) > this.#orderOf(request));
    this.#wait(request, later < 0 ? this.#waiting.length : later);
  }

  /**
   * Grants no slots until {@link resume}; what has one goes on.
   *
   * @param onPending - called when the number of those that wait has changed.
   */
  pause(onPending: () => void): void {
    this.#onPending = onPending;
  }

  resume(): void {
    this.#onPending = undefined;
    this.#grantFree();
  }

  /** How many wait before this one; undefined when it does not wait. */
  positionOf(request: QueuedRequest): number | undefined {
    const index = this.#waiting.findIndex((entry) => entry.request === request);
    return index < 0 ? undefined : index;
  }

  /** Takes a waiting request out and refuses it; returns false when it does not wait (any more). */
  remove(request: QueuedRequest, reason: unknown): boolean {
    const index = this.positionOf(request);
    const [entry] = index === undefined ? [] : this.#waiting.splice(index, 1);
    if (entry === undefined) return false;
    clearTimeout(entry.timer);
    this.#onPending?.();
    entry.request.refuse(reason);
    this.#listener?.refused(request.id, this, reason);
    return true;
  }

  /** Refuses everything that waits. */
  removeAll(reason: unknown): void {
    for (const { request } of [...this.#waiting]) this.remove(request, reason);
  }

  /** Resolves when no request has a slot. */
  async idle(): Promise<void> {
    while (this.#running.size > 0) await Promise.all(this.#running);
  }

  #wait(request: QueuedRequest, position: number): void {
    const { timeoutMs } = this.#limits;
    const timer = timeoutMs === undefined ? undefined : setTimeout(() => this.#expire(request), timeoutMs);
    this.#waiting.splice(position, 0, { request, timer });
    this.#onPending?.();
    this.#listener?.added(request.id, this, position);
  }

  #isFree(): boolean {
    return this.#onPending === undefined && this.#running.size < this.#limits.slots;
  }

  #grantFree(): void {
    while (this.#isFree()) {
      const next = this.#waiting.shift();
      if (next === undefined) return;
      clearTimeout(next.timer);
      this.#grant(next.request);
    }
  }

  #grant(request: QueuedRequest): void {
    const slot = deferred<undefined>();
    // Before it runs: whom an engine calls as it starts may ask for more.
    this.#running.add(slot.promise);
    void request.run().then((settle) => {
      this.#running.delete(slot.promise);
      settle();
      slot.resolve(undefined);
      this.#grantFree();
    });
    this.#listener?.started(request.id, this);
  }

  #orderOf(request: QueuedRequest): number {
    return this.#orders.get(request) ?? this.#added;
  }

  #expire(request: QueuedRequest): void {
    const { timeoutMs } = this.#limits;
    this.remove(
      request,
      new RkllmError('RKLLM_QUEUE_TIMEOUT', `No slot of the engine became free within ${String(timeoutMs)} ms.`, {
        hint: 'Send fewer requests at a time, or load the model with a larger queue: { queue: { timeoutMs: … } }.',
        details: { timeoutMs },
      }),
    );
  }
}
