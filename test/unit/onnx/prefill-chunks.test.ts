import { AdaptiveChunks, fixedChunks } from '../../../lib/backends/onnx/prefill-chunks.js';

/** Computes chunks of a long prompt, each in the time that `ms` says; returns their sizes. */
function prefill(chunks: AdaptiveChunks, count: number, ms: (tokens: number) => number): number[] {
  return Array.from({ length: count }, () => {
    const { size } = chunks;
    chunks.measured(size, ms(size));
    return size;
  });
}

/** A run of a graph costs something by itself, and each token costs more. */
const machine = (run: number, token: number) => (tokens: number) => run + token * tokens;

it('grow on a fast machine, and not further than is of use', () => {
  expect(prefill(new AdaptiveChunks(), 7, machine(1, 0.5))).toEqual([4, 8, 16, 32, 64, 64, 64]);
});

it.each([
  ['many cores', 20, 4],
  ['two cores, as a model of 3.8 billion parameters was measured', 145, 28],
  ['few cores, by the token only', 0, 40],
  ['few cores, by the run mostly', 160, 1],
])('take less than 250 ms before and after answers: %s', (_, run, token) => {
  const chunks = new AdaptiveChunks();
  const ms = machine(run, token);
  for (let turn = 0; turn < 5; turn++) {
    const sizes = prefill(chunks, 20, ms);
    // The first ones are tried.
    for (const size of sizes.slice(turn === 0 ? 5 : 0)) expect(ms(size)).toBeLessThan(250);
    for (let i = 0; i < 10; i++) chunks.measured(1, ms(1));
  }
});

it('use the time that they have', () => {
  const chunks = new AdaptiveChunks();
  const ms = machine(20, 4);
  chunks.measured(1, ms(1));
  prefill(chunks, 10, ms);
  expect(ms(chunks.size)).toBeGreaterThan(150);
});

it('are not smaller than is of use where a token alone takes longer than that', () => {
  const chunks = new AdaptiveChunks();
  const ms = machine(1000, 50);
  prefill(chunks, 20, ms);
  for (let i = 0; i < 3; i++) chunks.measured(1, ms(1));
  prefill(chunks, 10, ms);
  expect(chunks.size).toBeGreaterThanOrEqual(8);
  expect(ms(chunks.size)).toBeLessThanOrEqual(1.4 * ms(1));
});

it('recover from a run that took long by chance, such as the first, which reads weights from the disk', () => {
  const chunks = new AdaptiveChunks();
  chunks.measured(4, 30_000);
  expect(chunks.size).toBe(1);
  chunks.measured(1, 30_000);
  expect(prefill(chunks, 7, machine(1, 0.5))).toEqual([2, 4, 8, 16, 32, 64, 64]);
  chunks.measured(64, 5000);
  expect(chunks.size).toBeLessThan(8);
  expect(prefill(chunks, 7, machine(1, 0.5)).at(-1)).toBe(64);
});

it('become smaller as the context becomes longer', () => {
  const chunks = new AdaptiveChunks();
  prefill(chunks, 10, machine(1, 3));
  expect(chunks.size).toBe(64);
  prefill(chunks, 10, machine(1, 12));
  expect(chunks.size).toBeLessThanOrEqual(16);
});

it('are not judged by the end of a prompt, nor by the tokens of an answer', () => {
  const chunks = new AdaptiveChunks();
  prefill(chunks, 10, machine(1, 0.5));
  chunks.measured(3, 5);
  chunks.measured(1, 4);
  expect(chunks.size).toBe(64);
});

it('that were chosen stay as they are', () => {
  const chunks = fixedChunks(16);
  chunks.measured(16, 10_000);
  expect(chunks.size).toBe(16);
});
