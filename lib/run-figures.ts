import type { RunEnd } from './backends/backend.js';
import { totalsOf, type Figures } from './totals.js';
import { timingsOf, usageOf, type Moments } from './usage.js';

/** What an answer takes, over the runs of the engine that it is made of: mostly one. */
export class RunFigures {
  /** What the engine counts of the present run's prompt may be the rest of it. */
  keepsPrompts = false;
  readonly #called: number;
  /** Of the runs before the present one. */
  readonly #before: Figures[] = [];
  #tokensBefore = 0;
  #moments: Moments;

  constructor(called: number) {
    this.#called = called;
    this.#moments = { called };
  }

  /** Tokens that were written before the present run. */
  get tokensBefore(): number {
    return this.#tokensBefore;
  }

  /** Nothing of what was measured so far counts, but the time since the call. */
  reset(): void {
    this.#moments = { called: this.#called };
  }

  reloading(): void {
    this.#moments.reloading = performance.now();
  }

  reloaded(): void {
    this.#moments.reloaded = performance.now();
  }

  /** The engine is there for it. */
  started(): void {
    this.#moments.started = performance.now();
  }

  /** A token has come. */
  written(now: number): void {
    this.#moments.firstToken ??= now;
    this.#moments.lastToken = now;
  }

  /**
   * A run has ended, and the answer goes on in another one, at once.
   *
   * @param outputTokens - of the answer so far.
   */
  next(end: RunEnd, outputTokens: number): void {
    this.#before.push(this.#figures(end, outputTokens));
    this.#tokensBefore = outputTokens;
    this.#moments = { called: performance.now() };
  }

  /**
   * @param end - of the last run; undefined when it was not begun.
   * @param outputTokens - of the answer.
   */
  total(end: RunEnd | undefined, outputTokens: number): Figures {
    const isNone = end === undefined && this.#before.length > 0;
    return totalsOf(isNone ? this.#before : [...this.#before, this.#figures(end, outputTokens)]);
  }

  #figures(end: RunEnd | undefined, outputTokens: number): Figures {
    const usage = usageOf(end, outputTokens - this.#tokensBefore, this.keepsPrompts);
    return { usage, timings: timingsOf(this.#moments, end, usage, performance.now()) };
  }
}
