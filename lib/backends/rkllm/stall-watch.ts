import type { NativeModel } from './native-model.js';
import type { HungWhile } from './native-errors.js';
import { TimeLimit } from './time-limit.js';

/** Gives the model up when something that is waited for does not come. */
export class StallWatch {
  readonly #model: NativeModel;
  readonly #during: () => HungWhile;
  readonly #limit = new TimeLimit(() => this.#expire());

  constructor(model: NativeModel, during: () => HungWhile) {
    this.#model = model;
    this.#during = during;
  }

  /** The waiting begins, or begins anew. */
  start(): void {
    this.#limit.start(this.#model.patience.stallMs);
  }

  /** It has come. */
  stop(): void {
    this.#limit.stop();
  }

  #expire(): void {
    if (this.#model.router.asks) this.start();
    else this.#model.giveUp(this.#during(), this.#model.patience.stallMs);
  }
}
