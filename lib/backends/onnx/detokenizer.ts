import type { TokenTable } from './token-table.js';

const space = 0x20;

/** Turns the tokens of one answer into bytes, one at a time. Characters may be split between tokens. */
export class Detokenizer {
  readonly #table: TokenTable;
  #spacesToStrip: number;

  /** @param previous - the last token of the prompt: after a control token a text begins, after others it goes on. */
  constructor(table: TokenTable, previous: number | undefined) {
    this.#table = table;
    const begins = previous === undefined || table.bytesOf(previous).length === 0;
    this.#spacesToStrip = begins ? table.leadingSpaces : 0;
  }

  /** Spaces that the next text loses at its start. */
  get spacesToStrip(): number {
    return this.#spacesToStrip;
  }

  next(id: number): Uint8Array {
    const bytes = this.#table.bytesOf(id);
    if (this.#spacesToStrip === 0 || bytes.length === 0) return bytes;
    let stripped = 0;
    while (stripped < this.#spacesToStrip && bytes[stripped] === space) stripped++;
    // Text that is not a space ends the search; a token of spaces only leaves the rest to the next one.
    this.#spacesToStrip = stripped === bytes.length ? this.#spacesToStrip - stripped : 0;
    return bytes.subarray(stripped);
  }
}
