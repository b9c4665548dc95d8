import type { RunHandle } from './addon.js';
import type { NativeModel } from './native-model.js';
import { TimeLimit } from './time-limit.js';

/** How soon a run that was just entering the runtime is asked again. It is in within microseconds. */
export const askAgainMs = 10;

/** Stops one run, and gives the model up when the runtime does not come back. */
export class AbortWatch {
  readonly #model: NativeModel;
  readonly #run: RunHandle;
  #over = false;
  #again: NodeJS.Timeout | undefined;
  readonly #limit: TimeLimit;

  constructor(model: NativeModel, run: RunHandle) {
    this.#model = model;
    this.#run = run;
    this.#limit = new TimeLimit(() => model.giveUp('abort', model.patience.abortMs));
  }

  abort(): void {
    if (this.#over || this.#limit.isSet) return;
    this.#limit.start(this.#model.patience.abortMs);
    this.#askUntilHeard();
  }

  /** The run has ended. */
  end(): void {
    this.#over = true;
    clearTimeout(this.#again);
    this.#limit.stop();
  }

  #askUntilHeard(): void {
    const { driver, handle } = this.#model;
    if (!driver.abort(handle, this.#run)) this.#again = setTimeout(() => this.#askUntilHeard(), askAgainMs);
  }
}
