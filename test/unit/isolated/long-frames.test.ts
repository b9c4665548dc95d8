import { FrameReader, tokensFrame, tokensFrames } from '../../../lib/backends/rkllm/isolated/frames.js';
import type { TokenBatch } from '../../../lib/backends/backend.js';

const texts = ['a', '', 'Grüße', '你好', '', '🙂', 'x'.repeat(40)];
const ends = Uint32Array.from(texts, (_, index) => Buffer.byteLength(texts.slice(0, index + 1).join('')));
const batch = { bytes: Buffer.from(texts.join('')), tokenIds: Int32Array.from(texts, (_, index) => index - 1), ends };

function read(frames: readonly Buffer[]): TokenBatch[] {
  const batches: TokenBatch[] = [];
  const reader = new FrameReader((frame) => {
    if (frame.kind !== 'tokens') throw new Error(frame.kind);
    expect(frame.run).toBe(7);
    batches.push(frame.batch);
  });
  for (const frame of frames) reader.take(frame);
  return batches;
}

/** Each token with its text and its row. */
function tokensOf({ bytes, tokenIds, ends, rows }: TokenBatch): unknown[] {
  return Array.from(tokenIds, (id, index) => [
    id,
    Buffer.from(bytes).toString('utf8', ends[index - 1] ?? 0, ends[index]),
    rows?.[index],
  ]);
}

test('tokens that are not too many are one frame', () => {
  expect(tokensFrames(7, batch)).toEqual([tokensFrame(7, batch)]);
});

test.each([undefined, Uint8Array.from(texts, (_, index) => index % 3)])('others are several, in order', (rows) => {
  const tokens = rows === undefined ? batch : { ...batch, rows };
  for (const mostBytes of [1, 40, 70, 90, 120]) {
    const frames = tokensFrames(7, tokens, mostBytes);
    expect(frames.length).toBeGreaterThan(1);
    const batches = read(frames);
    expect(batches.flatMap(tokensOf)).toEqual(tokensOf(tokens));
    // What one token needs it gets.
    const tooLong = frames.filter(
      (frame, index) => frame.length > mostBytes + 8 && batches[index]?.tokenIds.length !== 1,
    );
    expect(tooLong).toEqual([]);
  }
});
