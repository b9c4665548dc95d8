import timers from 'node:timers/promises';

/**
 * A turn of the event loop. Taken once: a test runner's fake timers replace it, and what needs no time must come all the same.
 */
export const turn = timers.setImmediate;

/** What delays are measured with. */
export interface Clock {
  /** Milliseconds since some moment. */
  now(): number;
  /**
   * Resolves after `ms` milliseconds, after a turn of the event loop when that is 0. Rejects with `signal.reason` when
   * the signal aborts first.
   */
  sleep(ms: number, signal?: AbortSignal): Promise<void>;
}

/** The real time. */
export const realClock: Clock = {
  now: () => performance.now(),
  // Looked up at each call: fake timers that also replace node:timers/promises rule these delays.
  sleep: (ms, signal) => (ms === 0 ? turn() : timers.setTimeout(ms, undefined, signal === undefined ? {} : { signal })),
};
