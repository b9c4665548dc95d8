import { AsyncLocalStorage } from 'node:async_hooks';
import { subscribe, unsubscribe } from 'node:diagnostics_channel';
import { inspect } from 'node:util';
import { channels, RkllmError, type GenerateTrace, type Model } from 'rkllm';
import { manualModel, scriptedModel } from '../../support/models.js';
import { codeOf, failureOf } from '../../support/reading.js';
import { record } from './recorder.js';

const settled = ['generate:start', 'queue:started', 'generate:end', 'generate:asyncStart', 'generate:asyncEnd'];
const failed = [...settled.slice(0, 3), 'generate:error', ...settled.slice(3)];
const runFailed = new RkllmError('RKLLM_RUN_FAILED', 'It failed.', { hint: 'Try again.' });

/** The generations' traces, complete. */
const endings = (recorder: ReturnType<typeof record>): GenerateTrace[] =>
  recorder.of('generate:asyncEnd') as GenerateTrace[];

describe('a generation', () => {
  test('that is complete', async () => {
    const model = await scriptedModel({ reply: 'a b c', promptTokens: 7, name: 'my-model' });
    const recorder = record();
    const generation = model.generate('Hi', { maxNewTokens: 9, temperature: 0.5, stop: ['x'], reasoning: 'split' });
    const { usage, timings } = await generation;
    expect(recorder.names).toEqual(settled);
    const [started] = recorder.of('generate:start');
    expect(started).toEqual({
      id: generation.id,
      operation: 'generate',
      model: 'my-model',
      backend: 'scripted',
      input: { kind: 'text', length: '<|user|>\nHi<|end|>\n<|assistant|>\n'.length },
      options: { maxNewTokens: 9, temperature: 0.5, reasoning: 'split' },
    });
    const result = { finishReasons: ['stop'], usage, timings };
    expect(endings(recorder)).toEqual([
      { ...started, state: 'done', result, durationMs: expect.any(Number) as number },
    ]);
    expect(timings.timeToFirstTokenMs).toBeGreaterThanOrEqual(0);
  });

  test('is told of before who waits for it goes on', async () => {
    const model = await scriptedModel({ reply: 'a' });
    const recorder = record();
    await model.generate('Hi').result();
    expect(recorder.names).toEqual(settled);
  });

  test.each<[string, (model: Model) => PromiseLike<unknown>, object]>([
    ['messages', (model) => model.generate([{ role: 'user', content: 'Hi' }]), { kind: 'messages', length: 33 }],
    ['a raw prompt', (model) => model.generate({ prompt: 'Hello' }), { kind: 'prompt', length: 5 }],
    ['token ids', (model) => model.generate({ tokenIds: [1, 2, 3] }), { kind: 'tokens', length: 3 }],
  ])('that was asked with %s', async (_, ask, input) => {
    const recorder = record();
    await ask(await scriptedModel({ reply: 'a' }));
    expect(endings(recorder)).toMatchObject([{ input, operation: 'generate' }]);
  });

  test('that is a turn of a chat', async () => {
    const recorder = record();
    await (await scriptedModel({ reply: 'a' })).chat().send('Hi');
    expect(endings(recorder)).toMatchObject([{ operation: 'chat', input: { kind: 'messages' } }]);
  });

  test('that fails', async () => {
    const { model, backend } = await manualModel();
    const recorder = record();
    const generation = model.generate('Hi');
    backend.run.fail(runFailed);
    expect(await failureOf(() => generation)).toBe(runFailed);
    expect(recorder.names).toEqual(failed);
    for (const name of ['generate:error', 'generate:asyncEnd']) {
      expect(recorder.of(name)).toMatchObject([{ state: 'failed', error: runFailed }]);
      expect(recorder.of(name)[0]).not.toHaveProperty('result');
    }
  });

  test('that is aborted', async () => {
    const { model, backend } = await manualModel();
    const recorder = record();
    const generation = model.generate('Hi');
    backend.run.write('a');
    generation.abort('my reason');
    await generation;
    expect(recorder.names).toEqual(settled);
    expect(endings(recorder)).toMatchObject([{ state: 'aborted', result: { finishReasons: ['abort'] } }]);
    expect(inspect(recorder.published, { depth: null })).not.toContain('my reason');
  });

  test('whose signal is aborted', async () => {
    const { model } = await manualModel();
    const recorder = record();
    const controller = new AbortController();
    const generation = model.generate('Hi', { signal: controller.signal });
    controller.abort(null);
    expect(await failureOf(() => generation)).toBeNull();
    expect(recorder.names).toEqual(failed);
    expect(endings(recorder)).toMatchObject([{ state: 'aborted', error: null }]);
  });

  test('whose signal was aborted before it could start', async () => {
    const { model } = await manualModel();
    const recorder = record();
    const signal = AbortSignal.abort('late');
    expect(await failureOf(() => model.generate('Hi', { signal }))).toBe('late');
    expect(recorder.names).toEqual(failed.filter((name) => name !== 'queue:started'));
    expect(endings(recorder)).toMatchObject([{ state: 'aborted', error: 'late' }]);
  });

  test('whose signal is aborted, and that keeps what was written', async () => {
    const { model } = await manualModel();
    const recorder = record();
    const controller = new AbortController();
    const generation = model.generate('Hi', { signal: controller.signal, onAbort: 'return' });
    controller.abort();
    await generation;
    expect(recorder.names).toEqual(settled);
    expect(endings(recorder)).toMatchObject([{ state: 'aborted', result: { finishReasons: ['abort'] } }]);
  });

  test.each<[string, (model: Model) => unknown]>([
    ['wrong options', (model) => model.generate('Hi', { topK: 0 })],
    ['a wrong prompt', (model) => model.generate('')],
  ])('with %s is not traced', async (_, ask) => {
    const { model } = await manualModel();
    const recorder = record();
    await failureOf(() => ask(model));
    expect(recorder.names).toEqual([]);
  });

  test('that began before anybody listened is not traced', async () => {
    const { model, backend } = await manualModel();
    const generation = model.generate('Hi');
    const recorder = record();
    backend.run.end();
    await generation;
    expect(recorder.names).toEqual([]);
  });
});

test('no message has words of the prompt, of the answer, or of a stop sequence', async () => {
  const recorder = record();
  const reply = '<think>private thoughts</think>private answer STOP';
  const model = await scriptedModel({ reply, promptTokens: 3 });
  await model.chat({ system: 'private rules' }).send('private question', { stop: ['STOP'], reasoning: 'split' });
  await model.generate({ prompt: 'private prompt' }, { stop: ['STOP'] });
  expect(recorder.names).toHaveLength(4 + 2 * settled.length);
  expect(inspect(recorder.published, { depth: null })).not.toMatch(/private|STOP|think>/u);
});

test('a subscriber may dispose the model, and what it was told of is refused', async () => {
  const { model, backend } = await manualModel();
  const dispose = (): void => void model.dispose();
  const recorder = record();
  subscribe(channels.generate.start.name, dispose);
  try {
    expect(await codeOf(() => model.generate('Hi'))).toBe('RKLLM_DISPOSED');
  } finally {
    unsubscribe(channels.generate.start.name, dispose);
  }
  expect(backend.runs).toEqual([]);
  expect(recorder.names).toEqual(['generate:start', 'generate:error', 'generate:end']);
});

test('a store that is bound to the start is there while the engine is started', async () => {
  const store = new AsyncLocalStorage<GenerateTrace>();
  const seen: unknown[] = [];
  const { model, backend } = await manualModel({ onStart: () => seen.push(store.getStore()?.id) });
  channels.generate.start.bindStore(store, (trace) => trace);
  try {
    const generation = model.generate('Hi');
    expect(seen).toEqual([generation.id]);
    expect(store.getStore()).toBeUndefined();
    backend.run.end();
    await generation;
  } finally {
    channels.generate.start.unbindStore(store);
  }
});
