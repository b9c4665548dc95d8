import { RkllmError, isRkllmError } from './errors.js';

/** When an engine that dies is loaded again. Milliseconds. */
export interface RestartLimits {
  /** So many crashes within the window are the end. */
  readonly maxCrashes: number;
  readonly windowMs: number;
  /** Before the first restart; twice as long before each further one within the window. */
  readonly delayMs: number;
  readonly maxDelayMs: number;
}

/** What follows from a crash. */
export interface CrashVerdict {
  /** How many there were within the window. */
  readonly crashes: number;
  /** How long the engine was loaded between the first and the last of them. */
  readonly withinMs: number;
  /** How long to wait before the engine is loaded again; undefined: it is not. */
  readonly delayMs: number | undefined;
}

/**
 * Counts crashes. Its clock stands still while no engine is loaded: otherwise one that takes long to load, or to hang
 * there, would never have too many of them within the window.
 */
export class CrashHistory {
  readonly #limits: RestartLimits;
  /** When they happened, by that clock. */
  #crashes: readonly number[] = [];
  #servedMs = 0;
  #loadedAt: number | undefined = performance.now();

  constructor(limits: RestartLimits) {
    this.#limits = limits;
  }

  /** An engine is loaded again. */
  loaded(): void {
    this.#loadedAt = performance.now();
  }

  /** The engine has died, or could not be loaded because it died. */
  add(): CrashVerdict {
    const { maxCrashes, windowMs, delayMs, maxDelayMs } = this.#limits;
    if (this.#loadedAt !== undefined) this.#servedMs += performance.now() - this.#loadedAt;
    this.#loadedAt = undefined;
    this.#crashes = [...this.#crashes, this.#servedMs].filter((at) => this.#servedMs - at < windowMs);
    const crashes = this.#crashes.length;
    const delay = Math.min(delayMs * 2 ** Math.min(crashes - 1, 31), maxDelayMs); // beyond, it would become infinite
    return {
      crashes,
      withinMs: this.#servedMs - (this.#crashes[0] ?? 0),
      delayMs: crashes < maxCrashes ? delay : undefined,
    };
  }
}

/** @param cause - what the engine died of the last time. */
export function tooManyCrashes({ crashes, withinMs }: CrashVerdict, cause: unknown): RkllmError {
  const code = isRkllmError(cause) ? cause.code : 'RKLLM_WORKER_FAILED';
  const rounded = Math.round(withinMs);
  return new RkllmError(
    code,
    `The engine died ${String(crashes)} times within ${String(rounded)} ms (not counting the time that loading took), ` +
      'and is not loaded again.',
    {
      hint:
        'The cause says what it died of the last time. Load the model again when that is remedied, or allow more ' +
        'crashes with the option restart.',
      details: { crashes, withinMs: rounded },
      cause,
    },
  );
}
