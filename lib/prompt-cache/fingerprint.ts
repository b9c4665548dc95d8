import { createHash } from 'node:crypto';
import { open } from 'node:fs/promises';

const pieces = 32;
const pieceBytes = 64 * 1024;

/**
 * Tells a file from others without reading all of it, which takes minutes for a model: its size, and 64 KiB at each of 32
 * places from its beginning to its end. Other weights differ everywhere.
 *
 * @throws what reading it fails with.
 */
export async function fingerprintOf(path: string): Promise<string> {
  const hash = createHash('sha256');
  const file = await open(path, 'r');
  try {
    const { size } = await file.stat();
    hash.update(`${String(size)}\n`);
    const last = Math.max(0, size - pieceBytes);
    const starts = new Set(Array.from({ length: pieces }, (_, piece) => Math.floor((last * piece) / (pieces - 1))));
    for (const start of starts) {
      const { buffer, bytesRead } = await file.read(Buffer.alloc(pieceBytes), 0, pieceBytes, start);
      hash.update(buffer.subarray(0, bytesRead));
    }
  } finally {
    await file.close();
  }
  return hash.digest('hex');
}
