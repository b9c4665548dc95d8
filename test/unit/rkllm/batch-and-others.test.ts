import type { RuntimeInput } from 'rkllm';
import { codeOf, failureOf } from '../../support/reading.js';
import { Heard, load, prompts, reasonsOf, textsOf } from './batches.js';
import { FakeModel, fakeRuntime, isFrom, releases, until } from './fake-model.js';

describe('a model of one prompt at a time', () => {
  test.each(releases)('answers a batch of one on %s', async (release) => {
    const { model, runtime } = await load(release, new FakeModel('bytes é', 'token b'), { batchSize: 1 });
    expect(model.capabilities.batchSize).toBe(1);
    const heard = new Heard();
    const answers = await runtime.generateBatch(prompts(1), { onText: heard.onText, maxNewTokens: 5 });
    expect(answers).toEqual([{ text: 'éb', tokenIds: [1000, 1001, 1002], finishReason: 'stop' }]);
    expect(heard.text(0)).toBe('éb');
    expect(reasonsOf(await runtime.generateBatch(prompts(1), { maxNewTokens: 2 }))).toEqual(['length']);
    expect((await model.generate('x')).text).toBe('éb');
  });

  test('takes batches and generations in the order in which they came', async () => {
    const fake = new FakeModel('token a', 'prefill-ms 20');
    const { model, runtime } = await load('1.3.1', fake);
    const first = model.generate('first');
    const second = model.generate('second');
    const third = runtime.generateBatch([{ prompt: 'third' }]);
    const fourth = model.generate('fourth');
    expect(model.pending).toBe(3);
    await Promise.all([first, second, third, fourth]);
    const order = fake.calls.filter((call) => call.startsWith('run '));
    expect(order).toEqual(['run first', 'run second', 'run third', 'run fourth']);
  });

  test('a batch that waits leaves the queue when it is aborted, and finds it full', async () => {
    const fake = new FakeModel('token a', 'endless', 'token-us 1000');
    const { model, runtime } = await load('1.3.1', fake, { queue: { maxPending: 1 } });
    const running = model.generate('first');
    const controller = new AbortController();
    const waiting = failureOf(() => runtime.generateBatch([{ prompt: 'second' }], { signal: controller.signal }));
    expect(await codeOf(() => runtime.generateBatch([{ prompt: 'third' }]))).toBe('RKLLM_QUEUE_FULL');
    controller.abort();
    expect(await waiting).toBe(controller.signal.reason);
    await until(() => fake.calls.includes('run first'));
    running.abort();
    await running;
    expect(fake.calls.filter((call) => call.startsWith('run '))).toEqual(['run first']);
  });
});

describe('what cannot be', () => {
  test.each(releases.filter((release) => !isFrom(release, '1.2.3')))('%s has no batches', async (release) => {
    const fake = new FakeModel();
    const error = await failureOf(() => load(release, fake, { batchSize: 2 }));
    expect(error).toMatchObject({
      code: 'RKLLM_UNSUPPORTED_BY_RUNTIME',
      details: { option: 'batchSize', since: '1.2.1' },
    });
    expect(fake.calls).toEqual([]);
  });

  test('a release that looks like another with inputs of another size', async () => {
    const fake = new FakeModel();
    const runtimePath = fakeRuntime('1.3.1-unstated');
    const error = await failureOf(() => load('1.3.1', fake, { runtimePath, batchSize: 2 }));
    expect(error).toMatchObject({ code: 'RKLLM_UNSUPPORTED_BY_RUNTIME', details: { option: 'batchSize' } });
    expect((error as { hint: string }).hint).toContain('runtimeVersion');
    expect(fake.calls).toEqual([]);
    const { runtime } = await load('1.3.1', fake, { runtimePath, batchSize: 2, runtimeVersion: '1.3.1' });
    expect(textsOf(await runtime.generateBatch(prompts(2)))).toEqual(['You said: p0', 'You said: p1']);
  });

  test('a single prompt on a model that takes several', async () => {
    const fake = new FakeModel();
    const { model, runtime } = await load('1.3.1', fake, { batchSize: 2 });
    const before = fake.calls;
    const calls: (() => unknown)[] = [
      () => model.generate('x'),
      () => model.chat().send('x'),
      () => runtime.hiddenStates({ prompt: 'x' }),
      () => runtime.logits({ prompt: 'x' }),
    ];
    for (const call of calls) {
      const error = await failureOf(call);
      expect(error).toMatchObject({ code: 'RKLLM_UNSUPPORTED_OPTION', details: { batchSize: 2 } });
      expect((error as { hint: string }).hint).toContain('generateBatch');
    }
    expect(fake.calls).toEqual(before);
  });

  test.each<[string, unknown]>([
    ['no list', undefined],
    ['a text', 'ab'],
    ['too few', prompts(1)],
    ['too many', prompts(3)],
    ['none', []],
    ['a hole', new Array(2)],
    ['texts', ['a', 'b']],
    ['null', [{ prompt: 'a' }, null]],
    ['an empty prompt', [{ prompt: 'a' }, { prompt: '' }]],
    ['U+0000', [{ prompt: 'a' }, { prompt: 'a\0b' }]],
    ['nothing', [{ prompt: 'a' }, {}]],
    ['two kinds', [{ prompt: 'a' }, { prompt: 'a', tokenIds: new Int32Array(1) }]],
    ['an image', [{ prompt: 'a' }, { prompt: '<image>', image: { embeddings: new Float32Array(1), tokensEach: 1 } }]],
    ['a list of ids', [{ prompt: 'a' }, { tokenIds: [1] }]],
    ['no ids', [{ prompt: 'a' }, { tokenIds: new Int32Array() }]],
    ['a negative id', [{ prompt: 'a' }, { tokenIds: new Int32Array([-1]) }]],
    ['embeddings that do not fit', [{ prompt: 'a' }, { embeddings: new Float32Array(3), tokens: 2 }]],
    ['embeddings without tokens', [{ prompt: 'a' }, { embeddings: new Float32Array(3) }]],
    ['no embeddings', [{ prompt: 'a' }, { embeddings: new Float32Array(), tokens: 1 }]],
  ])('%s is no batch of two', async (_, inputs) => {
    const fake = new FakeModel();
    const { runtime } = await load('1.2.3', fake, { batchSize: 2 });
    const before = fake.calls;
    expect(await codeOf(() => runtime.generateBatch(inputs as RuntimeInput[]))).toBe('RKLLM_INVALID_INPUT');
    expect(fake.calls).toEqual(before);
  });

  test('options that there are not', async () => {
    const { runtime } = await load('1.2.3', new FakeModel(), { batchSize: 2 });
    const wrong = await failureOf(() => runtime.generateBatch(prompts(2), { maxTokens: 5 } as object));
    expect(wrong).toMatchObject({ code: 'RKLLM_UNKNOWN_OPTION', details: { suggestion: 'maxNewTokens' } });
    for (const options of [{ maxNewTokens: 0 }, { signal: {} }, { onText: 'x' }] as object[]) {
      expect(await codeOf(() => runtime.generateBatch(prompts(2), options))).toBe('RKLLM_INVALID_OPTION');
    }
  });
});
