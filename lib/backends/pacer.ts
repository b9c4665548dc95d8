import { paceMs, type Pace } from '../options/pace.js';
import { realClock, type Clock } from './clock.js';

/**
 * Keeps an engine from being faster than a device: after each piece of work it waits until that device would be there. What an
 * engine takes longer for is not made up later, as a device would not.
 */
export class Pacer {
  readonly #pace: Pace;
  readonly #clock: Clock;
  /** When the device has done what was done. */
  #due = 0;

  /** @param clock - measures the work, and waits. */
  constructor(pace: Pace, clock: Clock = realClock) {
    this.#pace = pace;
    this.#clock = clock;
  }

  /** A run begins now. */
  begin(): void {
    this.#due = this.#clock.now();
  }

  /** So many tokens of a prompt have been computed. Resolves early when the signal aborts. */
  prefilled(tokens: number, signal: AbortSignal): Promise<void> {
    return this.#wait(paceMs(this.#pace.prefillTokensPerSecond, tokens), signal);
  }

  /** A token of the answer has been computed. Resolves early when the signal aborts. */
  decoded(signal: AbortSignal): Promise<void> {
    return this.#wait(paceMs(this.#pace.decodeTokensPerSecond, 1), signal);
  }

  async #wait(ms: number, signal: AbortSignal): Promise<void> {
    const now = this.#clock.now();
    this.#due = Math.max(now, this.#due + ms);
    if (this.#due === now || signal.aborted) return;
    await this.#clock.sleep(this.#due - now, signal).catch((error: unknown) => {
      if (!signal.aborted) throw error;
    });
  }
}
