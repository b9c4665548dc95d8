import { RkllmError, loadModel, type Backend, type Model } from 'rkllm';
import { scripted } from 'rkllm/testing';
import { ManualBackend } from '../support/manual-backend.js';
import { manualModel, scriptedModel } from '../support/models.js';
import { codeOf, collect, failureOf } from '../support/reading.js';
import { isSettled } from '../support/running.js';

const died = new RkllmError('RKLLM_WORKER_FAILED', 'The worker is gone.', { hint: 'Load the model again.' });

describe('disposing', () => {
  test('waits for the running generation, refuses those that wait, then frees the engine', async () => {
    const { model, backend } = await manualModel({ endsOnAbort: false });
    const running = model.generate('first');
    const waiting = [model.generate('second'), model.generate('third')];
    const disposal = model.dispose();
    expect(model).toMatchObject({ state: 'disposing', pending: 0 });
    for (const generation of waiting) expect(await codeOf(() => generation)).toBe('RKLLM_DISPOSED');
    expect(await isSettled(disposal)).toBe(false);
    expect(backend.disposals).toBe(0);
    backend.run.write('a');
    backend.run.end();
    await disposal;
    expect(await running).toMatchObject({ text: 'a', finishReason: 'stop' });
    expect(backend).toMatchObject({ disposals: 1, runs: [{ aborts: 0 }] });
    expect(model.state).toBe('disposed');
  });

  test.each(['dispose({ abort: true })', 'await using'])(
    '%s stops the running one, still refuses the others',
    async (how) => {
      const { model, backend } = await manualModel({ endsOnAbort: false });
      const running = model.generate('first');
      const waiting = model.generate('second');
      const disposal = (async () => {
        if (how !== 'await using') return model.dispose({ abort: true });
        await using owned = model;
        expect(owned.state).toBe('busy');
      })();
      expect(backend.run.aborts).toBe(1);
      expect(await codeOf(() => waiting)).toBe('RKLLM_DISPOSED');
      expect(await isSettled(disposal)).toBe(false);
      backend.run.end('aborted');
      await disposal;
      expect((await running).finishReason).toBe('abort');
      expect(backend.disposals).toBe(1);
    },
  );

  test('again waits for the first time; with abort it hurries it on', async () => {
    const { model, backend } = await manualModel();
    const running = model.generate('first');
    const patient = model.dispose();
    expect(backend.run.aborts).toBe(0);
    await model.dispose({ abort: true });
    await patient;
    await model.dispose();
    expect((await running).finishReason).toBe('abort');
    expect(backend.disposals).toBe(1);
  });

  test('inside a loop over the answer', async () => {
    const model = await scriptedModel({ reply: 'a b c' });
    const generation = model.generate('Hi');
    await expect(
      (async () => {
        for await (const chunk of generation) {
          expect(chunk.type).toBe('text');
          await model.dispose({ abort: true });
          break;
        }
      })(),
    ).resolves.toBeUndefined();
    expect(model.state).toBe('disposed');
  });

  test('a model whose engine cannot be freed is disposed all the same, and says so', async () => {
    const failure = new Error('cannot be freed');
    const backend: Backend = {
      name: 'sticky',
      load: async (request) => ({
        ...(await new ManualBackend().load(request)),
        dispose: () => Promise.reject(failure),
      }),
    };
    const model = await loadModel(undefined, { backend });
    expect(await failureOf(() => model.dispose())).toBe(failure);
    expect(await failureOf(() => model.dispose())).toBe(failure);
    expect(model.state).toBe('disposed');
  });
});

describe('an engine that dies', () => {
  test('fails what runs with its own error, refuses what waits and all that comes', async () => {
    const { model, backend } = await manualModel();
    const running = model.generate('first');
    const waiting = model.generate('second');
    const crash = new Error('crashed');
    backend.run.fail(crash);
    backend.die(died);
    expect(await failureOf(() => running)).toBe(crash);
    expect(await failureOf(() => waiting)).toBe(died);
    expect(model).toMatchObject({ state: 'failed', pending: 0 });
    expect(await failureOf(() => model.generate('third'))).toBe(died);
    expect(await failureOf(() => model.chat())).toBe(died);
    await model.dispose();
    expect(model.state).toBe('disposed');
    expect(backend.disposals).toBe(1);
  });
});

describe('after a generation has settled the engine is free', () => {
  const ends: [string, (model: Model, backend: ManualBackend) => Promise<unknown>][] = [
    [
      'an answer',
      (model, { run }) => {
        run.end();
        return Promise.resolve(model);
      },
    ],
    [
      'a failure',
      (model, { run }) => {
        run.fail(died);
        return Promise.resolve(model);
      },
    ],
  ];
  test.each(ends)('%s: state, and a queue that lets none wait', async (_, end) => {
    const { model, backend } = await manualModel({}, { queue: { maxPending: 0 } });
    const states: string[] = [];
    for (let round = 0; round < 3; round++) {
      const generation = model.generate('Hi');
      await end(model, backend);
      await generation.result().catch(() => undefined);
      states.push(model.state);
    }
    expect(states).toEqual(['ready', 'ready', 'ready']);
  });

  test('also when the finish chunk is read', async () => {
    const model = await scriptedModel({ reply: 'a b' }, { queue: { maxPending: 0 } });
    const texts: string[] = [];
    for await (const chunk of model.generate('Hi')) {
      if (chunk.type === 'finish') texts.push(await model.generate('again').text());
    }
    expect(texts).toEqual(['a b']);
    expect(model.state).toBe('ready');
  });
});

describe('what a backend can do is respected', () => {
  test('no seed', async () => {
    const model = await scriptedModel({ capabilities: { seed: false } });
    expect(await codeOf(() => model.generate('Hi', { seed: 1 }))).toBe('RKLLM_UNSUPPORTED_OPTION');
  });

  test('sampling that is fixed at load may be repeated but not changed', async () => {
    const { model, backend } = await manualModel({ capabilities: { perRequestSampling: false } }, { temperature: 0.5 });
    expect(await codeOf(() => model.generate('Hi', { temperature: 0.6 }))).toBe('RKLLM_UNSUPPORTED_OPTION');
    expect(await codeOf(() => model.generate('Hi', { topK: 5 }))).toBe('RKLLM_UNSUPPORTED_OPTION');
    model.generate('Hi', { temperature: 0.5 });
    expect(backend.run.request.sampling).toEqual({});
    expect(backend.loads[0]?.sampling).toEqual({ temperature: 0.5 });
  });

  test('sampling that may change arrives as it was given', async () => {
    const { model, backend } = await manualModel();
    model.generate('Hi', { temperature: 0, topP: undefined, seed: 0, maxNewTokens: 5 });
    expect(backend.run.request).toEqual({
      input: { type: 'text', text: '<|user|>\nHi<|end|>\n<|assistant|>\n' },
      sampling: { temperature: 0, seed: 0 },
      maxNewTokens: 5,
    });
  });
});

describe('loading', () => {
  test('what was found out is in info', async () => {
    const model = await loadModel('some/where', { backend: scripted({ name: 'mine' }), maxContextLength: 100 });
    expect(model.info).toMatchObject({
      backend: 'scripted',
      name: 'mine',
      contextLength: 100,
      embedded: false,
      template: { name: 'phi3', source: 'model', file: undefined },
    });
    expect(model.info.path).toMatch(/\/some\/where$/u);
    expect(model).toMatchObject({ state: 'ready', pending: 0 });
  });

  test('a failure is passed on', async () => {
    expect(await codeOf(() => scriptedModel({ failLoad: true }))).toBe('RKLLM_INIT_FAILED');
  });

  test('aborted before: the backend is not asked', async () => {
    const backend = new ManualBackend();
    const reason = new Error('too late');
    expect(await failureOf(() => loadModel(undefined, { backend, signal: AbortSignal.abort(reason) }))).toBe(reason);
    expect(backend.loads).toEqual([]);
  });

  test('aborted meanwhile: rejects with the reason', async () => {
    const controller = new AbortController();
    const loading = scriptedModel({ loadMs: 60_000 }, { signal: controller.signal });
    controller.abort();
    expect(await failureOf(() => loading)).toBe(controller.signal.reason);
  });

  test('aborted meanwhile, of which the backend takes no notice: what it loaded is freed', async () => {
    const backend = new ManualBackend();
    const controller = new AbortController();
    const loading = loadModel(undefined, { backend, signal: controller.signal });
    controller.abort();
    expect(await failureOf(() => loading)).toBe(controller.signal.reason);
    expect(backend.disposals).toBe(1);
  });

  test('a signal of the load has no say afterwards', async () => {
    const controller = new AbortController();
    const model = await scriptedModel({ reply: 'a' }, { signal: controller.signal });
    controller.abort();
    expect((await collect(model.generate('Hi'))).at(-1)).toMatchObject({ finishReason: 'stop' });
  });
});
