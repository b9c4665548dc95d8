/** What a {@link StopMatcher} lets through. */
export interface Released {
  /** Text that is not, and cannot become, part of a stop sequence. */
  readonly text: string;
  /** The stop sequence that was found; nothing comes after it. */
  readonly matched: string | undefined;
  /** UTF-16 units of the piece behind the stop sequence. */
  readonly unread: number;
}

/**
 * Finds stop sequences in a text that arrives in pieces. What could be the beginning of one is held back until it is
 * clear that it is not, so that no part of a stop sequence is ever shown.
 */
export class StopMatcher {
  readonly #sequences: readonly string[];
  readonly #firsts: readonly string[];
  #held = '';

  constructor(sequences: readonly string[]) {
    this.#sequences = [...sequences];
    this.#firsts = [...new Set(sequences.map((sequence) => sequence.slice(0, 1)))];
  }

  /** Takes the next piece of the text. */
  push(piece: string): Released {
    // Most pieces begin nothing; in a flood the search would cost more than all the rest.
    if (this.#held === '' && !this.#canBeginIn(piece)) return { text: piece, matched: undefined, unread: 0 };
    const text = this.#held + piece;
    const match = this.#earliestIn(text);
    if (match !== undefined) {
      this.#held = '';
      const { index, sequence } = match;
      return { text: text.slice(0, index), matched: sequence, unread: text.length - index - sequence.length };
    }
    const keep = beginningAtEndOf(text, this.#sequences);
    this.#held = text.slice(text.length - keep);
    return { text: text.slice(0, text.length - keep), matched: undefined, unread: 0 };
  }

  /** The text has ended: what was held back was no stop sequence after all. */
  flush(): string {
    const rest = this.#held;
    this.#held = '';
    return rest;
  }

  #canBeginIn(piece: string): boolean {
    for (const first of this.#firsts) if (piece.includes(first)) return true;
    return false;
  }

  /**
   * Of several that match, the one that is complete first; of those, the longest. So the pieces in which the text
   * arrives make no difference.
   */
  #earliestIn(text: string): { index: number; sequence: string } | undefined {
    return this.#sequences
      .map((sequence) => ({ sequence, index: text.indexOf(sequence) }))
      .filter(({ index }) => index >= 0)
      .sort((a, b) => a.index + a.sequence.length - (b.index + b.sequence.length) || a.index - b.index)[0];
  }
}

/** How much of the end of a text could be the beginning of one of the sequences, at most. */
export function beginningAtEndOf(text: string, sequences: readonly string[]): number {
  let longest = 0;
  for (const sequence of sequences) {
    for (let length = Math.min(sequence.length - 1, text.length); length > longest; length--) {
      if (text.endsWith(sequence.slice(0, length))) longest = length;
    }
  }
  return longest;
}
