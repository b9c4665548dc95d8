import { setImmediate as turn } from 'node:timers/promises';
import {
  RkllmError,
  isRkllmError,
  loadModel,
  type Backend,
  type BackendModel,
  type LoadModelOptions,
  type LoadRequest,
  type Model,
} from 'rkllm';
import { deferred, type Deferred } from '../../lib/deferred.js';
import { ManualBackend, type ManualChoices } from '../support/manual-backend.js';
import { codeOf, failureOf } from '../support/reading.js';
import { isSettled } from '../support/running.js';

const fixed = { perRequestSampling: false } as const;
const loadFailure = new RkllmError('RKLLM_INIT_FAILED', 'Does not load.', { hint: 'Try again.' });

/** A model whose sampling is fixed at load; each load after the first is in `reloads` until the test settles it. */
async function reloadable(options: LoadModelOptions = {}, choices: ManualChoices = {}): Promise<World> {
  const engine = new ManualBackend({ ...choices, capabilities: { ...fixed, ...choices.capabilities } });
  const reloads: PendingLoad[] = [];
  let loads = 0;
  const backend: Backend = {
    name: 'reloadable',
    load: (request) => {
      if (loads++ === 0) return engine.load(request);
      const pending = deferred<BackendModel>();
      reloads.push({ request, pending });
      return pending.promise;
    },
  };
  const model = await loadModel(undefined, { sampling: 'reload', temperature: 0.5, ...options, backend });
  const finishReload = async (): Promise<void> => {
    await turn();
    const last = reloads.at(-1);
    if (last === undefined) throw new Error('Nothing is being loaded.');
    last.pending.resolve(await engine.load(last.request));
    await turn();
  };
  return { model, engine, reloads, finishReload };
}

interface PendingLoad {
  readonly request: LoadRequest;
  readonly pending: Deferred<BackendModel>;
}

interface World {
  readonly model: Model;
  readonly engine: ManualBackend;
  readonly reloads: PendingLoad[];
  readonly finishReload: () => Promise<void>;
}

/** How much was loaded and freed so far. */
const balance = ({ engine }: World): unknown => ({ loads: engine.loads.length, disposals: engine.disposals });

test('without it, other sampling is refused, and the hint says what would allow it', async () => {
  const { model } = await reloadable({ sampling: 'reject' });
  const error = await failureOf(() => model.generate('Hi', { temperature: 1 }));
  expect(error).toMatchObject({ code: 'RKLLM_UNSUPPORTED_OPTION' });
  expect(isRkllmError(error) && error.hint).toContain("sampling: 'reload'");
});

test('the model is freed and loaded with the same and other sampling before the generation runs', async () => {
  const world = await reloadable({ topK: 5, maxContextLength: 256, maxNewTokens: 9 });
  const { model, engine, reloads, finishReload } = world;
  const { info } = model;
  const generation = model.generate('Hi', { temperature: 1 });
  await turn();
  expect(balance(world)).toEqual({ loads: 1, disposals: 1 });
  expect(reloads[0]?.request).toEqual({
    ...engine.loads[0],
    onWarning: undefined, // it has warned already
    sampling: { temperature: 1, topK: 5 },
    signal: expect.any(AbortSignal) as AbortSignal,
  });
  expect(generation).toMatchObject({ state: 'queued', queuePosition: undefined });
  expect(model.state).toBe('busy');
  await finishReload();
  expect(generation.state).toBe('prefill');
  expect(engine.run.request).toMatchObject({ sampling: {}, maxNewTokens: 9 });
  engine.run.write('a');
  engine.run.end();
  expect(await generation).toMatchObject({ text: 'a', finishReason: 'stop' });
  expect(model).toMatchObject({ state: 'ready', info });
  await model.dispose();
  expect(balance(world)).toEqual({ loads: 2, disposals: 2 });
});

test('sampling that is loaded already loads nothing, and starts at once', async () => {
  const world = await reloadable();
  const { model, engine, reloads } = world;
  for (const options of [{}, { temperature: 0.5 }, { temperature: undefined }]) {
    const generation = model.generate('Hi', options);
    expect(generation.state).toBe('prefill');
    engine.run.end();
    expect((await generation).timings.reloadMs).toBeUndefined();
  }
  expect(reloads).toEqual([]);
});

test('each generation gets its own, one without any that of the load; those that agree share', async () => {
  const { model, engine, reloads, finishReload } = await reloadable();
  const asked = [{ temperature: 1 }, { temperature: 1 }, {}, { topP: 0.5 }, { topP: 0.5, temperature: 0.5 }];
  const generations = asked.map((options) => model.generate('Hi', options));
  const loadsBefore: number[] = [];
  for (const generation of generations) {
    await turn();
    if (generation.state === 'queued') await finishReload();
    loadsBefore.push(reloads.length);
    engine.run.end();
    await generation;
  }
  expect(loadsBefore).toEqual([1, 1, 2, 3, 3]);
  expect(reloads.map(({ request }) => request.sampling)).toEqual([
    { temperature: 1 },
    { temperature: 0.5 },
    { temperature: 0.5, topP: 0.5 },
  ]);
});

test('an engine that takes sampling with each generation is never loaded again', async () => {
  const { model, engine, reloads } = await reloadable({}, { capabilities: { perRequestSampling: true } });
  model.generate('Hi', { temperature: 1 });
  expect(engine.run.request.sampling).toEqual({ temperature: 1 });
  expect(reloads).toEqual([]);
});

test('an engine with several slots runs one at a time: a reload needs it alone', async () => {
  const { model, engine, finishReload } = await reloadable({}, { capabilities: { slots: 2 } });
  const first = model.generate('Hi');
  const second = model.generate('Hi', { temperature: 1 });
  await turn();
  expect([engine.disposals, second.queuePosition]).toEqual([0, 0]);
  engine.run.end();
  await first;
  await finishReload();
  engine.run.end();
  expect((await second).finishReason).toBe('stop');
});

test('the time of a reload is told apart from waiting and prefill', async () => {
  const { model, engine, finishReload } = await reloadable();
  const generation = model.generate('Hi', { temperature: 1 });
  await turn();
  const from = performance.now();
  await turn();
  const during = performance.now() - from;
  await finishReload();
  engine.run.write('a');
  engine.run.end();
  const { queuedMs, reloadMs = 0, prefillMs = 0, timeToFirstTokenMs = 0, totalMs } = (await generation).timings;
  expect(reloadMs).toBeGreaterThanOrEqual(during);
  expect(queuedMs + reloadMs + prefillMs).toBeLessThanOrEqual(timeToFirstTokenMs + 0.001);
  expect(timeToFirstTokenMs).toBeLessThanOrEqual(totalMs);
});

test('a conversation goes on over a reload', async () => {
  const { model, engine, finishReload } = await reloadable();
  const chat = model.chat();
  const first = chat.send('one');
  engine.run.write('1');
  engine.run.end();
  await first;
  const second = chat.send('two', { temperature: 1 });
  await finishReload();
  engine.run.write('2');
  engine.run.end();
  await second;
  expect(chat.messages.map(({ content }) => content)).toEqual(['one', '1', 'two', '2']);
});

describe('a reload that fails', () => {
  test('rejects its generation and all that wait with the error, and the model has failed', async () => {
    const world = await reloadable();
    const { model, reloads } = world;
    const generation = model.generate('Hi', { temperature: 1 });
    const waiting = model.generate('Hi');
    await turn();
    reloads[0]?.pending.reject(loadFailure);
    expect(await failureOf(() => generation)).toBe(loadFailure);
    expect(await failureOf(() => waiting)).toBe(loadFailure);
    expect(generation.state).toBe('failed');
    expect(model).toMatchObject({ state: 'failed', pending: 0 });
    expect(await codeOf(() => model.generate('Hi'))).toBe('RKLLM_INIT_FAILED');
    await model.dispose();
    expect(balance(world)).toEqual({ loads: 1, disposals: 1 });
  });

  test('because the model cannot be freed loads nothing', async () => {
    const engine = new ManualBackend({ capabilities: fixed });
    const failure = new Error('cannot be freed');
    const load = async (request: LoadRequest): Promise<BackendModel> => ({
      ...(await engine.load(request)),
      dispose: () => Promise.reject(failure),
    });
    const model = await loadModel(undefined, { sampling: 'reload', backend: { name: 'sticky', load } });
    expect(await failureOf(() => model.generate('Hi', { topK: 1 }))).toBe(failure);
    expect(engine.loads).toHaveLength(1);
    expect(model.state).toBe('failed');
  });

  test('an engine that dies after it is noticed as before', async () => {
    const { model, engine, finishReload } = await reloadable();
    const generation = model.generate('Hi', { temperature: 1 });
    await finishReload();
    engine.run.end();
    await generation;
    engine.die(loadFailure);
    await turn();
    expect(model.state).toBe('failed');
  });
});

describe('stopping while the model is loaded again', () => {
  const stops: [string, (world: World, controller: AbortController) => unknown][] = [
    ['a signal', (_, controller) => controller.abort()],
    ['disposal with abort', ({ model }) => void model.dispose({ abort: true }).catch(() => undefined)],
  ];

  test.each(stops)('by %s stops the load, and leaves nothing running', async (_, stop) => {
    const world = await reloadable();
    const controller = new AbortController();
    const options = { temperature: 1, signal: controller.signal, onAbort: 'return' } as const;
    const generation = world.model.generate('Hi', options);
    await turn();
    stop(world, controller);
    expect(generation.state).toBe('aborting');
    const [reload] = world.reloads;
    expect(reload?.request.signal?.aborted).toBe(true);
    expect(await isSettled(generation.result())).toBe(false);
    reload?.pending.reject(reload.request.signal?.reason);
    expect(await generation).toMatchObject({ text: '', finishReason: 'abort', usage: { outputTokens: 0 } });
    expect(world.engine.runs).toEqual([]);
    await world.model.dispose();
    expect(balance(world)).toEqual({ loads: 1, disposals: 1 });
  });

  test('the next generation loads it', async () => {
    const world = await reloadable();
    const stopped = world.model.generate('Hi', { temperature: 1 });
    await turn();
    stopped.abort();
    world.reloads[0]?.pending.reject(loadFailure);
    await stopped;
    expect(world.model.state).toBe('ready');
    const next = world.model.generate('Hi');
    await world.finishReload();
    expect(world.reloads.map(({ request }) => request.sampling)).toEqual([{ temperature: 1 }, { temperature: 0.5 }]);
    world.engine.run.end();
    expect((await next).finishReason).toBe('stop');
  });

  test('a load that takes no notice is kept for the next, and freed in the end', async () => {
    const world = await reloadable();
    const stopped = world.model.generate('Hi', { temperature: 1 });
    await turn();
    stopped.abort();
    await world.finishReload();
    expect(await stopped).toMatchObject({ finishReason: 'abort' });
    expect(world.engine.runs).toEqual([]);
    const next = world.model.generate('Hi', { temperature: 1 });
    expect(next.state).toBe('prefill');
    world.engine.run.end();
    await next;
    await world.model.dispose();
    expect(balance(world)).toEqual({ loads: 2, disposals: 2 });
  });

  test('before the old model is freed: nothing is loaded', async () => {
    const world = await reloadable();
    const stopped = world.model.generate('Hi', { temperature: 1 });
    stopped.abort();
    expect((await stopped).timings.reloadMs).toBeGreaterThanOrEqual(0);
    expect(world.reloads).toEqual([]);
    await world.model.dispose();
    expect(balance(world)).toEqual({ loads: 1, disposals: 1 });
  });

  test('disposal without abort waits for the generation', async () => {
    const world = await reloadable();
    const generation = world.model.generate('Hi', { temperature: 1 });
    const disposal = world.model.dispose();
    await world.finishReload();
    expect(await isSettled(disposal)).toBe(false);
    world.engine.run.write('a');
    world.engine.run.end();
    expect((await generation).text).toBe('a');
    await disposal;
    expect(balance(world)).toEqual({ loads: 2, disposals: 2 });
  });
});
