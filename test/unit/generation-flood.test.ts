import { setImmediate as turn } from 'node:timers/promises';
import { loadModel, type Backend, type Run, type RunRequest, type TokenBatch } from 'rkllm';
import { batchOf, endOf, ManualBackend } from '../support/manual-backend.js';
import { scriptedModel } from '../support/models.js';
import { failureOf } from '../support/reading.js';

/** Counts the turns that the event loop gets while `work` goes on. */
async function turnsDuring(work: () => Promise<unknown>): Promise<number> {
  let turns = 0;
  let over = false;
  const count = async (): Promise<void> => {
    while (!over) {
      await turn();
      turns++;
    }
  };
  const counting = count();
  await work();
  const counted = turns;
  over = true;
  await counting;
  return counted;
}

/** An engine whose tokens are always there already: it never makes anyone wait for the event loop. */
function flooding(batches: number, batchSize: number): Backend {
  const base = new ManualBackend();
  const batch = batchOf(Array.from({ length: batchSize }, () => 'a'));
  const start = (): Run => {
    let left = batches;
    let paused = false;
    const drain = (): TokenBatch | undefined => {
      paused = !paused && left > 0;
      if (!paused) return undefined;
      left--;
      return batch;
    };
    let end!: () => void; // set at once
    const ended = new Promise<void>((resolve) => (end = resolve)).then(() => endOf('eos'));
    const readable = (): Promise<void> => {
      if (left === 0) end();
      return Promise.resolve();
    };
    return { drain, readable, ended, abort: () => (left = 0) };
  };
  return { name: 'flooding', load: async (request) => ({ ...(await base.load(request)), start }) };
}

test('100,000 tokens leave the event loop its turns', async () => {
  const model = await scriptedModel({ reply: Array.from({ length: 100_000 }, () => 'a'), contextLength: 200_000 });
  const generation = model.generate('Hi');
  expect(await turnsDuring(() => generation.result())).toBeGreaterThan(40);
  expect((await generation.text()).length).toBe(100_000);
});

test('an engine that never waits leaves the event loop its turns', async () => {
  const model = await loadModel(undefined, { backend: flooding(10_000, 10) });
  const generation = model.generate('Hi');
  expect(await turnsDuring(() => generation.result())).toBeGreaterThan(40);
  expect((await generation.text()).length).toBe(100_000);
});

test('a flood can be aborted from a timer', async () => {
  const model = await loadModel(undefined, { backend: flooding(1_000_000, 10) });
  const generation = model.generate('Hi');
  setTimeout(() => generation.abort(), 1);
  expect((await generation).finishReason).toBe('abort');
});

test('an engine that cannot be read is stopped, and idle before the slot is free', async () => {
  const base = new ManualBackend({ endsOnAbort: false });
  const failure = new Error('cannot be read');
  const backend: Backend = {
    name: 'unreadable',
    load: async (request) => {
      const model = await base.load(request);
      const start = (run: RunRequest): Run =>
        Object.assign(model.start(run), { readable: () => Promise.reject(failure) });
      return { ...model, start };
    },
  };
  const model = await loadModel(undefined, { backend });
  const generation = model.generate('Hi');
  await turn();
  expect(base.run.aborts).toBe(1);
  expect(model.state).toBe('busy');
  base.run.end('aborted');
  expect(await failureOf(() => generation)).toBe(failure);
  expect(model.state).toBe('ready');
});
