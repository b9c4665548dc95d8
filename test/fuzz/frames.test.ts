/** Frames are read as they were written, wherever they are cut; what is no frame gives a FrameError and nothing worse. */
import fc from 'fast-check';
import {
  FrameError,
  FrameReader,
  matrixFrame,
  messageFrame,
  tokensFrame,
  type Frame,
} from '../../lib/backends/rkllm/isolated/frames.js';

const runs = Number(process.env['RKLLM_FUZZ_RUNS'] ?? 2000);
const seed = Number(process.env['RKLLM_SEED'] ?? 1);
const settings = { numRuns: runs, seed };

/** What is written, and what has to be read of it. */
interface Written {
  readonly bytes: Buffer;
  readonly description: string;
}

const hex = ({ buffer, byteOffset, byteLength }: NodeJS.TypedArray): string =>
  Buffer.from(buffer as ArrayBuffer, byteOffset, byteLength).toString('hex');

/** Values of another realm, by what they are made of. */
function describeClone(value: unknown): string {
  const plain = (_: string, part: unknown): unknown =>
    ArrayBuffer.isView(part) ? [part.constructor.name, hex(part as NodeJS.TypedArray)] : part;
  return JSON.stringify([value], plain);
}

/** All that a frame says. */
function describeFrame(frame: Frame): string {
  if (frame.kind === 'message') return `message ${describeClone(frame.clone)}`;
  if (frame.kind === 'tokens') {
    const { bytes, tokenIds, ends, rows } = frame.batch;
    return `tokens ${frame.run} ${hex(bytes)} ${hex(tokenIds)} ${hex(ends)} ${rows === undefined ? '' : hex(rows)}`;
  }
  const { values, rows, columns } = frame.matrix;
  return `matrix ${describeClone(frame.clone)} ${hex(values)} ${rows}x${columns}`;
}

const clone = fc.oneof(
  fc.jsonValue(),
  fc.record({ type: fc.string(), values: fc.int32Array(), floats: fc.float32Array() }),
  fc.constant(undefined),
);

const message = clone.map((value): Written => ({
  bytes: Buffer.concat(messageFrame(value)),
  description: describeFrame({ kind: 'message', clone: value }),
}));

const tokens = fc
  .record({
    run: fc.nat(),
    hasRows: fc.boolean(),
    tokens: fc.array(fc.record({ id: fc.integer(), text: fc.string({ unit: 'binary' }), row: fc.nat(255) })),
  })
  .map(({ run, hasRows, tokens: list }): Written => {
    const texts = list.map(({ text }) => Buffer.from(text));
    const ends = texts.map((_, index) => texts.slice(0, index + 1).reduce((sum, text) => sum + text.length, 0));
    const batch = {
      bytes: Buffer.concat(texts),
      tokenIds: Int32Array.from(list, ({ id }) => id),
      ends: Uint32Array.from(ends),
      ...(hasRows && { rows: Uint8Array.from(list, ({ row }) => row) }),
    };
    return { bytes: tokensFrame(run, batch), description: describeFrame({ kind: 'tokens', run, batch }) };
  });

const matrix = fc
  .tuple(clone, fc.integer({ min: 0, max: 9 }), fc.integer({ min: 0, max: 9 }))
  .map(([value, rows, columns]): Written => {
    const values = Float32Array.from({ length: rows * columns }, (_, index) => index / 3);
    return {
      bytes: Buffer.concat(matrixFrame(value, { values, rows, columns })),
      description: describeFrame({ kind: 'matrix', clone: value, matrix: { values, rows, columns } }),
    };
  });

const sequence = fc.array(fc.oneof(message, tokens, matrix), { maxLength: 8 });
/** Where to cut, as parts of the whole. */
const cuts = fc.array(fc.double({ min: 0, max: 1, noNaN: true }), { maxLength: 12 });

function chunksOf(bytes: Buffer, at: readonly number[]): Buffer[] {
  const ends = [...at.map((part) => Math.floor(part * bytes.length)), bytes.length].sort((a, b) => a - b);
  // Copies: what comes from a socket is aligned in other ways than the whole.
  return ends.map((end, index) => Buffer.from(bytes.subarray(ends[index - 1] ?? 0, end)));
}

function read(chunks: readonly Buffer[]): string[] {
  const frames: string[] = [];
  const reader = new FrameReader((frame) => frames.push(describeFrame(frame)));
  for (const chunk of chunks) reader.take(chunk);
  return frames;
}

test(`frames are read back, wherever they are cut (seed ${seed})`, () => {
  fc.assert(
    fc.property(sequence, cuts, (written, at) => {
      const chunks = chunksOf(Buffer.concat(written.map(({ bytes }) => bytes)), at);
      expect(read(chunks)).toEqual(written.map(({ description }) => description));
    }),
    settings,
  );
});

test('byte by byte, too', () => {
  fc.assert(
    fc.property(sequence, (written) => {
      const whole = Buffer.concat(written.map(({ bytes }) => bytes));
      const single = Array.from(whole, (byte) => Buffer.of(byte));
      expect(read(single)).toEqual(written.map(({ description }) => description));
    }),
    { ...settings, numRuns: runs / 10 },
  );
});

/** Whether it can be read; anything but a FrameError is a mistake. */
function isReadable(chunks: readonly Buffer[]): boolean {
  try {
    read(chunks);
    return true;
  } catch (error) {
    if (error instanceof FrameError) return false;
    throw error;
  }
}

const damage = fc.oneof(
  fc.record({ kind: fc.constant('replace'), at: fc.nat(), bytes: fc.uint8Array({ minLength: 1, maxLength: 8 }) }),
  fc.record({ kind: fc.constant('insert'), at: fc.nat(), bytes: fc.uint8Array({ minLength: 1, maxLength: 8 }) }),
  fc.record({ kind: fc.constant('remove'), at: fc.nat(), bytes: fc.uint8Array({ minLength: 1, maxLength: 8 }) }),
);

test('whatever is damaged gives frames or a FrameError', () => {
  const seen = { readable: 0, refused: 0 };
  fc.assert(
    fc.property(sequence, fc.array(damage, { minLength: 1, maxLength: 3 }), cuts, (written, damages, at) => {
      let whole = Buffer.concat(written.map(({ bytes }) => bytes));
      for (const { kind, at: place, bytes } of damages) {
        const start = whole.length === 0 ? 0 : place % whole.length;
        const rest = whole.subarray(kind === 'insert' ? start : start + bytes.length);
        whole = Buffer.concat([whole.subarray(0, start), ...(kind === 'remove' ? [] : [bytes]), rest]);
      }
      seen[isReadable(chunksOf(whole, at)) ? 'readable' : 'refused']++;
    }),
    settings,
  );
  // The damage is worth something only while it reaches both.
  for (const count of Object.values(seen)) expect(count).toBeGreaterThan(runs / 20);
});

test('bytes that were never frames give a FrameError with the first eight', () => {
  fc.assert(
    fc.property(fc.uint8Array({ minLength: 8, maxLength: 64 }), (bytes) => {
      fc.pre(bytes[4] !== 0x4b || bytes[5] !== 0x52);
      expect(isReadable([Buffer.from(bytes)])).toBe(false);
    }),
    settings,
  );
});
