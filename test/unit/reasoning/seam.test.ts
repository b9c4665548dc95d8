/** Between the two runs of an answer whose reasoning was cut: one generation, which can be stopped anywhere. */
import { setImmediate as turn } from 'node:timers/promises';
import type { GenerateOptions, Generation, Model } from 'rkllm';
import type { ManualBackend } from '../../support/manual-backend.js';
import { manualModel } from '../../support/models.js';

const thinks = ['<think>', 'a', ' b', ' c'];
const limited = { reasoning: 'split', maxReasoningTokens: 2 } as const;

interface Asked {
  readonly model: Model;
  readonly backend: ManualBackend;
  readonly generation: Generation;
}

async function until(holds: () => boolean): Promise<void> {
  while (!holds()) await turn();
}

/** A model that has thought for too long, and whose engine has been told to stop; it stops when the test says so. */
async function cut(options: GenerateOptions = {}): Promise<Asked> {
  const { model, backend } = await manualModel({ endsOnAbort: false });
  const generation = model.generate({ prompt: 'Hi' }, { ...limited, ...options });
  backend.run.writeAll(thinks);
  await until(() => backend.run.aborts > 0);
  return { model, backend, generation };
}

/** The same, and the second run has begun. */
async function continued(options: GenerateOptions = {}): Promise<Asked> {
  const asked = await cut(options);
  const { backend } = asked;
  backend.run.end('aborted');
  await until(() => backend.runs.length === 2);
  return asked;
}

test.each([1, 2, 3, 4])('it is cut at the same token when they come %p at a time', async (size) => {
  const { model, backend } = await manualModel({ endsOnAbort: false });
  const generation = model.generate({ prompt: 'Hi' }, limited);
  for (let from = 0; from < thinks.length; from += size) {
    backend.run.writeAll(thinks.slice(from, from + size));
    await turn();
  }
  backend.run.end('aborted');
  await until(() => backend.runs.length === 2);
  backend.run.write('so');
  backend.run.end();
  expect(await generation).toMatchObject({ reasoning: 'a b', text: 'so', usage: { outputTokens: 4 } });
});

test('an engine that comes to its end there is asked all the same', async () => {
  const { model, backend } = await manualModel();
  const generation = model.generate({ prompt: 'Hi' }, limited);
  backend.run.writeAll(thinks.slice(0, 3));
  backend.run.end('eos');
  await until(() => backend.runs.length === 2);
  backend.run.write('so');
  backend.run.end();
  expect(await generation).toMatchObject({ reasoning: 'a b', text: 'so', reasoningTruncated: true });
});

test('the second run begins when the first has ended, and before whoever waits', async () => {
  const { model, backend, generation } = await cut();
  const other = model.generate({ prompt: 'Other' });
  await turn();
  expect(backend.runs).toHaveLength(1);
  backend.run.end('aborted');
  await until(() => backend.runs.length === 2);
  expect(generation.state).toBe('prefill');
  expect([other.state, other.queuePosition]).toEqual(['queued', 0]);
  backend.run.write('so');
  await until(() => generation.state === 'decode');
  backend.run.end();
  await generation;
  await until(() => backend.runs.length === 3);
  backend.run.end();
  await other;
});

test('an abort while the first is being stopped ends it there', async () => {
  const { model, backend, generation } = await cut();
  generation.abort('enough');
  expect(generation.state).toBe('aborting');
  backend.run.end('aborted');
  expect(await generation).toMatchObject({
    ...{ reasoning: 'a b', text: '', reasoningTruncated: false, finishReason: 'abort', abortReason: 'enough' },
    usage: { outputTokens: 3 },
  });
  expect([backend.runs.length, model.state]).toEqual([1, 'ready']);
});

test('an abort in the second run keeps what was written of the answer', async () => {
  const { backend, generation } = await continued();
  backend.run.write('so');
  await until(() => generation.state === 'decode');
  generation.abort();
  backend.run.end('aborted');
  expect(await generation).toMatchObject({ reasoning: 'a b', text: 'so', finishReason: 'abort' });
  expect(backend.run.aborts).toBeGreaterThan(0);
});

test('a signal rejects in either run, when the engine is idle', async () => {
  for (const start of [cut, continued]) {
    const controller = new AbortController();
    const { model, backend, generation } = await start({ signal: controller.signal });
    controller.abort(new Error('enough'));
    backend.run.end('aborted');
    await expect(generation.result()).rejects.toThrow('enough');
    expect([generation.state, model.state]).toEqual(['aborted', 'ready']);
  }
});

test('leaving the loop stops the second run', async () => {
  const { backend, generation } = await continued();
  backend.run.write('so');
  const stopping = until(() => backend.run.aborts > 0).then(() => backend.run.end('aborted'));
  for await (const { type } of generation) if (type === 'text') break;
  await stopping;
  expect(generation.state).toBe('aborted');
});

test('an engine that dies in the second run fails it: its reader has seen the beginning', async () => {
  const { backend, generation } = await continued();
  backend.run.fail(new Error('gone'));
  await expect(generation.result()).rejects.toThrow('gone');
  expect([generation.state, backend.runs.length]).toEqual(['failed', 2]);
});
