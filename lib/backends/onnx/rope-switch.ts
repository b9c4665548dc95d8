/**
 * LongRoPE models rotate the keys of a text of more tokens than a threshold by other factors, those of its first tokens too:
 * what is in the cache is of use only to a text on the same side. Graphs decide by the length of the attention mask.
 */
export class RopeSwitch {
  readonly #threshold: number;
  /** How the tokens in the cache were computed. */
  #isLong = false;

  /** @param threshold - undefined: the model has one set of factors. */
  constructor(threshold: number | undefined) {
    this.#threshold = threshold ?? Infinity;
  }

  /** Whether what has been computed is of no use to a text of so many tokens. */
  separates(tokens: number): boolean {
    return this.#isLong !== tokens > this.#threshold;
  }

  /** Says how long the text will be whose tokens are computed now. */
  begin(tokens: number): void {
    this.#isLong = tokens > this.#threshold;
  }

  /** A part of a long text must be computed in a run that is at least this long. */
  get shortestRun(): number {
    return this.#isLong ? this.#threshold + 1 : 0;
  }
}
