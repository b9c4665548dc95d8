import { codeOf, failureOf } from '../../support/reading.js';
import { Heard, load, prompts, reasonsOf, textsOf } from './batches.js';
import { FakeModel, isFrom, releases, until } from './fake-model.js';

const batching = releases.filter((release) => isFrom(release, '1.2.3'));

describe.each(batching)('a batch on %s', (release) => {
  test('answers rows of different length, each with its own', async () => {
    const fake = new FakeModel();
    const { model, runtime } = await load(release, fake, { batchSize: 3 });
    expect(model.capabilities.batchSize).toBe(3);
    const heard = new Heard();
    const inputs = [{ prompt: 'one two three four' }, { prompt: 'one' }, { prompt: 'one two' }];
    const answers = await runtime.generateBatch(inputs, { onText: heard.onText });
    expect(textsOf(answers)).toEqual(inputs.map(({ prompt }) => `You said: ${prompt}`));
    expect(answers.map(({ tokenIds }) => tokenIds.length)).toEqual([6, 3, 4]);
    expect(reasonsOf(answers)).toEqual(['stop', 'stop', 'stop']);
    for (const [row, { text, tokenIds }] of answers.entries()) {
      expect(heard.text(row)).toBe(text);
      expect(heard.tokenIds(row)).toEqual(tokenIds);
    }
    expect(fake.calls).toContain('run one two three four | one | one two');
    expect(fake.journal[0]).toContain('n_batch=3');
  });

  test('takes prompts of different kinds, up to eight', async () => {
    const fake = new FakeModel('embed-dim 2');
    const { runtime } = await load(release, fake, { batchSize: 8, embeddingWidth: 2 });
    const tokenIds = new Int32Array([7, 8, 9]);
    const embeddings = new Float32Array(4);
    const answer = runtime.generateBatch([{ prompt: 'a' }, { tokenIds }, { embeddings, tokens: 2 }, ...prompts(5)]);
    tokenIds.fill(1); // the caller's arrays are the caller's
    expect(textsOf(await answer).slice(0, 4)).toEqual([
      'You said: a',
      'Tokens: 7 8 9',
      'Embeddings: 2',
      'You said: p0',
    ]);
  });

  test.each([
    ['inside tokens', ['bytes a😊b', 'next-row', 'bytes éü', 'next-row', 'token xyz']],
    ['with WAITING rows', ['characters a😊b', 'next-row', 'characters éü', 'next-row', 'token xyz']],
    ['differently', ['characters a😊b', 'next-row', 'bytes éü', 'next-row', 'token xy', 'null', 'token z']],
  ])('joins characters that are split %s', async (_, script) => {
    const { runtime } = await load(release, new FakeModel(...script), { batchSize: 3 });
    const heard = new Heard();
    const answers = await runtime.generateBatch(prompts(3), { onText: heard.onText });
    expect(textsOf(answers)).toEqual(['a😊b', 'éü', 'xyz']);
    for (const { text } of heard.pieces) expect(text).not.toContain('\ufffd');
    expect(answers[0]?.tokenIds).toHaveLength(6);
    for (const [row, { tokenIds }] of answers.entries()) expect(heard.tokenIds(row)).toEqual(tokenIds);
  });

  test('shows bytes that are no character', async () => {
    const script = ['token a\\xf0\\x9f', 'next-row', 'token \\xff', 'token b', 'token c'];
    const { runtime } = await load(release, new FakeModel(...script), { batchSize: 2 });
    expect(textsOf(await runtime.generateBatch(prompts(2)))).toEqual(['a\ufffd', '\ufffdbc']);
  });

  test('cuts each row at the limit, and before a character that is not complete', async () => {
    const fake = new FakeModel('bytes a😊', 'next-row', 'token x', 'next-row', 'token 1', 'token 2', 'token 3');
    const { runtime } = await load(release, fake, { batchSize: 3 });
    const answers = await runtime.generateBatch(prompts(3), { maxNewTokens: 3 });
    expect(textsOf(answers)).toEqual(['a', 'x', '123']);
    expect(answers.map(({ tokenIds }) => tokenIds.length)).toEqual([3, 1, 3]);
    expect(reasonsOf(answers)).toEqual(['length', 'stop', 'length']);
  });

  test('ends at the limit when no row ends by itself, and at that of the model', async () => {
    const fake = new FakeModel('token a', 'endless');
    const { runtime } = await load(release, fake, { batchSize: 2, maxNewTokens: 4 });
    expect(textsOf(await runtime.generateBatch(prompts(2), { maxNewTokens: 2 }))).toEqual(['aa', 'aa']);
    expect(reasonsOf(await runtime.generateBatch(prompts(2)))).toEqual(['length', 'length']);
    // Before 1.3.0 the runtime cannot be told the limit of a run.
    expect(fake.calls.filter((call) => call === 'abort')).toHaveLength(isFrom(release, '1.3.0') ? 0 : 2);
  });

  test('an abort stops all rows, and the engine is idle when it rejects', async () => {
    const fake = new FakeModel('token a', 'endless', 'token-us 100', 'abort-delay-ms 20');
    const { model, runtime } = await load(release, fake, { batchSize: 2 });
    const controller = new AbortController();
    const reason = new Error('enough');
    const heard = new Heard();
    const failure = await failureOf(() =>
      runtime.generateBatch(prompts(2), {
        signal: controller.signal,
        onText: (...piece) => {
          heard.onText(...piece);
          if (heard.pieces.length === 3) controller.abort(reason);
        },
      }),
    );
    expect(failure).toBe(reason);
    expect(model.state).toBe('ready');
    expect(heard.pieces).toHaveLength(3);
    expect(fake.calls.at(-1)).toBe('run-end 0');
  });

  test('an abort during the prefill, before any row has a token', async () => {
    const fake = new FakeModel('token a', 'prefill-ms 60000');
    const { runtime } = await load(release, fake, { batchSize: 2 });
    const controller = new AbortController();
    const answers = runtime.generateBatch(prompts(2), { signal: controller.signal });
    await until(() => fake.calls.includes('run p0 | p1'));
    controller.abort();
    expect(await failureOf(() => answers)).toBe(controller.signal.reason);
  });

  test('asks nothing when the signal is aborted already', async () => {
    const fake = new FakeModel();
    const { runtime } = await load(release, fake, { batchSize: 2 });
    const before = fake.calls;
    const signal = AbortSignal.abort(new Error('before'));
    expect(await failureOf(() => runtime.generateBatch(prompts(2), { signal }))).toBe(signal.reason);
    expect(fake.calls).toEqual(before);
  });

  test('a listener that throws stops it, and is what it rejects with', async () => {
    const fake = new FakeModel('token a', 'endless', 'token-us 100');
    const { model, runtime } = await load(release, fake, { batchSize: 2 });
    const mine = new Error('mine');
    const onText = (): void => {
      throw mine;
    };
    expect(await failureOf(() => runtime.generateBatch(prompts(2), { onText }))).toBe(mine);
    expect(model.state).toBe('ready');
    expect(fake.calls.at(-1)).toBe('run-end 0');
  });

  test.each([
    ['without FINISH', ['no-finish']],
    ['with NULL results', ['null-result']],
    ['with unknown events', ['extra-state 77']],
    ['with hidden-state events', ['extra-state 4']],
    ['with callbacks from another thread', ['foreign-thread']],
    ['with an event after its end', ['late-event 0']],
  ])('ends once %s', async (_, script) => {
    const fake = new FakeModel('token a', 'next-row', 'token b', 'token c', ...script);
    const { runtime } = await load(release, fake, { batchSize: 2 });
    for (let i = 0; i < 2; i++) {
      const answers = await runtime.generateBatch(prompts(2));
      expect(textsOf(answers)).toEqual(['a', 'bc']);
      expect(reasonsOf(answers)).toEqual(['stop', 'stop']);
    }
  });

  test.each([
    ['an ERROR event', ['error-after 1', 'run-code -1']],
    ['an ERROR event without a result', ['error-after 0', 'null-result']],
    ['a code only', ['run-code -1', 'no-finish']],
    ['a code after FINISH', ['run-code 3']],
  ])('fails with %s and leaves the model usable', async (_, script) => {
    const fake = new FakeModel('token a', 'token b', ...script);
    const { model, runtime } = await load(release, fake, { batchSize: 2 });
    for (let i = 0; i < 2; i++) {
      expect(await codeOf(() => runtime.generateBatch(prompts(2)))).toBe('RKLLM_RUN_FAILED');
    }
    expect(model.state).toBe('ready');
  });

  test('fails when one prompt is longer than the context', async () => {
    const { runtime } = await load(release, new FakeModel(), { batchSize: 2, maxContextLength: 32 });
    const tooLong = [{ prompt: 'short' }, { prompt: 'word '.repeat(40) }];
    expect(await codeOf(() => runtime.generateBatch(tooLong))).toBe('RKLLM_RUN_FAILED');
    expect(textsOf(await runtime.generateBatch(prompts(2)))).toEqual(['You said: p0', 'You said: p1']);
  });

  test('the sizes of the KV cache are those of the rows', async () => {
    const { runtime } = await load(release, new FakeModel(), { batchSize: 3 });
    expect(await runtime.kvCacheSizes()).toEqual([0, 0, 0]);
    await runtime.generateBatch([{ prompt: 'one' }, { prompt: 'one two' }, { prompt: 'one two three' }]);
    const sizes = await runtime.kvCacheSizes();
    expect(sizes).toHaveLength(3);
    expect(sizes[0]).toBeLessThan(sizes[2] ?? 0);
    expect(await runtime.kvCacheSize()).toBe(sizes[0]);
  });

  test.each([
    ['waits for it', false, { text: 'aaaa', finishReason: 'length' }],
    ['stops it', true, { finishReason: 'abort' }],
  ])('dispose({ abort }) %s', async (_, abort, expected) => {
    const fake = new FakeModel('token a', 'endless', 'token-us 2000');
    const { model, runtime } = await load(release, fake, { batchSize: 2 });
    const heard = new Heard();
    const maxNewTokens = abort ? undefined : 4;
    const answers = runtime.generateBatch(prompts(2), { onText: heard.onText, maxNewTokens });
    const waiting = runtime.generateBatch(prompts(2));
    const refused = codeOf(() => waiting);
    await until(() => heard.pieces.length > 0);
    const disposal = model.dispose({ abort });
    expect(await refused).toBe('RKLLM_DISPOSED');
    expect(await answers).toMatchObject([expected, expected]);
    await disposal;
    expect(await codeOf(() => runtime.generateBatch(prompts(2)))).toBe('RKLLM_DISPOSED');
  });

  test('after dispose({ abort: true }) a row that had ended says so', async () => {
    const long = Array.from({ length: 5000 }, () => 'token b');
    const fake = new FakeModel('token a', 'next-row', ...long, 'token-us 1000');
    const { model, runtime } = await load(release, fake, { batchSize: 2 });
    const heard = new Heard();
    const answers = runtime.generateBatch(prompts(2), { onText: heard.onText });
    await until(() => heard.text(1).length > 3);
    await model.dispose({ abort: true });
    expect(reasonsOf(await answers)).toEqual(['stop', 'abort']);
  });
});
