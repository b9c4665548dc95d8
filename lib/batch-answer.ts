import { StringDecoder } from 'node:string_decoder';
import type { BatchAnswer } from './backends/runtime-controls.js';

/** What one row of a batch has given so far. */
export class RowText {
  readonly #decoder = new StringDecoder('utf8');
  readonly #tokenIds: number[] = [];
  #text = '';
  #piece = '';
  #pieceTokenIds: number[] = [];
  /** The engine has said that the row is complete. */
  ended = false;

  get tokens(): number {
    return this.#tokenIds.length;
  }

  /** A token of the row; a negative id says that there are no more. */
  take(id: number, bytes: Uint8Array): void {
    if (id < 0) {
      this.end();
      return;
    }
    this.#tokenIds.push(id);
    this.#pieceTokenIds.push(id);
    this.#piece += this.#decoder.write(bytes);
  }

  /** What is left of an incomplete character becomes U+FFFD; without a call it is left out. */
  end(): void {
    this.ended = true;
    this.#piece += this.#decoder.end();
  }

  /** Gives what is new, unless it is only part of a character; at the end also tokens without text. */
  deliver(to: ((text: string, tokenIds: readonly number[]) => void) | undefined, atEnd = false): void {
    const text = this.#piece;
    const tokenIds = this.#pieceTokenIds;
    if (text === '' && !(atEnd && tokenIds.length > 0)) return;
    this.#text += text;
    this.#piece = '';
    this.#pieceTokenIds = [];
    to?.(text, tokenIds);
  }

  toAnswer(finishReason: BatchAnswer['finishReason']): BatchAnswer {
    return { text: this.#text, tokenIds: this.#tokenIds, finishReason };
  }
}
