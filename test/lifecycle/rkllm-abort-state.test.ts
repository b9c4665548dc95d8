/** What the public interface shows of an abort while the runtime takes its time to stop. */
import path from 'node:path';
import { loadModel, type Model } from 'rkllm';
import { root } from '../support/run-node.js';
import { calls, fakeModel, newJournal, removeFakeModels, until } from './rkllm-states.cjs';
import { isolation } from '../support/isolation.js';

beforeEach(newJournal);
afterAll(removeFakeModels);

const fakes = process.env['RKLLM_FAKES'] ?? path.join(root, 'build', 'Release', 'fake');

function load(...script: string[]): Promise<Model> {
  const options = { runtimePath: path.join(fakes, 'librkllmrt-1.1.1.so'), template: 'none', isolation } as const;
  return loadModel(fakeModel(script), options);
}

const count = (call: string): number => calls().filter((line) => line.startsWith(call)).length;

test('the model is busy and the generation not over until the runtime is idle', async () => {
  const model = await load('token a', 'endless', 'token-us 500', 'abort-delay-ms 100');
  const generation = model.generate('hi');
  await generation[Symbol.asyncIterator]().next();
  generation.abort();
  await until(() => count('abort') > 0);
  expect(count('run-end')).toBe(0);
  expect(model.state).toBe('busy');
  expect(['done', 'aborted', 'failed']).not.toContain(generation.state);
  expect((await generation).finishReason).toBe('abort');
  expect(count('run-end')).toBe(1);
  expect([model.state, generation.state]).toEqual(['ready', 'aborted']);
  await model.dispose();
});

test('the next generation starts after it, and is not aborted with it', async () => {
  const model = await load('token a', 'repeat 200', 'token-us 500', 'abort-delay-ms 50', 'after-abort 2');
  const first = model.generate('first');
  const second = model.generate('second', { maxNewTokens: 5 });
  await first[Symbol.asyncIterator]().next();
  first.abort();
  const { text, finishReason } = await second;
  expect([text, finishReason]).toEqual(['aaaaa', 'length']);
  const order = calls().filter((call) => call.startsWith('run'));
  expect(order.map((call) => call.split(' ')[0])).toEqual(['run', 'run-end', 'run', 'run-end']);
  await model.dispose();
});

test('a generation that waits never reaches the runtime', async () => {
  const model = await load('token a', 'repeat 20', 'token-us 500');
  const first = model.generate('first');
  const second = model.generate('second');
  second.abort();
  expect((await second).finishReason).toBe('abort');
  expect((await first).finishReason).toBe('stop');
  expect([count('run '), count('abort')]).toEqual([1, 0]);
  await model.dispose();
});

test('an abort after the end touches nothing', async () => {
  const model = await load('token a', 'token b');
  const first = model.generate('first');
  await first;
  const second = model.generate('second');
  first.abort();
  expect((await second).text).toBe('ab');
  expect(count('abort')).toBe(0);
  await model.dispose();
});
