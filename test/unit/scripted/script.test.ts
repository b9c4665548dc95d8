import { isRkllmError, loadModel, type Generation } from 'rkllm';
import { manualClock, scripted, type Script } from 'rkllm/testing';
import { scriptedModel } from '../../support/models.js';
import { codeOf, collect, failureOf, textOf, tokenIdsOf } from '../../support/reading.js';

const prompted = (question: string): string => `<|user|>\n${question}<|end|>\n<|assistant|>\n`;

describe('what the model writes', () => {
  test('without a script', async () => {
    expect(await (await scriptedModel()).generate('Hi').text()).toBe('Hello! This is a scripted answer.');
  });

  test.each<[string, Script['reply'], string, number[]]>([
    ['a text, a word a token', 'one two', 'one two', [1, 2]],
    ['tokens', ['a', { text: 'b', id: 70 }, 'c'], 'abc', [1, 70, 3]],
    ['bytes', [{ text: Uint8Array.of(0xc2) }, { text: Buffer.from([0xb0]), id: 0 }], '°', [1, 0]],
    ['an answer', { tokens: 'one two' }, 'one two', [1, 2]],
    ['what a function chooses', (prompt) => prompt.toUpperCase(), prompted('Hi').toUpperCase(), [1, 2, 3, 4]],
    ['nothing', [], '', []],
  ])('%s', async (_, reply, text, ids) => {
    const model = await scriptedModel({ reply });
    const chunks = await collect(model.generate('Hi'));
    expect(textOf(chunks)).toBe(text);
    expect(tokenIdsOf(chunks)).toEqual(ids);
  });

  test('replies come in order, over all models of the backend, and the last one again and again', async () => {
    const backend = scripted({ replies: ['first', ['sec', 'ond'], { tokens: 'last', promptTokens: 7 }] });
    const [one, other] = [await loadModel(undefined, { backend }), await loadModel(undefined, { backend })];
    const results = [];
    for (const model of [one, other, one, other]) results.push(await model.generate('Hi'));
    expect(results.map(({ text }) => text)).toEqual(['first', 'second', 'last', 'last']);
    expect(results.map(({ usage }) => usage.inputTokens)).toEqual([4, 4, 7, 7]);
  });

  test('a function sees everything that is asked', async () => {
    const model = await scriptedModel({
      reply: (_, { maxNewTokens, sampling }) => `${String(maxNewTokens)}, ${String(sampling.temperature)}`,
    });
    expect(await model.generate('Hi', { maxNewTokens: 9, temperature: 0.5 }).text()).toBe('9, 0.5');
  });

  test.each<[Script, object]>([
    [{ endReason: 'length' }, { finishReason: 'length' }],
    [{ endReason: 'unstated' }, { finishReason: 'stop' }],
    [{ endReason: 'unstated', promptTokens: 14, contextLength: 16 }, { finishReason: 'length' }],
    [{ promptTokens: 60, cachedPromptTokens: 50 }, { usage: { inputTokens: 60, cachedInputTokens: 50 } }],
    [{ promptTokens: 'unstated', cachedPromptTokens: 'unstated' }, { usage: { inputTokens: undefined } }],
    [{}, { finishReason: 'stop', usage: { inputTokens: 4, cachedInputTokens: 0, outputTokens: 2 } }],
  ])('%j ends as %j', async (script, expected) => {
    expect(await (await scriptedModel({ reply: 'a b', ...script })).generate('Hi')).toMatchObject(expected);
  });
});

describe('what goes wrong', () => {
  const failing: [Script, string, string, RegExp][] = [
    [{ failAfterTokens: 0 }, '', 'RKLLM_RUN_FAILED', /after 0 tokens/u],
    [{ failAfterTokens: 2 }, 'a b', 'RKLLM_RUN_FAILED', /after 2 tokens/u],
    [{ failAfterTokens: 3 }, 'a b c', 'RKLLM_RUN_FAILED', /after 3 tokens/u],
    [{ failWith: {} }, '', 'RKLLM_RUN_FAILED', /after 0 tokens/u],
    [
      { failAfterTokens: 1, failWith: { code: 'RKLLM_CONTEXT_OVERFLOW', message: 'Full.' } },
      'a',
      'RKLLM_CONTEXT_OVERFLOW',
      /^Full\.$/u,
    ],
    [{ crashAfterTokens: 1 }, 'a', 'RKLLM_WORKER_FAILED', /died after 1 tokens/u],
    [{ crashAfterTokens: 3 }, 'a b c', 'RKLLM_WORKER_FAILED', /died after 3 tokens/u],
    [{ crashWith: {} }, '', 'RKLLM_WORKER_FAILED', /died after 0 tokens/u],
    [{ crashWith: { code: 'RKLLM_RUNTIME_CRASHED' }, crashAfterTokens: 2 }, 'a b', 'RKLLM_RUNTIME_CRASHED', /died/u],
    [{ crashWith: { message: 'SIGSEGV.' } }, '', 'RKLLM_WORKER_FAILED', /^SIGSEGV\.$/u],
  ];
  test.each(failing)('%j: after %p comes %s', async (script, text, code, message) => {
    const model = await scriptedModel({ reply: 'a b c', ...script });
    const generation = model.generate('Hi');
    const read: string[] = [];
    const error = await failureOf(async () => {
      for await (const piece of generation.textStream) read.push(piece);
    });
    expect(read.join('')).toBe(text);
    expect(error).toMatchObject({ code, message: expect.stringMatching(message) as string });
    expect(await failureOf(() => generation)).toBe(error);
    expect(model.state).toBe(/WORKER|CRASHED/u.test(code) ? 'failed' : 'ready');
  });

  test('one answer of several may fail, and the model goes on', async () => {
    const model = await scriptedModel({ replies: [{ failAfterTokens: 0 }, 'fine'] });
    expect(await codeOf(() => model.generate('Hi'))).toBe('RKLLM_RUN_FAILED');
    expect(await model.generate('Hi').text()).toBe('fine');
  });

  test('a limit that comes before is no failure', async () => {
    const model = await scriptedModel({ reply: 'a b c', failAfterTokens: 3 });
    expect((await model.generate('Hi', { maxNewTokens: 2 })).finishReason).toBe('length');
  });

  test('a crash takes everything along: what runs, what waits, what comes', async () => {
    const backend = scripted({ capabilities: { slots: 2 }, prefillMs: 60_000 });
    const model = await loadModel(undefined, { backend });
    const generations: Generation[] = ['1', '2', '3'].map((prompt) => model.generate(prompt));
    backend.crash();
    for (const generation of generations) expect(await codeOf(() => generation)).toBe('RKLLM_WORKER_FAILED');
    expect(model).toMatchObject({ state: 'failed', pending: 0 });
    expect(await codeOf(() => model.generate('4'))).toBe('RKLLM_WORKER_FAILED');
    await model.dispose();
    expect(backend).toMatchObject({ disposals: 1, requests: [{ outcome: 'failed' }, { outcome: 'failed' }] });
  });

  test('a model can be loaded again after a crash', async () => {
    const backend = scripted({ replies: [{ crashAfterTokens: 0 }, 'back'] });
    const first = await loadModel(undefined, { backend });
    expect(await codeOf(() => first.generate('Hi'))).toBe('RKLLM_WORKER_FAILED');
    expect(await (await loadModel(undefined, { backend })).generate('Hi').text()).toBe('back');
  });

  test('a crash is of what the test says', async () => {
    const backend = scripted({ prefillMs: 60_000 });
    const generation = (await loadModel(undefined, { backend })).generate('Hi');
    backend.crash({ code: 'RKLLM_RUNTIME_CRASHED', message: 'SIGBUS.' });
    expect(await failureOf(() => generation)).toMatchObject({ code: 'RKLLM_RUNTIME_CRASHED', message: 'SIGBUS.' });
    expect(await codeOf(() => backend.crash({ code: 'NOPE' as 'RKLLM_RUN_FAILED' }))).toBe('RKLLM_INVALID_OPTION');
  });

  test('a crash while a model is loaded is a load that fails', async () => {
    const clock = manualClock();
    const backend = scripted({ loadMs: 1000, clock });
    const loading = loadModel(undefined, { backend });
    await clock.advance(500);
    backend.crash();
    expect(await codeOf(() => loading)).toBe('RKLLM_WORKER_FAILED');
    expect(clock.sleepers).toBe(0);
  });

  test('loads fail in the order of a list, over all models, and the last one again and again', async () => {
    const backend = scripted({ failLoad: [false, { code: 'RKLLM_RUNTIME_CRASHED' }, true, false] });
    const codes: unknown[] = [];
    for (let load = 0; load < 5; load++) {
      const model = await loadModel(undefined, { backend }).catch((error: unknown) => error);
      codes.push(isRkllmError(model) ? model.code : undefined);
    }
    expect(codes).toEqual([undefined, 'RKLLM_RUNTIME_CRASHED', 'RKLLM_INIT_FAILED', undefined, undefined]);
  });

  test('a crash is recovered from where the model is loaded so', async () => {
    const replies = [{ crashAfterTokens: 0 }, { tokens: 'half an answer', crashAfterTokens: 1 }, 'fine'];
    const backend = scripted({ replies, failLoad: [false, { code: 'RKLLM_RUNTIME_CRASHED' }, false] });
    const restart = { maxCrashes: 9, delayMs: 0 };
    const model = await loadModel(undefined, { backend, onCrash: 'restart', restart });
    expect(await codeOf(() => model.generate('Hi'))).toBe('RKLLM_WORKER_FAILED');
    expect(await model.generate('Hi').text()).toBe('fine');
    expect(backend.requests.map(({ outcome, written }) => [outcome, written])).toEqual([
      ['failed', 0],
      ['failed', 1],
      ['eos', 1],
    ]);
    expect([backend.loads.length, backend.disposals]).toEqual([4, 2]);
  });

  test('what was disposed does not crash', async () => {
    const backend = scripted();
    const model = await loadModel(undefined, { backend });
    await model.dispose();
    backend.crash();
    expect(await codeOf(() => model.generate('Hi'))).toBe('RKLLM_DISPOSED');
  });

  test.each<[Script['failLoad'], string, RegExp]>([
    [true, 'RKLLM_INIT_FAILED', /load/u],
    [{ code: 'RKLLM_RUNTIME_NOT_FOUND' }, 'RKLLM_RUNTIME_NOT_FOUND', /load/u],
    [{ message: 'No NPU.' }, 'RKLLM_INIT_FAILED', /^No NPU\.$/u],
  ])('a load fails: %j', async (failLoad, code, message) => {
    const backend = scripted({ failLoad });
    const error = await failureOf(() => loadModel(undefined, { backend }));
    expect(error).toMatchObject({ code, message: expect.stringMatching(message) as string });
    expect(backend.loads).toHaveLength(1);
  });
});

describe('the record', () => {
  test('of loads and of generations', async () => {
    const backend = scripted({ reply: 'a b c' });
    const model = await loadModel('my-model', { backend, maxNewTokens: 9 });
    await model.generate('one', { seed: 3 });
    await model.generate({ tokenIds: [5, 6] }, { maxNewTokens: 2 });
    expect(backend.loads).toMatchObject([{ maxNewTokens: 9, path: expect.stringMatching(/my-model$/u) as string }]);
    expect(backend.requests).toMatchObject([
      { prompt: prompted('one'), request: { sampling: { seed: 3 }, maxNewTokens: 9 }, written: 3, outcome: 'eos' },
      { prompt: '5 6', request: { input: { type: 'tokens' } }, written: 2, aborted: false, outcome: 'length' },
    ]);
  });

  test('of an abort', async () => {
    const backend = scripted({ reply: 'a b c', tokenMs: 60_000 });
    const model = await loadModel(undefined, { backend });
    const generation = model.generate('Hi');
    for await (const text of generation.textStream) if (text === 'a') break;
    expect(backend.requests).toMatchObject([{ written: 1, aborted: true, outcome: 'aborted' }]);
    expect(await generation).toMatchObject({ text: 'a', finishReason: 'abort' });
  });

  test('of what runs', async () => {
    const backend = scripted({ prefillMs: 60_000 });
    const model = await loadModel(undefined, { backend });
    model.generate('Hi');
    expect(backend.requests).toMatchObject([{ written: 0, aborted: false, outcome: 'running' }]);
    await model.dispose({ abort: true });
    expect(backend).toMatchObject({ disposals: 1, requests: [{ aborted: true, outcome: 'aborted' }] });
  });
});

describe('a script that cannot be played is refused', () => {
  const odd = (script: unknown): Script => script as Script;
  test.each<[Script, string]>([
    [odd(null), 'scripted()'],
    [odd({ replay: 'x' }), "Did you mean 'reply'?"],
    [odd({ reply: 5 }), 'reply'],
    [odd({ reply: [5] }), 'token 0'],
    [odd({ reply: ['a', undefined] }), 'token 1'],
    [odd({ reply: [{ id: 5 }] }), 'token 0 has no text'],
    [odd({ reply: [{ text: 'a', id: 1.5 }] }), 'id'],
    [odd({ reply: { tokens: 'a', prefilMs: 5 } }), 'prefillMs'],
    [odd({ replies: [] }), 'replies'],
    [odd({ replies: ['a', { tokens: [{ text: 5 }] }] }), 'text'],
    [odd({ reply: 'a', replies: ['b'] }), 'reply or replies'],
    [odd({ failWith: { code: 'NOPE' } }), 'code'],
    [odd({ failLoad: { code: 'NOPE' } }), 'failLoad'],
    [odd({ failLoad: [] }), 'failLoad'],
    [odd({ failLoad: [false, 5] }), 'failLoad'],
    [odd({ crashWith: { code: 'NOPE' } }), 'crashWith'],
    [odd({ tokenMs: -1 }), 'tokenMs'],
    [odd({ promptTokens: 'many' }), 'unstated'],
    [odd({ endReason: 'aborted' }), 'endReason'],
    [odd({ clock: {} }), 'manualClock()'],
    [odd({ capabilities: 5 }), 'capabilities'],
  ])('%j', async (script, named) => {
    const error = await failureOf(() => scripted(script));
    expect(isRkllmError(error) && `${error.code}: ${error.message} ${error.hint}`).toMatch(
      /_(?:INVALID|UNKNOWN)_OPTION:/u,
    );
    expect(isRkllmError(error) && `${error.message} ${error.hint}`).toContain(named);
  });

  test('also what a function returns, by the generation', async () => {
    const model = await scriptedModel({ reply: () => 5 as unknown as string });
    expect(await codeOf(() => model.generate('Hi'))).toBe('RKLLM_INVALID_OPTION');
  });
});
