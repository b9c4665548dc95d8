import timers from 'node:timers/promises';
import { onAbort } from './abort-listeners.js';
import { tooManyCrashes, type CrashHistory } from './crash-history.js';
import type { Engine } from './engine.js';
import type { Observer } from './observe/observer.js';
import type { QueuedRequest, RequestQueue } from './request-queue.js';

/** Taken once: a test runner's fake timers replace it, and this needs no time. */
const turn = timers.setImmediate;

/** What a request wants to know whose run has failed. */
export type SecondTry = Pick<Recovery, 'settled' | 'putBack'>;

/** What becomes of a model whose engine is lost: it is loaded again while the requests wait, or the model has failed. */
export class Recovery {
  readonly #model: string;
  readonly #engine: Engine;
  readonly #queue: RequestQueue;
  /** Absent: an engine that is lost is not loaded again. */
  readonly #history: CrashHistory | undefined;
  readonly #observer: Observer;
  readonly #stop = new AbortController();
  /** Requests that were put back. */
  readonly #returned = new WeakSet<QueuedRequest>();
  #failure: Error | undefined;
  /** Engines that were lost and are not replaced yet: a new one may die at once. */
  #lost = 0;
  /** Never rejects. */
  #restarts: Promise<void> = Promise.resolve();
  #delay: NodeJS.Timeout | undefined;

  /** @param model - its name. */
  constructor(
    model: string,
    engine: Engine,
    queue: RequestQueue,
    history: CrashHistory | undefined,
    observer: Observer,
  ) {
    this.#model = model;
    this.#engine = engine;
    this.#queue = queue;
    this.#history = history;
    this.#observer = observer;
  }

  /** Why there is no engine, and will be none. */
  get failure(): Error | undefined {
    return this.#failure;
  }

  /** There is no engine, and one will be loaded. */
  get isRestarting(): boolean {
    return this.#lost > 0 && this.#failure === undefined && !this.#stop.signal.aborted;
  }

  /** The engine is lost: it died, could not be freed, or could not be loaded again. */
  onLost(error: unknown, recoverable: boolean): void {
    if (this.#failure !== undefined) return;
    const verdict = recoverable && !this.#stop.signal.aborted ? this.#history?.add() : undefined;
    if (verdict === undefined) {
      this.#fail(error);
      return;
    }
    const { crashes, delayMs } = verdict;
    if (delayMs === undefined) {
      this.#fail(tooManyCrashes(verdict, error));
      return;
    }
    this.#lost++;
    this.#queue.pause(() => this.#holdProcess());
    this.#restarts = this.#restarts.then(() => this.#restart(delayMs));
    this.#observer.engineDied(this.#model, error, crashes, delayMs);
  }

  /**
   * Has a request wait again, before all that came later, that lost its engine before there was anything of an answer. By
   * now it must have given its slot back.
   *
   * @returns false when it is not to be served again: no engine is being loaded, or this is its second time.
   */
  putBack(request: QueuedRequest): boolean {
    if (!this.isRestarting || this.#returned.has(request)) return false;
    this.#returned.add(request);
    this.#queue.putBack(request);
    return true;
  }

  /** After a run has failed: resolves when it is known whether the engine died. */
  async settled(): Promise<void> {
    if (this.#history !== undefined && !this.isRestarting) await turn();
  }

  /** No engine is loaded from now on. Resolves when no restart is going on. */
  async stop(): Promise<void> {
    this.#stop.abort();
    await this.#restarts;
  }

  #fail(error: unknown): void {
    this.#failure = error instanceof Error ? error : new Error(String(error));
    this.#observer.modelFailed(this.#model, error);
    this.#queue.removeAll(error);
  }

  async #restart(delayMs: number): Promise<void> {
    const { signal } = this.#stop;
    await this.#queue.idle();
    // Where it fails, onLost() is called first.
    await this.#engine.restart(() => this.#wait(delayMs), signal).catch(() => undefined);
    this.#lost--;
    if (this.#lost > 0 || this.#failure !== undefined || signal.aborted) return;
    this.#history?.loaded();
    this.#queue.resume();
  }

  /** An abort ends it early. */
  #wait(ms: number): Promise<void> {
    const { signal } = this.#stop;
    return new Promise((resolve) => {
      const end = (): void => {
        clearTimeout(this.#delay);
        this.#delay = undefined;
        unsubscribe();
        resolve();
      };
      const unsubscribe = onAbort(signal, end);
      this.#delay = setTimeout(end, ms);
      this.#holdProcess();
      if (signal.aborted) end();
    });
  }

  /** The process must not end while somebody waits, and must not be kept when nobody does. */
  #holdProcess(): void {
    if (this.#queue.pending > 0) this.#delay?.ref();
    else this.#delay?.unref();
  }
}
