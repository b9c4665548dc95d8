/** The application's event loop may stand still while the runtime writes: nothing is lost, and nothing changes places. */
import { loadModel } from 'rkllm';
import { readFileSync } from 'node:fs';
import { childrenOf } from '../support/processes.cjs';
import { FakeModel, fakeRuntime } from '../unit/rkllm/fake-model.js';

/** Blocks this thread. */
function stall(ms: number): void {
  Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, ms);
}

function residentMb(pid: number): number {
  const found = /^VmRSS:\s+(\d+)/mu.exec(readFileSync(`/proc/${pid}/status`, 'utf8'));
  return Number(found?.[1]) / 1024;
}

const unit = ['ä', '中', '🙂', 'z'];
const repeat = 100_000;

test('every token of a flood arrives in order after two seconds without a turn', async () => {
  const model = new FakeModel(...unit.map((text) => `bytes ${text}`), `repeat ${repeat}`);
  const loaded = await loadModel(model.path, { runtimePath: fakeRuntime('1.1.1'), template: 'none' });
  const [host] = childrenOf(process.pid).filter(({ name }) => name === 'rkllm-host');
  const before = residentMb(host?.pid ?? -1);
  const generation = loaded.generate('hi');
  stall(2000);
  // What it has written stays in the addon: nine bytes and its text for each token, with room to grow.
  const tokens = repeat * Buffer.byteLength(unit.join(''));
  expect(residentMb(host?.pid ?? -1) - before).toBeLessThan((tokens * 10 * 4) / 2 ** 20);
  const { text, usage } = await generation;
  expect(text === unit.join('').repeat(repeat)).toBe(true);
  expect(usage.outputTokens).toBe(tokens);
  await loaded.dispose();
});
