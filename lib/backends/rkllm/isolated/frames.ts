/**
 * What crosses between the process of the application and that of the runtime, on one socket pair: frames, each a head
 * of 8 bytes and a body. Tokens and matrices are packed; everything else is a structured clone. Nothing is JSON. Both
 * ends are this package on one machine, so numbers are in the machine's byte order.
 */
import { deserialize, serialize } from 'node:v8';
import type { TokenBatch } from '../../backend.js';
import type { Matrix } from '../../runtime-controls.js';

/** What a body is. */
const kinds = { message: 1, tokens: 2, matrix: 3 } as const;
type Kind = (typeof kinds)[keyof typeof kinds];

/** A body is no longer than this; a head that says otherwise is no head. */
const longest: Readonly<Record<Kind, number>> = {
  [kinds.message]: 2 ** 30,
  [kinds.tokens]: 2 ** 28,
  [kinds.matrix]: 2 ** 32 - 8,
};

const headBytes = 8;
const mark = 0x524b;

/** One frame, read. `clone` is whatever was given to {@link messageFrame} or {@link matrixFrame}. */
export type Frame =
  | { readonly kind: 'message'; readonly clone: unknown }
  | { readonly kind: 'tokens'; readonly run: number; readonly batch: TokenBatch }
  | { readonly kind: 'matrix'; readonly clone: unknown; readonly matrix: Matrix };

/** What comes is no frame of ours: the other end has lost its mind, or is none. */
export class FrameError extends Error {
  override readonly name = 'FrameError';
}

/** A structured clone of plain values and typed arrays. */
export function messageFrame(value: unknown): Buffer[] {
  const body = serialize(value);
  return [head(kinds.message, body.byteLength), body];
}

/** The tokens of one wake-up. */
export function tokensFrame(run: number, batch: TokenBatch): Buffer {
  const { bytes, tokenIds, ends, rows } = batch;
  const count = tokenIds.length;
  const length = tokensLength(batch);
  const frame = Buffer.allocUnsafe(headBytes + length);
  writeHead(frame, kinds.tokens, length);
  const numbers = [run, count, rows === undefined ? 0 : 1];
  frame.set(bytesOf(Uint32Array.from(numbers)), headBytes);
  let offset = headBytes + 12;
  for (const column of rows === undefined ? [tokenIds, ends, bytes] : [tokenIds, ends, rows, bytes]) {
    frame.set(bytesOf(column), offset);
    offset += column.byteLength;
  }
  return frame;
}

/** Likewise; in several frames where the other end has not read for so long that the tokens are too many for one. */
export function tokensFrames(run: number, batch: TokenBatch, mostBytes = longest[kinds.tokens]): Buffer[] {
  const count = batch.tokenIds.length;
  if (count < 2 || tokensLength(batch) <= mostBytes) return [tokensFrame(run, batch)];
  const half = Math.floor(count / 2);
  return [part(batch, 0, half), part(batch, half, count)].flatMap((tokens) => tokensFrames(run, tokens, mostBytes));
}

function tokensLength({ tokenIds, bytes, rows }: TokenBatch): number {
  return 12 + tokenIds.length * (rows === undefined ? 8 : 9) + bytes.byteLength;
}

function part({ bytes, tokenIds, ends, rows }: TokenBatch, from: number, to: number): TokenBatch {
  const start = ends[from - 1] ?? 0;
  const tokens = {
    bytes: bytes.subarray(start, ends[to - 1]),
    tokenIds: tokenIds.subarray(from, to),
    ends: ends.subarray(from, to).map((end) => end - start),
  };
  return rows === undefined ? tokens : { ...tokens, rows: rows.subarray(from, to) };
}

/** A matrix and what there is to say about it. The matrix is written from where it is, and read into where it stays. */
export function matrixFrame(value: unknown, { values, rows, columns }: Matrix): Buffer[] {
  const clone = serialize(value);
  const start = matrixStart(clone.byteLength);
  const prelude = Buffer.alloc(headBytes + start);
  writeHead(prelude, kinds.matrix, start + values.byteLength);
  prelude.set(bytesOf(Uint32Array.of(clone.byteLength, rows, columns)), headBytes);
  prelude.set(clone, headBytes + 12);
  return [prelude, bytesOf(values)];
}

/** Reads frames from chunks that end anywhere. */
export class FrameReader {
  readonly #onFrame: (frame: Frame) => void;
  readonly #head = Buffer.alloc(headBytes);
  #headFilled = 0;
  #kind: Kind = kinds.message;
  #body: Buffer | undefined;
  #bodyFilled = 0;

  constructor(onFrame: (frame: Frame) => void) {
    this.#onFrame = onFrame;
  }

  /** @throws FrameError; what comes after that cannot be read. */
  take(chunk: Buffer): void {
    let offset = 0;
    while (offset < chunk.byteLength) {
      offset += this.#body === undefined ? this.#takeHead(chunk, offset) : this.#takeBody(this.#body, chunk, offset);
    }
  }

  /** Takes a head; with it also the body, where the chunk has all of it. */
  #takeHead(chunk: Buffer, offset: number): number {
    const copied = chunk.copy(this.#head, this.#headFilled, offset);
    this.#headFilled += copied;
    if (this.#headFilled < headBytes) return copied;
    this.#headFilled = 0;
    const { kind, length } = readHead(this.#head);
    this.#kind = kind;
    const start = offset + copied;
    if (chunk.byteLength - start >= length) {
      this.#onFrame(readBody(kind, chunk.subarray(start, start + length)));
      return copied + length;
    }
    this.#body = allocate(length);
    this.#bodyFilled = 0;
    return copied;
  }

  #takeBody(body: Buffer, chunk: Buffer, offset: number): number {
    const copied = chunk.copy(body, this.#bodyFilled, offset);
    this.#bodyFilled += copied;
    if (this.#bodyFilled === body.byteLength) {
      this.#body = undefined;
      this.#onFrame(readBody(this.#kind, body));
    }
    return copied;
  }
}

/** Memory that the system gives when it is written to. */
function allocate(length: number): Buffer {
  try {
    return Buffer.from(new ArrayBuffer(length));
  } catch (cause) {
    throw new FrameError(`there is no memory for a frame of ${length} bytes`, { cause });
  }
}

function head(kind: Kind, length: number): Buffer {
  const buffer = Buffer.allocUnsafe(headBytes);
  writeHead(buffer, kind, length);
  return buffer;
}

function writeHead(buffer: Buffer, kind: Kind, length: number): void {
  if (length > longest[kind]) throw new RangeError(`A frame of ${length} bytes is too long.`);
  buffer.writeUInt32LE(length, 0);
  buffer.writeUInt16LE(mark, 4);
  buffer.writeUInt16LE(kind, 6);
}

function readHead(buffer: Buffer): { readonly kind: Kind; readonly length: number } {
  const length = buffer.readUInt32LE(0);
  const kind = buffer.readUInt16LE(6) as Kind;
  if (buffer.readUInt16LE(4) !== mark || !(kind in longest) || length > longest[kind] || length === 0) {
    throw new FrameError(`${buffer.toString('hex')} is not the head of a frame`);
  }
  return { kind, length };
}

function readBody(kind: Kind, body: Buffer): Frame {
  try {
    if (kind === kinds.tokens) return readTokens(body);
    if (kind === kinds.matrix) return readMatrix(body);
    return { kind: 'message', clone: deserialize(body) as unknown };
  } catch (cause) {
    throw cause instanceof FrameError ? cause : new FrameError('a frame cannot be read', { cause });
  }
}

function readTokens(body: Buffer): Frame {
  const [run = 0, count = 0, hasRows = 0] = aligned(Uint32Array, body, 0, 3);
  const idsAt = 12;
  const endsAt = idsAt + 4 * count;
  const rowsAt = endsAt + 4 * count;
  const bytesAt = rowsAt + (hasRows === 0 ? 0 : count);
  if (bytesAt > body.byteLength) throw new FrameError(`a frame of ${body.byteLength} bytes has no ${count} tokens`);
  const bytes = body.subarray(bytesAt);
  const ends = aligned(Uint32Array, body, endsAt, count);
  if (!areEnds(ends, bytes.byteLength)) throw new FrameError('the tokens of a frame do not end where its text does');
  const tokenIds = aligned(Int32Array, body, idsAt, count);
  const batch = { bytes, tokenIds, ends };
  return { kind: 'tokens', run, batch: hasRows === 0 ? batch : { ...batch, rows: body.subarray(rowsAt, bytesAt) } };
}

function areEnds(ends: Uint32Array, byteLength: number): boolean {
  let before = 0;
  for (const end of ends) {
    if (end < before) return false;
    before = end;
  }
  return before === byteLength;
}

function readMatrix(body: Buffer): Frame {
  const [cloneBytes = 0, rows = 0, columns = 0] = aligned(Uint32Array, body, 0, 3);
  const start = matrixStart(cloneBytes);
  const floats = rows * columns;
  if (start + 4 * floats !== body.byteLength) {
    throw new FrameError(`a frame of ${body.byteLength} bytes has no ${rows} by ${columns} matrix`);
  }
  const clone: unknown = deserialize(body.subarray(12, 12 + cloneBytes));
  return { kind: 'matrix', clone, matrix: { values: aligned(Float32Array, body, start, floats), rows, columns } };
}

/** Floats start at a multiple of 8, so that they can stay where they were read. */
function matrixStart(cloneBytes: number): number {
  return Math.ceil((12 + cloneBytes) / 8) * 8;
}

interface NumbersOf<T> {
  new (buffer: ArrayBuffer, offset: number, length: number): T;
  readonly BYTES_PER_ELEMENT: number;
}

/** A view where the bytes happen to be aligned, else a copy. */
function aligned<T>(Numbers: NumbersOf<T>, body: Buffer, offset: number, count: number): T {
  const byteLength = count * Numbers.BYTES_PER_ELEMENT;
  if (offset + byteLength > body.byteLength) throw new FrameError('a frame is shorter than it says');
  const buffer = body.buffer as ArrayBuffer;
  const at = body.byteOffset + offset;
  if (at % Numbers.BYTES_PER_ELEMENT === 0) return new Numbers(buffer, at, count);
  return new Numbers(buffer.slice(at, at + byteLength), 0, count);
}

function bytesOf({ buffer, byteOffset, byteLength }: NodeJS.TypedArray): Buffer {
  return Buffer.from(buffer as ArrayBuffer, byteOffset, byteLength);
}
