import { readSync } from 'node:fs';

/** Bytes of an open file; fewer than asked for where it ends. */
export function readAt(descriptor: number, position: number, length: number): Buffer {
  const buffer = Buffer.alloc(length);
  return buffer.subarray(0, readSync(descriptor, buffer, 0, length, position));
}
