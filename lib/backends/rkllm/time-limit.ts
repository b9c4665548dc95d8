/**
 * How long something may take that is told by an event. When the time is over, what has come by then is looked at first:
 * the application may have been busy itself for so long.
 */
export class TimeLimit {
  readonly #onOver: () => void;
  #timer: NodeJS.Timeout | undefined;
  #look: NodeJS.Immediate | undefined;

  constructor(onOver: () => void) {
    this.#onOver = onOver;
  }

  /** Since {@link start}, also when it is over, until {@link stop}. */
  get isSet(): boolean {
    return this.#timer !== undefined;
  }

  /** The time begins, or begins anew. */
  start(ms: number): void {
    this.stop();
    this.#timer = setTimeout(() => {
      this.#look = setImmediate(this.#onOver);
    }, ms);
  }

  /** It does not keep the event loop alive. */
  unref(): void {
    this.#timer?.unref();
  }

  /** It has come, or nobody waits for it any more. */
  stop(): void {
    clearTimeout(this.#timer);
    clearImmediate(this.#look);
    this.#timer = undefined;
  }
}
