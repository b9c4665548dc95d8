import { codeOf, failureOf } from '../../support/reading.js';
import { FakeModel, dispose, fakeRuntime, prompt, read } from './fake-model.js';

describe('a model', () => {
  test('says what it is', async () => {
    const fake = new FakeModel();
    const model = await fake.load();
    expect(model.info).toEqual({
      name: expect.stringMatching(/^model-\d+$/u) as string,
      contextLength: 4096,
      quantization: undefined,
      addsBosToken: true,
      chatTemplate: undefined,
      bosToken: undefined,
      eosToken: undefined,
      runtime: {
        path: fakeRuntime('1.1.1'),
        version: '1.1.1',
        generation: '1.1',
        evidence: [
          { source: 'symbols', found: 'none that 1.1.x does not have', suggests: '1.1.0 to 1.1.4' },
          { source: 'version string', found: '1.1.1', suggests: '1.1.0 to 1.1.4' },
          {
            source: 'rkllm_createDefaultParam',
            found: 'the last byte written is 83; at byte 20 is a probability',
            suggests: '1.1.0 to 1.1.4',
          },
        ],
        overridden: false,
      },
    });
    expect(model.capabilities).toEqual({
      perRequestSampling: false,
      seed: false,
      kvReuse: false,
      tokenInput: true,
      mirostat: true,
      media: ['image'],
      thinking: false,
      hiddenStates: true,
      logits: false,
      batchSize: 1,
      slots: 1,
    });
  });

  test('is initialized with the defaults of the runtime', async () => {
    const fake = new FakeModel();
    await fake.load();
    expect(fake.journal).toEqual([
      'init max_context_len=4096 max_new_tokens=-1 top_k=40 top_p=0.9 temperature=0.8 repeat_penalty=1.1 ' +
        'frequency_penalty=0 presence_penalty=0 mirostat=0 mirostat_tau=5 mirostat_eta=0.1 base_domain_id=0',
    ]);
  });

  test('is initialized with what was asked for', async () => {
    const fake = new FakeModel();
    const sampling = {
      temperature: 0.5,
      topK: 7,
      topP: 0.25,
      repeatPenalty: 1.5,
      frequencyPenalty: 0.125,
      presencePenalty: -0.5,
    };
    const model = await fake.load({ maxContextLength: 1024, maxNewTokens: 5, sampling });
    expect(model.info.contextLength).toBe(1024);
    expect(fake.journal).toEqual([
      'init max_context_len=1024 max_new_tokens=-1 top_k=7 top_p=0.25 temperature=0.5 repeat_penalty=1.5 ' +
        'frequency_penalty=0.125 presence_penalty=-0.5 mirostat=0 mirostat_tau=5 mirostat_eta=0.1 base_domain_id=0',
    ]);
  });

  test('is greedy at temperature 0', async () => {
    const fake = new FakeModel();
    await fake.load({ sampling: { temperature: 0, topK: 50 } });
    expect(fake.journal[0]).toContain('top_k=1 top_p=1 temperature=1 ');
  });

  test('is destroyed once', async () => {
    const fake = new FakeModel();
    await dispose(await fake.load());
    expect(fake.calls).toEqual(['init', 'destroy']);
  });

  test('loads beside another one that behaves differently', async () => {
    const models = await Promise.all([new FakeModel('token one').load(), new FakeModel('token two').load()]);
    const outcomes = await Promise.all(models.map((model) => read(model.start(prompt()))));
    expect(outcomes.map(({ text }) => text)).toEqual(['one', 'two']);
  });

  test('loads and disposes beside a running event loop', async () => {
    let turns = 0;
    const timer = setInterval(() => turns++, 1);
    const fake = new FakeModel('init-delay-ms 100', 'destroy-delay-ms 100');
    const model = await fake.load();
    expect(turns).toBeGreaterThan(1);
    turns = 0;
    await dispose(model);
    expect(turns).toBeGreaterThan(1);
    clearInterval(timer);
  });
});

describe('a run', () => {
  test('streams text and ids', async () => {
    const fake = new FakeModel('token Hello', 'token , ', 'id 7', 'token world', 'token !');
    const model = await fake.load();
    const { texts, tokenIds, end } = await read(model.start(prompt()));
    expect(texts).toEqual(['Hello', ', ', 'world', '!']);
    expect(tokenIds).toEqual([1000, 1001, 7, 8]);
    expect(end).toMatchObject({ reason: 'unstated', promptTokens: undefined, cachedPromptTokens: undefined });
    expect(end.prefillMs).toBeGreaterThanOrEqual(0);
    expect(end.decodeMs).toBeGreaterThanOrEqual(0);
    expect(end.peakMemoryMb).toBeGreaterThan(0);
    expect(fake.calls).toEqual(['init', 'run hi', 'run-end 0']);
  });

  test('passes the prompt on as it is', async () => {
    const model = await new FakeModel().load();
    const text = '<|user|>\nWie heiß ist es? 🌡️ 25 °C<|end|>\n<|assistant|>\n';
    expect((await read(model.start(prompt(text)))).text).toBe(`You said: ${text}`);
  });

  test('takes token ids', async () => {
    const model = await new FakeModel().load();
    const tokenIds = new Int32Array([1, 0, 2_147_483_647]);
    const run = model.start({ input: { type: 'tokens', tokenIds }, maxNewTokens: undefined, sampling: {} });
    tokenIds.fill(9); // the caller's array is the caller's
    expect((await read(run)).text).toBe('Tokens: 1 0 2147483647');
  });

  test.each([
    ['with WAITING events', ['token a', 'waiting', 'waiting', 'token \\xf0\\x9f\\x98\\x8a', 'token z']],
    ['inside tokens', ['token a\\xf0', 'token \\x9f', 'token \\x98', 'token \\x8a', 'token z']],
  ])('keeps the bytes of a character that is split %s', async (_, script) => {
    const model = await new FakeModel(...script).load();
    const { text, tokenIds } = await read(model.start(prompt()));
    expect(text).toBe('a😊z');
    expect(tokenIds).toEqual([1000, 1001, 1002, 1003, 1004]);
  });

  test('keeps bytes that are not UTF-8', async () => {
    const model = await new FakeModel('token \\xff\\xfe', 'token \\xc3', 'token x').load();
    expect([...(await read(model.start(prompt()))).bytes]).toEqual([0xff, 0xfe, 0xc3, 0x78]);
  });

  test('has tokens without text', async () => {
    const model = await new FakeModel('null', 'token a', 'token ', 'null').load();
    const { texts, tokenIds } = await read(model.start(prompt()));
    expect(texts).toEqual(['', 'a', '', '']);
    expect(tokenIds).toHaveLength(4);
  });

  test('carries a large token', async () => {
    const large = 'x'.repeat(65_536);
    const model = await new FakeModel('token a', `token ${large}`, 'token b').load();
    expect((await read(model.start(prompt()))).text).toBe(`a${large}b`);
  });

  test.each([
    ['without FINISH', ['no-finish']],
    ['with NULL results', ['null-result']],
    ['with hidden-state events', ['extra-state 4']],
    ['with unknown events', ['extra-state 77']],
    ['with callbacks from another thread', ['foreign-thread']],
    ['with tokens slower than the reader', ['token-us 2000']],
  ])('ends once %s', async (_, script) => {
    const fake = new FakeModel('token a', 'token b', ...script);
    const model = await fake.load();
    for (let i = 0; i < 3; i++) {
      const { text, end } = await read(model.start(prompt()));
      expect(text).toBe('ab');
      expect(end.reason).toBe('unstated');
    }
  });

  test('ends without a token', async () => {
    const model = await new FakeModel('token a', 'repeat 0').load();
    const { tokenIds, end } = await read(model.start(prompt()));
    expect(tokenIds).toEqual([]);
    expect(end).toMatchObject({ reason: 'unstated', prefillMs: undefined, decodeMs: undefined });
  });

  test('floods a million tokens, complete and in order', async () => {
    const model = await new FakeModel(...Array.from('0123456789', (c) => `token ${c}`), 'repeat 100000').load();
    const run = model.start(prompt());
    let count = 0;
    let wrong = 0;
    let over = false as boolean; // changed by the callback below
    void run.ended.then(() => (over = true));
    for (;;) {
      const batch = run.drain();
      if (batch === undefined) {
        if (over) break;
        await run.readable();
        continue;
      }
      for (let i = 0; i < batch.tokenIds.length; i++, count++) {
        const isRight =
          batch.tokenIds[i] === 1000 + (count % 10) &&
          batch.ends[i] === i + 1 &&
          batch.bytes[i] === 0x30 + (count % 10);
        if (!isRight) wrong++;
      }
    }
    expect({ count, wrong }).toEqual({ count: 1_000_000, wrong: 0 });
  });

  test('can be read after its end', async () => {
    const model = await new FakeModel('token a', 'token b').load();
    const run = model.start(prompt());
    await run.ended;
    await run.readable();
    expect(Buffer.from(run.drain()?.bytes ?? []).toString()).toBe('ab');
    expect(run.drain()).toBeUndefined();
  });

  test('stops at maxNewTokens, on the token', async () => {
    const fake = new FakeModel('token a', 'endless');
    const model = await fake.load();
    const { text, end } = await read(model.start(prompt('hi', 5)));
    expect(text).toBe('aaaaa');
    expect(end.reason).toBe('length');
    expect(fake.calls).toEqual(['init', 'run hi', 'abort', 'run-end 0']);
    expect((await read(model.start(prompt('hi', 1)))).text).toBe('a');
  });

  test('ends before maxNewTokens when the model ends', async () => {
    const model = await new FakeModel('token a').load();
    expect((await read(model.start(prompt('hi', 5)))).end.reason).toBe('unstated');
  });
});

describe('a run that fails', () => {
  test.each([
    ['with an ERROR event', ['token a', 'error-after 1', 'run-code -1']],
    ['with an ERROR event and code 0', ['token a', 'token b', 'error-after 1']],
    ['with an ERROR event without a result', ['token a', 'error-after 0', 'null-result']],
    ['with a code only', ['token a', 'run-code -1', 'no-finish']],
    ['with a code after FINISH', ['token a', 'run-code 3']],
  ])('%s leaves the model usable', async (_, script) => {
    const fake = new FakeModel(...script);
    const model = await fake.load();
    for (let i = 0; i < 2; i++) expect(await codeOf(() => read(model.start(prompt())))).toBe('RKLLM_RUN_FAILED');
    expect(fake.calls.filter((call) => call === 'run hi')).toHaveLength(2);
  });

  test('names the code, and keeps the tokens so far', async () => {
    const model = await new FakeModel('token a', 'token b', 'error-after 2', 'run-code -7').load();
    const run = model.start(prompt());
    expect(await failureOf(() => run.ended)).toMatchObject({ details: { returned: -7 } });
    expect(run.drain()?.tokenIds).toHaveLength(2);
  });

  test('is refused for a prompt that is longer than the context', async () => {
    const model = await new FakeModel().load({ maxContextLength: 16 });
    expect(await codeOf(() => read(model.start(prompt('word '.repeat(13)))))).toBe('RKLLM_RUN_FAILED');
    expect((await read(model.start(prompt('short')))).text).toBe('You said: short');
  });

  test.each([
    ['an empty prompt', prompt('')],
    ['a prompt with U+0000', prompt('a\0b')],
    ['no token', { input: { type: 'tokens', tokenIds: new Int32Array() }, maxNewTokens: undefined, sampling: {} }],
    ['a negative token', { input: { type: 'tokens', tokenIds: new Int32Array([-1]) }, maxNewTokens: 1, sampling: {} }],
  ] as const)('never reaches the runtime with %s', async (_, request) => {
    const fake = new FakeModel();
    const model = await fake.load();
    expect(await codeOf(() => read(model.start(request)))).toBe('RKLLM_INVALID_INPUT');
    expect(fake.calls).toEqual(['init']);
  });

  test('is refused after dispose', async () => {
    const model = await new FakeModel().load();
    await dispose(model);
    const run = model.start(prompt());
    expect(await codeOf(() => run.ended)).toBe('RKLLM_DISPOSED');
    await run.readable();
    run.abort();
    expect(run.drain()).toBeUndefined();
  });
});
