import { setImmediate as turn } from 'node:timers/promises';
import { loadModel, type Backend, type Generation, type Run, type RunRequest, type TokenBatch } from 'rkllm';
import { batchOf, endOf, ManualBackend } from '../support/manual-backend.js';
import { scriptedModel } from '../support/models.js';
import { failureOf } from '../support/reading.js';

/** Reads an answer, and tells how long it is and how much of it came between two turns of the event loop at most. */
async function readBetweenTurns(generation: Generation): Promise<{ length: number; most: number }> {
  let length = 0;
  let most = 0;
  let over = false;
  const watch = async (): Promise<void> => {
    for (let seen = 0; !over; seen = length) {
      await turn();
      most = Math.max(most, length - seen);
    }
  };
  const watching = watch();
  for await (const text of generation.textStream) length += text.length;
  over = true;
  await watching;
  return { length, most };
}

/** What is read of a run before the event loop goes on, twice: who reads the answer may hear of the first with the second. */
const mostBetweenTurns = 2 * 2048;

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
  const { length, most } = await readBetweenTurns(model.generate('Hi'));
  expect(length).toBe(100_000);
  expect(most).toBeLessThanOrEqual(mostBetweenTurns);
});

test.each([
  [100_000, 1],
  [10_000, 10],
  [10, 10_000],
])('an engine that never waits leaves the event loop its turns: %i batches of %i', async (batches, batchSize) => {
  const model = await loadModel(undefined, { backend: flooding(batches, batchSize) });
  const { length, most } = await readBetweenTurns(model.generate('Hi'));
  expect(length).toBe(100_000);
  expect(most).toBeLessThanOrEqual(mostBetweenTurns + 2 * Math.min(batchSize, 2048)); // whole batches
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
