import type { Run, RunEnd, TokenBatch } from '../backend.js';
import { deferred } from '../../deferred.js';
import { TokenQueue } from './token-queue.js';

/** A run as its reader sees it; what arrives from the engine is put in by the client. */
export class ClientRun implements Run {
  readonly ended: Promise<RunEnd>;
  readonly #queue = new TokenQueue();
  readonly #end = deferred<RunEnd>();
  readonly #requestAbort: () => void;
  #wake: (() => void) | undefined;
  #hasTokens = false;
  #over = false;
  #aborted = false;

  constructor(requestAbort: () => void) {
    this.#requestAbort = requestAbort;
    this.ended = this.#end.promise;
    // A reader may look at the tokens first: a failure is then not yet handled, and still not forgotten.
    this.ended.catch(() => undefined);
  }

  drain(): TokenBatch | undefined {
    this.#hasTokens = false;
    return this.#queue.take();
  }

  readable(): Promise<void> {
    if (this.#hasTokens || this.#over) return Promise.resolve();
    return new Promise((resolve) => {
      this.#wake = resolve;
    });
  }

  abort(): void {
    if (this.#aborted || this.#over) return;
    this.#aborted = true;
    this.#requestAbort();
  }

  /** Takes tokens from the engine. */
  receive(batch: TokenBatch): void {
    this.#queue.append(batch);
    this.#hasTokens = true;
    this.#wakeReader();
  }

  /** Takes the engine's end of the run. */
  finish(end: RunEnd): void {
    this.#over = true;
    this.#end.resolve(end);
    this.#wakeReader();
  }

  /** Takes the engine's failure. */
  fail(error: unknown): void {
    this.#over = true;
    this.#end.reject(error);
    this.#wakeReader();
  }

  #wakeReader(): void {
    this.#wake?.();
    this.#wake = undefined;
  }
}
