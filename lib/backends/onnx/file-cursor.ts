import { readSync } from 'node:fs';

const windowBytes = 64 * 1024;

/** Reads protobuf's wire format from an open file. What is skipped is not read: weights may have gigabytes. */
export class FileCursor {
  readonly #descriptor: number;
  readonly #window = Buffer.alloc(windowBytes);
  #windowStart = 0;
  #windowLength = 0;
  position = 0;

  constructor(descriptor: number) {
    this.#descriptor = descriptor;
  }

  /** @throws RangeError at the end of the file, and for a number of more than 53 bits. */
  varint(): number {
    let value = 0;
    for (let scale = 1; ; scale *= 128) {
      const byte = this.#byte();
      value += (byte & 0x7f) * scale;
      // Negative numbers have ten bytes: none of those that are looked at is one.
      if (byte < 0x80) return value;
      if (scale > 2 ** 63) throw new RangeError('This is not a protobuf number.');
    }
  }

  text(length: number): string {
    if (length > windowBytes) throw new RangeError('This is not a protobuf name.');
    this.#fill(length);
    const start = this.position - this.#windowStart;
    this.position += length;
    return this.#window.toString('utf8', start, start + length);
  }

  #byte(): number {
    this.#fill(1);
    const byte = this.#window[this.position - this.#windowStart] ?? 0;
    this.position++;
    return byte;
  }

  #fill(length: number): void {
    const end = this.#windowStart + this.#windowLength;
    if (this.position >= this.#windowStart && this.position + length <= end) return;
    this.#windowStart = this.position;
    this.#windowLength = readSync(this.#descriptor, this.#window, 0, windowBytes, this.position);
    if (this.#windowLength < length) throw new RangeError('The file ends too early.');
  }
}

/** Takes the content of one field, or leaves it: what is not read is skipped. */
export type FieldReader = (field: number, length: number) => void;

/**
 * Goes through the fields of a message that ends at `end`. Fields that have a length are given to `read`, with the cursor at
 * their content; numbers are not.
 */
export function eachField(cursor: FileCursor, end: number, read: FieldReader): void {
  while (cursor.position < end) {
    const key = cursor.varint();
    const wireType = key % 8;
    if (wireType === 0) cursor.varint();
    else if (wireType === 1) cursor.position += 8;
    else if (wireType === 5) cursor.position += 4;
    else if (wireType === 2) {
      const length = cursor.varint();
      const next = cursor.position + length;
      if (next > end) throw new RangeError('A field is longer than what holds it.');
      read(Math.floor(key / 8), length);
      cursor.position = next;
    } else throw new RangeError('This is not protobuf.');
  }
}
