import type { NativeModel } from './native-model.js';
import type { HungWhile } from './native-errors.js';

/** Gives the model up when something that is waited for does not come. */
export class StallWatch {
  readonly #model: NativeModel;
  readonly #during: () => HungWhile;
  #limit: NodeJS.Timeout | undefined;

  constructor(model: NativeModel, during: () => HungWhile) {
    this.#model = model;
    this.#during = during;
  }

  /** The waiting begins, or begins anew. */
  start(): void {
    clearTimeout(this.#limit);
    const { stallMs } = this.#model.patience;
    this.#limit = setTimeout(() => {
      // After an application that was busy itself for so long, what has come meanwhile is looked at first.
      setImmediate(() => this.#expire(stallMs));
    }, stallMs);
  }

  /** It has come. */
  stop(): void {
    clearTimeout(this.#limit);
    this.#limit = undefined;
  }

  #expire(afterMs: number): void {
    if (this.#limit === undefined) return;
    if (this.#model.router.asks) this.start();
    else this.#model.giveUp(this.#during(), afterMs);
  }
}
