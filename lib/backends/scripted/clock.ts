import { onAbort } from '../../abort-listeners.js';
import { RkllmError } from '../../errors.js';
import { describe } from '../../options/describe.js';
import { turn, type Clock } from '../clock.js';

/** A clock that stands still until the test moves it. */
export interface ManualClock extends Clock {
  /** How many delays it holds up. */
  readonly sleepers: number;
  /**
   * Moves the time on. What is due comes in the order in which it is due, each with what follows from it, before the
   * promise resolves. Calls that overlap add up.
   *
   * @param ms - milliseconds, 0 or more. 0 lets everything come that needs no time.
   * @throws RkllmError `RKLLM_INVALID_INPUT` (as a rejection).
   */
  advance(ms: number): Promise<void>;
}

interface Sleeper {
  readonly due: number;
  readonly wake: () => void;
}

/**
 * A clock for `scripted({ clock })` that the test moves: no test waits, and each sees the same. It needs no fake timers
 * and does not mind them. What is aborted or disposed with `{ abort: true }` ends without it.
 *
 * @example
 * const clock = manualClock();
 * const model = await loadModel(undefined, { backend: scripted({ reply: 'a b', prefillMs: 1000, clock }) });
 * const generation = model.generate('Hi');
 * await clock.advance(999); // still generation.state === 'prefill'
 * await clock.advance(1);
 */
export function manualClock(): ManualClock {
  return new SteppedClock();
}

class SteppedClock implements ManualClock {
  readonly #sleepers = new Set<Sleeper>();
  #now = 0;
  /** Delays of no length that are not over. */
  #turns = 0;
  #advanced: Promise<void> = Promise.resolve();

  get sleepers(): number {
    return this.#sleepers.size;
  }

  now(): number {
    return this.#now;
  }

  async sleep(ms: number, signal?: AbortSignal): Promise<void> {
    signal?.throwIfAborted();
    if (ms > 0) return this.#sleep(ms, signal);
    this.#turns++;
    await turn();
    this.#turns--;
  }

  async advance(ms: number): Promise<void> {
    if (typeof ms !== 'number' || !Number.isFinite(ms) || ms < 0) {
      throw new RkllmError('RKLLM_INVALID_INPUT', `A clock cannot advance by ${describe(ms)}.`, {
        hint: 'Pass a number of milliseconds, 0 or more.',
      });
    }
    this.#advanced = this.#advanced.then(() => this.#advance(ms));
    await this.#advanced;
  }

  #sleep(ms: number, signal: AbortSignal | undefined): Promise<void> {
    return new Promise((resolve, reject) => {
      const sleeper: Sleeper = {
        due: this.#now + ms,
        wake: () => {
          ignoreAbort();
          resolve();
        },
      };
      const abort = (): void => {
        this.#sleepers.delete(sleeper);
        reject(signal?.reason as Error);
      };
      const ignoreAbort = signal === undefined ? () => undefined : onAbort(signal, abort);
      this.#sleepers.add(sleeper);
    });
  }

  async #advance(ms: number): Promise<void> {
    const target = this.#now + ms;
    for (;;) {
      await this.#settle();
      const next = this.#earliest();
      if (next === undefined || next.due > target) break;
      this.#now = next.due;
      this.#sleepers.delete(next);
      next.wake();
    }
    this.#now = target;
  }

  /** Lets everything happen that needs no time. A turn runs every promise's reactions too. */
  async #settle(): Promise<void> {
    do await turn();
    while (this.#turns > 0);
  }

  /** Of those that are due at the same time, the one that slept first. */
  #earliest(): Sleeper | undefined {
    let earliest: Sleeper | undefined;
    for (const sleeper of this.#sleepers) if (earliest === undefined || sleeper.due < earliest.due) earliest = sleeper;
    return earliest;
  }
}
