import type { NativeModel } from './native-model.js';
import type { HungWhile } from './native-errors.js';
import { TimeLimit } from './time-limit.js';

/** Gives the model up when something that is waited for does not come, but not while the caller's functions are. */
export class StallWatch {
  readonly #model: NativeModel;
  readonly #during: () => HungWhile;
  readonly #ms: number;
  readonly #limit = new TimeLimit(() => this.#expire());

  constructor(model: NativeModel, during: () => HungWhile, ms = model.patience.stallMs) {
    this.#model = model;
    this.#during = during;
    this.#ms = ms;
  }

  /** The waiting begins, or begins anew. */
  start(): void {
    this.#limit.start(this.#ms);
  }

  /** It has come. */
  stop(): void {
    this.#limit.stop();
  }

  #expire(): void {
    if (this.#model.router.asks) this.start();
    else this.#model.giveUp(this.#during(), this.#ms);
  }
}
