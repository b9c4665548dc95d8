import { StringDecoder } from 'node:string_decoder';
import type { TokenBatch } from './backends/backend.js';

/** The text of tokens between which characters may be split. */
export class TokenDecoder {
  /** Splits and replaces like a streaming TextDecoder, at a fraction of the cost and with one-byte strings. */
  readonly #decoder = new StringDecoder('utf8');
  /** The last three bytes, packed: no more of them can wait for the rest of their character. */
  #tail = 0;
  /** The same before what was decoded last. */
  #tailBefore = 0;

  /** The text of the tokens of a batch from `from` up to `to`, and of what was not complete before them. */
  decode({ ends, bytes }: TokenBatch, from: number, to: number): string {
    const written = bytes.subarray(ends[from - 1], ends[to - 1]);
    this.#tailBefore = this.#tail;
    const { length } = written;
    for (let i = Math.max(length - 3, 0); i < length; i++)
      this.#tail = ((this.#tail << 8) | (written[i] ?? 0)) & 0xffffff;
    return this.#decoder.write(written);
  }

  /** How many of the tokens that were decoded last, given again, it takes to get so many UTF-16 units of their text. */
  tokensFor(units: number, { ends, bytes }: TokenBatch, from: number, to: number): number {
    const again = new StringDecoder('utf8');
    again.write(Uint8Array.of(this.#tailBefore >> 16, this.#tailBefore >> 8, this.#tailBefore));
    let next = from;
    for (let missing = units; missing > 0 && next < to; next++) {
      missing -= again.write(bytes.subarray(ends[next - 1], ends[next])).length;
    }
    return next - from;
  }

  /** The text has ended: a character that is not complete is replaced. */
  end(): string {
    return this.#decoder.end();
  }
}
