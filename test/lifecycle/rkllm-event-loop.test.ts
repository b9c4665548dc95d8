/** The consumer's event loop keeps turning, whatever the runtime does. Bounds are generous: machines are slow at times. */
import path from 'node:path';
import { loadModel } from 'rkllm';
import { root } from '../support/run-node.js';
import { fakeModel, newJournal, removeFakeModels } from './rkllm-states.cjs';
import { isolation } from '../support/isolation.js';

beforeEach(newJournal);
afterAll(removeFakeModels);

const runtimePath = path.join(
  process.env['RKLLM_FAKES'] ?? path.join(root, 'build', 'Release', 'fake'),
  'librkllmrt-1.1.1.so',
);

/** How often a timer of a millisecond comes while something takes its time. */
async function ticksDuring(action: () => Promise<unknown>): Promise<number> {
  let ticks = 0;
  const timer = setInterval(() => ticks++, 1);
  await action();
  clearInterval(timer);
  return ticks;
}

test('during a load and a disposal that take their time', async () => {
  const file = fakeModel(['init-delay-ms 1000', 'destroy-delay-ms 500']);
  const model = await (async () => {
    const loading = loadModel(file, { runtimePath, template: 'none', isolation });
    expect(await ticksDuring(() => loading)).toBeGreaterThan(100);
    return loading;
  })();
  expect(await ticksDuring(() => model.dispose())).toBeGreaterThan(50);
});

test('during a prefill that nothing interrupts', async () => {
  const model = await loadModel(fakeModel(['token a', 'prefill-ms 500']), { runtimePath, template: 'none', isolation });
  expect(await ticksDuring(() => model.generate('hi').text())).toBeGreaterThan(50);
  await model.dispose();
});

test('during a flood, whether it is read or not', async () => {
  const flood = fakeModel(['token a', 'token b', 'repeat 500000']);
  const model = await loadModel(flood, { runtimePath, template: 'none', isolation });
  let tokens = 0;
  let wasReading = 0;
  // One tick per thousand tokens would be one per millisecond at a million tokens per second.
  const read = async (): Promise<void> => {
    for await (const chunk of model.generate('hi')) {
      if (chunk.type === 'text') tokens += chunk.tokenIds.length;
      wasReading++;
    }
  };
  expect(await ticksDuring(read)).toBeGreaterThan(20);
  expect(tokens).toBe(1_000_000);
  expect(wasReading).toBeGreaterThan(0);
  expect(await ticksDuring(() => model.generate('hi').result())).toBeGreaterThan(20);
  await model.dispose();
});
