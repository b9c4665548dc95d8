import { decode, type Decoding } from '../../../lib/backends/onnx/decode-loop.js';
import { fixedChunks } from '../../../lib/backends/onnx/prefill-chunks.js';

const cell = new Int32Array(new SharedArrayBuffer(4));

/**
 * Runs of a graph that block the thread, as ONNX Runtime does, longer than is short. Which of them the abort comes in, its number
 * says: as a message, which waits for the event loop.
 */
function decodeWith(abortIn: number): { runs: number[]; done: ReturnType<typeof decode> } {
  const stop = new AbortController();
  const runs: number[] = [];
  const compute = (tokens: Int32Array): Promise<Float32Array> => {
    runs.push(tokens.length);
    Atomics.wait(cell, 0, 0, 20);
    if (runs.length === abortIn) setImmediate(() => stop.abort());
    return Promise.resolve(new Float32Array(1));
  };
  const decoding: Decoding = {
    prompt: new Int32Array(12),
    chooser: { next: () => 1 },
    eosTokenIds: new Set<number>(),
    limit: 4,
    chunks: fixedChunks(4),
    startedAt: 0,
    pacer: undefined,
    stop: stop.signal,
    emit: () => undefined,
  };
  return {
    runs,
    done: decode({ rewindTo: () => 0, textToRecompute: () => undefined, smallestChunk: 0, compute }, decoding),
  };
}

it.each([
  ['the first chunk', 1, [4]],
  ['a chunk', 2, [4, 4]],
  ['the last chunk', 3, [4, 4, 4]],
  ['a token', 5, [4, 4, 4, 1, 1]],
])('an abort in %s is heard at its end', async (_, abortIn, expected) => {
  const { runs, done } = decodeWith(abortIn);
  expect((await done).reason).toBe('aborted');
  expect(runs).toEqual(expected);
});
