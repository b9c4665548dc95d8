import { loadModel, type LoadModelOptions, type Model, type ModelRuntime } from 'rkllm';
import { codeOf, failureOf } from '../../support/reading.js';
import { FakeModel, fakeRuntime, isolation, until } from './fake-model.js';

const open: Model[] = [];
afterEach(async () => {
  await Promise.all(open.splice(0).map((model) => model.dispose({ abort: true })));
});

async function load(script: string[], options: LoadModelOptions = {}): Promise<[FakeModel, Model, ModelRuntime]> {
  const fake = new FakeModel(...script);
  const runtimePath = fakeRuntime('1.2.3');
  const model = await loadModel(fake.path, { backend: 'rkllm', runtimePath, template: 'none', isolation, ...options });
  open.push(model);
  if (model.runtime === undefined) throw new Error('no runtime');
  return [fake, model, model.runtime];
}

describe('a call of model.runtime that waits', () => {
  test('leaves at once when it is aborted, and the generation in front goes on', async () => {
    const [fake, model, runtime] = await load(['token a', 'repeat 60', 'token-us 30000'], { abortTimeoutMs: 1000 });
    const generation = model.generate('one');
    await until(() => fake.calls.includes('run one'));
    const controller = new AbortController();
    const states = runtime.hiddenStates({ prompt: 'x' }, { signal: controller.signal });
    expect(model.pending).toBe(1);
    controller.abort(new Error('mine'));
    expect(await failureOf(() => states)).toBe(controller.signal.reason);
    expect(generation.state).not.toBe('done');
    expect((await generation).usage.outputTokens).toBe(60);
    expect(fake.calls).not.toContain('run x');
  });

  test('in front of a generation does not make it look hung when that is aborted', async () => {
    const [fake, model, runtime] = await load(['prefill-ms 2000'], { abortTimeoutMs: 1000 });
    const states = runtime.hiddenStates({ prompt: 'x' });
    await until(() => fake.calls.includes('run x'));
    const generation = model.generate('one');
    generation.abort();
    expect((await generation).finishReason).toBe('abort');
    expect(await states).toMatchObject({ rows: 1 });
    expect(model.state).toBe('ready');
  });

  test('is refused when the model is disposed, and the running one is waited for', async () => {
    const [fake, model, runtime] = await load(['prefill-ms 100']);
    const running = runtime.hiddenStates({ prompt: 'x' });
    const waiting = runtime.kvCacheSize();
    await until(() => fake.calls.includes('run x'));
    const disposal = model.dispose();
    expect(await codeOf(() => waiting)).toBe('RKLLM_DISPOSED');
    expect(await running).toMatchObject({ rows: 1 });
    await disposal;
    expect(await codeOf(() => runtime.kvCacheSize())).toBe('RKLLM_DISPOSED');
  });

  test('is stopped by dispose({ abort: true })', async () => {
    const [fake, model, runtime] = await load(['prefill-ms 60000']);
    const running = runtime.hiddenStates({ prompt: 'x' });
    await until(() => fake.calls.includes('run x'));
    const [code] = await Promise.all([codeOf(() => running), model.dispose({ abort: true })]);
    expect(code).toBe('RKLLM_DISPOSED');
  });

  test('counts in the queue', async () => {
    const [, model, runtime] = await load(['token a', 'prefill-ms 50'], { queue: { maxPending: 0 } });
    const generation = model.generate('one');
    expect(await codeOf(() => runtime.kvCacheSize())).toBe('RKLLM_QUEUE_FULL');
    await generation;
  });
});

describe("with sampling: 'reload'", () => {
  const options: LoadModelOptions = { sampling: 'reload', temperature: 0.5 };

  test('calls go to the model that is loaded, and are not cut off by a reload', async () => {
    const [fake, model, runtime] = await load(['embed-dim 4', 'token a', 'prefill-ms 30'], options);
    const before = runtime.hiddenStates({ prompt: 'x y' });
    const generation = model.generate('one', { temperature: 1 });
    const after = runtime.hiddenStates({ prompt: 'x' });
    expect(await before).toMatchObject({ rows: 2 });
    expect((await generation).text).toBe('a');
    expect(await after).toMatchObject({ rows: 1 });
    expect(fake.calls.filter((call) => call === 'init')).toHaveLength(2);
    expect(runtime.embeddingWidth).toBe(4);
    const embeddings = new Float32Array(4);
    expect(await runtime.hiddenStates({ embeddings, tokens: 1 })).toMatchObject({ rows: 1 });
  });

  test('what was learned of the width stays', async () => {
    const [, model, runtime] = await load(['embed-dim 4', 'token a'], options);
    await runtime.hiddenStates({ prompt: 'x' });
    await model.generate('one', { temperature: 1 });
    expect(runtime.embeddingWidth).toBe(4);
  });

  test('a batch has the sampling of the load', async () => {
    const [fake, model, runtime] = await load(['token a'], options);
    await model.generate('one', { temperature: 1 });
    expect(await runtime.generateBatch([{ prompt: 'q' }])).toMatchObject([{ text: 'a' }]);
    const loads = fake.journal
      .filter((line) => line.startsWith('init'))
      .map((line) => /temperature=[\d.]+/u.exec(line)?.[0]);
    expect(loads).toHaveLength(3);
    expect(loads[2]).toBe(loads[0]);
  });

  test('a batch that has to load it again can be stopped', async () => {
    const [, model, runtime] = await load(['token a', 'init-delay-ms 200'], options);
    await model.generate('one', { temperature: 1 });
    const controller = new AbortController();
    const batch = runtime.generateBatch([{ prompt: 'q' }], { signal: controller.signal });
    setTimeout(() => controller.abort(), 30);
    expect(await failureOf(() => batch)).toBe(controller.signal.reason);
    expect((await model.generate('two')).text).toBe('a');
  });
});

describe('arguments that cannot be right', () => {
  const calls: [string, string, (runtime: ModelRuntime) => Promise<unknown>][] = [
    ['a text', 'RKLLM_INVALID_INPUT', (runtime) => runtime.hiddenStates('x' as never)],
    ['nothing', 'RKLLM_INVALID_INPUT', (runtime) => runtime.hiddenStates(undefined as never)],
    ['two inputs', 'RKLLM_INVALID_INPUT', (runtime) => runtime.logits({ prompt: 'x', tokenIds: new Int32Array(1) })],
    ['null options', 'RKLLM_INVALID_OPTION', (runtime) => runtime.hiddenStates({ prompt: 'x' }, null as never)],
    ['no signal', 'RKLLM_INVALID_OPTION', (runtime) => runtime.hiddenStates({ prompt: 'x' }, { signal: {} as never })],
    ['a typo', 'RKLLM_UNKNOWN_OPTION', (runtime) => runtime.hiddenStates({ prompt: 'x' }, { sginal: 1 } as never)],
    ['null', 'RKLLM_INVALID_OPTION', (runtime) => runtime.clearKvCache(null as never)],
    ['a range that is none', 'RKLLM_INVALID_OPTION', (runtime) => runtime.clearKvCache({ ranges: [null] as never })],
    [
      'a misspelt flag',
      'RKLLM_UNKNOWN_OPTION',
      (runtime) => runtime.clearKvCache({ keepSystempPrompt: true } as never),
    ],
    [
      'another operation',
      'RKLLM_UNKNOWN_OPTION',
      (runtime) => runtime.loadLora({ path: 'p', name: 'n', operation: 'x' } as never),
    ],
    ['no name', 'RKLLM_INVALID_OPTION', (runtime) => runtime.loadLora({ path: 'p' } as never)],
    ['no path', 'RKLLM_INVALID_OPTION', (runtime) => runtime.loadPromptCache('')],
    ['no tools', 'RKLLM_INVALID_OPTION', (runtime) => runtime.setFunctionTools({ responseTag: 't' } as never)],
    ['a number', 'RKLLM_INVALID_OPTION', (runtime) => runtime.setChatTemplate({ system: 5 as never })],
    [
      'half of it',
      'RKLLM_INVALID_OPTION',
      (runtime) => runtime.setCrossAttention({ mask: new Float32Array(1) } as never),
    ],
  ];

  test.each(calls)('%s: %s', async (_, code, call) => {
    const [fake, , runtime] = await load(['token a']);
    const before = fake.journal.length;
    expect(await codeOf(() => call(runtime))).toBe(code);
    expect(fake.journal).toHaveLength(before);
  });
});
