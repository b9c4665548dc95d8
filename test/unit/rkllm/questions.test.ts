/** The tokenizer and the embeddings of a model that was converted without them, answered by JavaScript functions. */
import { loadModel, type Embedder, type LoadModelOptions, type Model, type Tokenizer } from 'rkllm';
import { collect, failureOf, tokenIdsOf } from '../../support/reading.js';
import { askingReleases, later, lengths, load, rows, width } from './asking-model.js';
import { FakeModel, fakeRuntime, prompt, read, releases } from './fake-model.js';

const askFor = async (model: Model, prompt: string): Promise<number[]> =>
  tokenIdsOf(await collect(model.generate({ prompt })));

/** What the runtime was told in answer to its questions. */
const answersIn = (fake: FakeModel): string[] =>
  fake.journal.filter((line) => /^(?:tokenized|embedd)/u.test(line)).map((line) => line.replace(/\.(\d)0+/gu, '.$1'));

describe.each(askingReleases)('%s', (release) => {
  test.each([
    ['at once', lengths, rows],
    ['later', later(lengths), later(rows)],
    ['as an Int32Array', (text: string) => Int32Array.from(text.split(' '), (word) => word.length), rows],
  ])('is answered %s', async (_, tokenizer, embedder) => {
    const fake = new FakeModel('details', 'no-tokenizer', 'no-embedding', `embed-dim ${width}`, 'embed-chunk 2');
    const model = await load(fake, release, { tokenizer, embedder });
    expect(await askFor(model, 'a bb ccc')).toEqual([1, 2, 3]); // without a tokenizer the fake gives them back
    expect(answersIn(fake)).toEqual([
      'tokenized "a bb ccc" to 3',
      'embedded 2 first=1.0 last=2.5', // the prompt, in two pieces
      'embedded 1 first=3.0 last=3.5',
      'embedded 1 first=1.0 last=1.5', // each token that was written
      'embedded 1 first=2.0 last=2.5',
      'embedded 1 first=3.0 last=3.5',
    ]);
  });

  test('the functions get the prompt, the room for it, and the token ids', async () => {
    const asked: unknown[] = [];
    const tokenizer: Tokenizer = (text, maxTokens) => {
      asked.push([text, maxTokens]);
      return [7, 8];
    };
    const embedder: Embedder = (tokenIds) => {
      asked.push([Object.prototype.toString.call(tokenIds), ...tokenIds]);
      return rows(tokenIds);
    };
    const script = ['no-tokenizer', 'tokenizer-max 5', 'no-embedding', `embed-dim ${width}`];
    const model = await load(new FakeModel(...script), release, { tokenizer, embedder });
    await askFor(model, 'Zürich 😊');
    expect(asked).toEqual([
      ['Zürich 😊', 5],
      ['[object Int32Array]', 7, 8],
      ['[object Int32Array]', 7],
      ['[object Int32Array]', 8],
    ]);
  });

  test('nothing is asked where the model has its own', async () => {
    const never = (): never => {
      throw new Error('asked');
    };
    const model = await load(new FakeModel(), release, { tokenizer: never, embedder: never });
    expect((await model.generate('hi')).text).toBe('You said: hi');
  });

  test('no callback is given to the runtime unless it is wanted', async () => {
    const model = await load(new FakeModel('no-embedding', 'token a'), release, { tokenizer: lengths });
    expect(await failureOf(() => model.generate('hi'))).toMatchObject({ code: 'RKLLM_RUN_FAILED' });
  });

  test('hidden states wait for an answer too', async () => {
    const model = await load(new FakeModel('no-tokenizer'), release, { tokenizer: later(lengths) });
    expect(await model.runtime?.hiddenStates({ prompt: 'a b c' })).toMatchObject({ rows: 3 });
  });

  const boom = new RangeError('boom');
  const failures: [string, LoadModelOptions, RegExp, unknown][] = [
    ['a tokenizer that throws', { tokenizer: () => fail(boom) }, /tokenizer .*boom/u, boom],
    ['a tokenizer that rejects', { tokenizer: () => Promise.reject(boom) }, /tokenizer .*boom/u, boom],
    ['an embedder that throws', { embedder: () => fail(boom) }, /embedder .*boom/u, boom],
    ['an embedder that rejects', { embedder: () => Promise.reject(boom) }, /embedder .*boom/u, boom],
    ['a tokenizer that gives nothing', { tokenizer: () => wrong(undefined) }, /tokenizer .*undefined/u, undefined],
    ['a tokenizer that gives a text', { tokenizer: () => wrong('1 2') }, /tokenizer .*the string '1 2'/u, undefined],
    [
      'a tokenizer that gives floats',
      { tokenizer: () => wrong(new Float32Array(2)) },
      /tokenizer .*Float32Array/u,
      undefined,
    ],
    ['a negative token id', { tokenizer: () => [1, -1] }, /tokenizer .*the number -1 among/u, undefined],
    ['a token id beyond 32 bits', { tokenizer: () => [2 ** 31] }, /tokenizer .*2147483648 among/u, undefined],
    ['half a token', { tokenizer: () => [1.5] }, /tokenizer .*1\.5 among/u, undefined],
    ['a list with a hole', { tokenizer: () => Array<number>(3) }, /tokenizer .*undefined among/u, undefined],
    ['a negative id in an Int32Array', { tokenizer: () => Int32Array.of(-5) }, /tokenizer .*-5 among/u, undefined],
    ['too many token ids', { tokenizer: () => [1, 2, 3, 4, 5] }, /tokenizer .*5 token ids .* at most 4/u, undefined],
    ['an embedder that gives a list', { embedder: () => wrong([1, 2]) }, /embedder .*an array/u, undefined],
    [
      'an embedder that gives doubles',
      { embedder: () => wrong(new Float64Array(4)) },
      /embedder .*Float64Array/u,
      undefined,
    ],
    ['too few floats', { embedder: () => new Float32Array(3) }, /embedder .*3 floats for 2 tokens .* 4/u, undefined],
    ['too many floats', { embedder: () => new Float32Array(5) }, /embedder .*5 floats for 2 tokens .* 4/u, undefined],
  ];

  describe.each([
    ['reports it', []],
    ['hides it', ['unanswered-code 0']],
    ['goes on all the same', ['unanswered-ignored', 'token a', 'repeat 20']],
  ])('with a runtime that %s, the generation fails by', (_, behaviour) => {
    test.each(failures)('%s', async (_, functions, message, cause) => {
      const lacks = 'tokenizer' in functions ? ['no-tokenizer', 'tokenizer-max 4'] : ['no-embedding'];
      const fake = new FakeModel(...lacks, `embed-dim ${width}`, ...behaviour);
      const model = await load(fake, release, functions);
      const failure = await failureOf(() => model.generate({ prompt: 'a b' }));
      expect(failure).toMatchObject({ code: 'RKLLM_RUN_FAILED', message: expect.stringMatching(message) as string });
      expect((failure as Error).cause).toBe(cause);
    });
  });

  test('a failure is that of its own generation', async () => {
    let times = 0;
    const tokenizer: Tokenizer = (text) => (++times === 2 ? fail(boom) : lengths(text, 64));
    const model = await load(new FakeModel('no-tokenizer'), release, { tokenizer });
    const outcomes = await Promise.allSettled(['a', 'b', 'c'].map((prompt) => model.generate({ prompt }).result()));
    expect(outcomes.map(({ status }) => status)).toEqual(['fulfilled', 'rejected', 'fulfilled']);
  });

  test('an embedder may fail at a token that is written', async () => {
    let times = 0;
    const embedder: Embedder = (tokenIds) => (++times === 3 ? fail(boom) : rows(tokenIds));
    const fake = new FakeModel('no-embedding', `embed-dim ${width}`, 'token a', 'endless');
    const model = await load(fake, release, { embedder });
    const failure = await failureOf(() => model.generate('hi'));
    expect(failure).toMatchObject({ code: 'RKLLM_RUN_FAILED', cause: boom });
    expect(times).toBe(3);
  });

  test.each([
    ['aborted', {}, []],
    ['paused, and goes on all the same', { stopBy: 'pause' as const }, ['pause-ignored']],
    ['paused, and hides the failure', { stopBy: 'pause' as const }, ['pause-ignored', 'unanswered-code 0']],
  ])('an embedder may fail at the last token that is wanted, when the run is %s', async (_, options, behaviour) => {
    let times = 0;
    const embedder: Embedder = (tokenIds) => (++times > 2 ? fail(boom) : rows(tokenIds));
    const fake = new FakeModel('no-embedding', `embed-dim ${width}`, 'token a', 'endless', ...behaviour);
    const model = await fake.load({ runtimePath: fakeRuntime(release), npu: { embedder } });
    const { text, end } = await read(model.start({ ...prompt('hi', 2), npu: options }));
    expect([text, end.reason, times]).toEqual(['aa', 'length', 3]);
  });

  test('two models with functions of their own ask at the same time', async () => {
    const models = await Promise.all(
      [100, 200].map((base) =>
        load(new FakeModel('no-tokenizer'), release, { tokenizer: later((text) => [base, base + text.length]) }),
      ),
    );
    const answers = await Promise.all(models.flatMap((model) => [askFor(model, 'a'), askFor(model, 'bb')]));
    expect(answers).toEqual([
      [100, 101],
      [100, 102],
      [200, 201],
      [200, 202],
    ]);
  });
});

describe.each(releases.filter((release) => !release.startsWith('1.3')))('%s', (release) => {
  test.each([{ tokenizer: lengths }, { embedder: rows }])('refuses %p before the model is read', async (functions) => {
    const fake = new FakeModel();
    expect(await failureOf(() => load(fake, release, functions))).toMatchObject({
      code: 'RKLLM_UNSUPPORTED_BY_RUNTIME',
      details: { option: Object.keys(functions)[0], since: '1.3.0' },
    });
    expect(fake.calls).toEqual([]);
  });
});

test.each(['tokenizer', 'embedder'])('a %s that is no function is refused', async (name) => {
  for (const value of ['x', 1, {}, [], null]) {
    const options = { [name]: value } as unknown as LoadModelOptions;
    expect(await failureOf(() => loadModel('/no/such.rkllm', options))).toMatchObject({ code: 'RKLLM_INVALID_OPTION' });
  }
});

test.each([{ tokenizer: lengths }, { embedder: rows }])('the CPU backend refuses %p', async (functions) => {
  expect(await failureOf(() => loadModel(undefined, { backend: 'onnx', ...functions }))).toMatchObject({
    code: 'RKLLM_UNSUPPORTED_OPTION',
  });
});

function fail(error: unknown): never {
  throw error;
}

/** What a function must not return. */
function wrong(value: unknown): never {
  return value as never;
}
