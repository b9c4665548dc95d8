/** What has arrived of a run is given in order, and never so much at once that the event loop stands still. */
import type { TokenBatch } from '../../../lib/backends/backend.js';
import { RemoteRun } from '../../../lib/backends/rkllm/isolated/remote-run.js';

/** Tokens of two bytes, with ids that count up; of a batch of rows, the row is the id's last bit. */
function batchOf(first: number, count: number, hasRows: boolean): TokenBatch {
  const tokenIds = Int32Array.from({ length: count }, (_, index) => first + index);
  return {
    bytes: Buffer.from(Array.from(tokenIds, (id) => String.fromCharCode(97 + (id % 26)).repeat(2)).join('')),
    tokenIds,
    ends: Uint32Array.from({ length: count }, (_, index) => 2 * (index + 1)),
    ...(hasRows && { rows: Uint8Array.from(tokenIds, (id) => id & 1) }),
  };
}

function drainAll(run: RemoteRun): TokenBatch[] {
  const drained: TokenBatch[] = [];
  for (let batch = run.drain(); batch !== undefined; batch = run.drain()) drained.push(batch);
  return drained;
}

describe.each([false, true])('with rows: %s', (hasRows) => {
  test('small batches come as one, large ones in parts, and all in order', () => {
    const run = new RemoteRun(0, () => undefined);
    const sizes = [1, 2, 3, 30_000, 4000, 1, 100_000, 1, 5];
    let sent = 0;
    for (const size of sizes) {
      run.push(batchOf(sent, size, hasRows));
      sent += size;
    }
    const drained = drainAll(run);
    expect(drained.map(({ tokenIds }) => tokenIds.length)).toEqual([30_006, 4001, 100_000, 6]);
    let next = 0;
    for (const { bytes, tokenIds, ends, rows } of drained) {
      const expected = batchOf(next, tokenIds.length, hasRows);
      expect(Buffer.compare(bytes, expected.bytes)).toBe(0);
      expect([...tokenIds]).toEqual([...expected.tokenIds]);
      expect([...ends]).toEqual([...expected.ends]);
      expect(rows && [...rows]).toEqual(expected.rows && [...expected.rows]);
      next += tokenIds.length;
    }
    expect(next).toBe(sent);
  });
});

test('what is left is there without a wait', () => {
  const run = new RemoteRun(0, () => undefined);
  run.push(batchOf(0, 30_000, false));
  run.push(batchOf(30_000, 30_000, false));
  run.drain();
  expect(run.arm()).toBe(true);
  run.drain();
  expect(run.arm()).toBe(false);
});
