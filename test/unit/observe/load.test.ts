import { setImmediate as turn } from 'node:timers/promises';
import { loadModel } from 'rkllm';
import { scripted } from 'rkllm/testing';
import { deferred } from '../../../lib/deferred.js';
import type { Backend, BackendModel } from '../../../lib/backends/backend.js';
import { ManualBackend } from '../../support/manual-backend.js';
import { failureOf } from '../../support/reading.js';
import { record } from './recorder.js';

const settled = ['load:start', 'load:end', 'load:asyncStart', 'load:asyncEnd'];
const failed = ['load:start', 'load:end', 'load:error', 'load:asyncStart', 'load:asyncEnd'];

test('a load that succeeds', async () => {
  const recorder = record();
  const options = { maxNewTokens: 5, temperature: 0, queue: { maxPending: 2 }, template: 'phi3' } as const;
  const model = await loadModel('some/path', { ...options, backend: scripted({ loadMs: 1 }) });
  expect(recorder.names).toEqual(settled);
  const [started] = recorder.of('load:start');
  expect(started).toEqual({
    operation: 'load',
    path: 'some/path',
    backend: 'scripted',
    options: { maxNewTokens: 5, temperature: 0, 'queue.maxPending': 2, template: 'phi3' },
  });
  expect(recorder.of('load:asyncEnd')).toEqual([
    { ...started, state: 'done', result: model.info, durationMs: expect.any(Number) as number },
  ]);
});

test('a load that fails, with what it rejects with', async () => {
  const recorder = record();
  const error = await failureOf(() => loadModel('/not/there', { runtimePath: '/a/library.so' }));
  expect(recorder.names).toEqual(failed);
  expect(recorder.of('load:start')).toEqual([{ operation: 'load', path: '/not/there', backend: 'auto', options: {} }]);
  for (const name of ['load:error', 'load:asyncEnd']) {
    expect(recorder.of(name)).toMatchObject([{ state: 'failed', error }]);
    expect(recorder.of(name)[0]).not.toHaveProperty('result');
  }
});

test.each([
  ['before', 0],
  ['while it loads', 1],
])('a load whose signal is aborted %s', async (_, turns) => {
  const recorder = record();
  const controller = new AbortController();
  const reason = new Error('enough');
  if (turns === 0) controller.abort(reason);
  const loading = loadModel(undefined, { backend: scripted({ loadMs: 5 }), signal: controller.signal });
  controller.abort(reason);
  expect(await failureOf(() => loading)).toBe(reason);
  expect(recorder.names).toEqual(failed);
  expect(recorder.of('load:asyncEnd')).toMatchObject([{ state: 'aborted', error: reason }]);
});

test.each([
  ['an option that does not exist', (): Promise<unknown> => loadModel('/x', { nope: 1 } as object)],
  ['an option with a wrong value', (): Promise<unknown> => loadModel('/x', { threads: 0 })],
  ['a path that is none', (): Promise<unknown> => loadModel('')],
])('%s is not traced', async (_, load) => {
  const recorder = record();
  await failureOf(load);
  expect(recorder.names).toEqual([]);
});

describe('a reload with other sampling', () => {
  /** A model that has been loaded; each further load is the test's to settle. */
  async function reloadable() {
    const engine = new ManualBackend({ capabilities: { perRequestSampling: false } });
    const again = deferred<BackendModel>();
    let loads = 0;
    const backend: Backend = {
      name: 'reloadable',
      load: (request) => (loads++ === 0 ? engine.load(request) : again.promise),
    };
    const model = await loadModel(undefined, { sampling: 'reload', temperature: 0.5, backend });
    const finish = async (): Promise<void> => {
      const [request] = engine.loads;
      if (request !== undefined) again.resolve(await engine.load(request));
    };
    return { model, engine, again, finish };
  }

  test('is a load of its own', async () => {
    const { model, engine, finish } = await reloadable();
    const recorder = record();
    const generation = model.generate('Hi', { temperature: 0 });
    await turn();
    expect(recorder.names).toEqual(['generate:start', 'queue:started', 'generate:end', 'load:start', 'load:end']);
    expect(recorder.of('load:start')).toEqual([
      { operation: 'reload', path: undefined, backend: 'reloadable', options: { sampling: 'reload', temperature: 0 } },
    ]);
    await finish();
    await turn();
    expect(recorder.of('load:asyncEnd')).toMatchObject([{ state: 'done', result: model.info }]);
    engine.run.end();
    await generation;
  });

  test('may fail', async () => {
    const { model, again } = await reloadable();
    const recorder = record();
    const generation = model.generate('Hi', { temperature: 0 });
    await turn();
    const error = new Error('does not load');
    again.reject(error);
    expect(await failureOf(() => generation)).toBe(error);
    expect(recorder.of('load:error')).toMatchObject([{ operation: 'reload', state: 'failed', error }]);
    expect(recorder.of('generate:error')).toMatchObject([{ state: 'failed', error }]);
  });
});
