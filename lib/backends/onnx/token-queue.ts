import type { TokenBatch } from '../backend.js';

/** Packs tokens until they are taken. */
export class TokenQueue {
  #ids: number[] = [];
  #ends: number[] = [];
  #bytes = new Uint8Array(256);
  #length = 0;

  push(id: number, bytes: Uint8Array): void {
    const needed = this.#length + bytes.length;
    if (needed > this.#bytes.length) {
      const larger = new Uint8Array(Math.max(needed, 2 * this.#bytes.length));
      larger.set(this.#bytes.subarray(0, this.#length));
      this.#bytes = larger;
    }
    this.#bytes.set(bytes, this.#length);
    this.#length = needed;
    this.#ids.push(id);
    this.#ends.push(needed);
  }

  /** Appends a packed batch. */
  append(batch: TokenBatch): void {
    let start = 0;
    batch.ends.forEach((end, i) => {
      this.push(batch.tokenIds[i] ?? 0, batch.bytes.subarray(start, end));
      start = end;
    });
  }

  /** Everything since the last call, or undefined when there is nothing. */
  take(): TokenBatch | undefined {
    if (this.#ids.length === 0) return undefined;
    const batch: TokenBatch = {
      bytes: this.#bytes.slice(0, this.#length),
      tokenIds: Int32Array.from(this.#ids),
      ends: Uint32Array.from(this.#ends),
    };
    this.#ids = [];
    this.#ends = [];
    this.#length = 0;
    return batch;
  }
}
