import type { ModelHandle, NativeAddon, RunHandle } from './addon.js';

/** How soon a run that was just entering the runtime is asked again. It is in within microseconds. */
export const askAgainMs = 10;

/** Stops one run, and notices when the runtime does not come back. */
export class AbortWatch {
  readonly #ask: () => boolean;
  readonly #timeoutMs: number;
  readonly #onHung: () => void;
  #over = false;
  #again: NodeJS.Timeout | undefined;
  #limit: NodeJS.Timeout | undefined;

  /** `onHung` is called once, `timeoutMs` after the first {@link abort} of a run that has not ended by then. */
  constructor(
    addon: NativeAddon,
    model: ModelHandle,
    run: RunHandle,
    limit: { readonly timeoutMs: number; readonly onHung: () => void },
  ) {
    this.#ask = () => addon.abort(model, run);
    this.#timeoutMs = limit.timeoutMs;
    this.#onHung = limit.onHung;
  }

  abort(): void {
    if (this.#over || this.#limit !== undefined) return;
    this.#limit = setTimeout(this.#onHung, this.#timeoutMs);
    this.#askUntilHeard();
  }

  /** The run has ended. */
  end(): void {
    this.#over = true;
    clearTimeout(this.#again);
    clearTimeout(this.#limit);
  }

  #askUntilHeard(): void {
    if (!this.#ask()) this.#again = setTimeout(() => this.#askUntilHeard(), askAgainMs);
  }
}
