/** Vectors from rows, and the numbers that the CPU backend gives. */
import { loadModel, type Model } from 'rkllm';
import { scripted } from 'rkllm/testing';
import { checkTexts, toVector } from '../../lib/embeddings.js';
import { codeOf, failureOf } from '../support/reading.js';

const matrix = { values: Float32Array.of(1, 2, 5, 4), rows: 2, columns: 2 };

describe('a vector', () => {
  test.each([
    ['last', false, [5, 4]],
    ['mean', false, [3, 3]],
    ['last', true, [5 / Math.sqrt(41), 4 / Math.sqrt(41)]],
    ['mean', true, [Math.SQRT1_2, Math.SQRT1_2]],
  ] as const)('by pooling %s, normalized %s', (pooling, normalize, expected) => {
    const vector = toVector(matrix, { pooling, normalize }, undefined);
    expect([...vector]).toEqual(expected.map((value) => expect.closeTo(value, 6) as number));
  });

  test('is a copy', () => {
    const vector = toVector(matrix, { pooling: 'last', normalize: false }, undefined);
    vector.fill(0);
    expect([...matrix.values]).toEqual([1, 2, 5, 4]);
  });

  test('of zeros stays one of zeros', () => {
    const zeros = { values: new Float32Array(3), rows: 1, columns: 3 };
    expect([...toVector(zeros, { pooling: 'last', normalize: true }, undefined)]).toEqual([0, 0, 0]);
  });

  test.each([
    ['no rows', { values: new Float32Array(0), rows: 0, columns: 2 }, undefined],
    ['another size than it says', { values: new Float32Array(3), rows: 2, columns: 2 }, undefined],
    ['what is no number', { values: Float32Array.of(NaN, 1), rows: 1, columns: 2 }, undefined],
    ['infinity', { values: Float32Array.of(Infinity, 1), rows: 1, columns: 2 }, undefined],
    ['another width than before', matrix, new Float32Array(3)],
  ])('is not made of %s', async (_, states, before) => {
    const how = { pooling: 'last', normalize: true } as const;
    expect(await codeOf(() => toVector(states, how, before))).toBe('RKLLM_RUN_FAILED');
  });
});

test.each([
  ['a number', 5, 'RKLLM_INVALID_INPUT'],
  ['nothing', undefined, 'RKLLM_INVALID_INPUT'],
  ['a list with a hole', Array.from({ length: 1 }), 'RKLLM_INVALID_INPUT'],
  ['a text with U+0000', ['a\0'], 'RKLLM_INVALID_INPUT'],
  ['an empty text', ['a', ''], 'RKLLM_EMPTY_PROMPT'],
  ['white space', ' \n', 'RKLLM_EMPTY_PROMPT'],
])('%s has no vectors', async (_, texts, code) => {
  expect(await codeOf(() => checkTexts(texts))).toBe(code);
});

describe('on the CPU', () => {
  let model: Model;
  beforeAll(async () => (model = await loadModel(undefined, { temperature: 0 })));
  afterAll(() => model.dispose());

  const dot = (a: Float32Array, b: Float32Array): number => a.reduce((sum, value, i) => sum + value * (b[i] ?? NaN), 0);

  test('a text has the direction of its own vector, and of no other', async () => {
    const { vectors, dimensions } = await model.embed(['What is a token?', 'What is a token?', 'Who won in 1972?']);
    const [a, b, c] = vectors as [Float32Array, Float32Array, Float32Array];
    expect(dimensions).toBe(192);
    expect(dot(a, a)).toBeCloseTo(1, 4);
    expect(dot(a, b)).toBeCloseTo(1, 4);
    expect(dot(a, c)).toBeLessThan(0.999);
  });

  test('the vector is that of the whole text, however it is cut into chunks', async () => {
    const long = 'the NPU computes tokens and '.repeat(60);
    const [whole] = (await model.embed(long, { normalize: false })).vectors;
    await model.generate({ prompt: 'the NPU' }, { maxNewTokens: 1 });
    const [again] = (await model.embed(long, { normalize: false })).vectors;
    expect(again).toEqual(whole);
    const [mean] = (await model.embed(long, { pooling: 'mean' })).vectors;
    expect(mean).not.toEqual(whole);
  });

  test('the last row of logits is what greedy decoding goes by, and each row that of its token', async () => {
    const prompt = 'What is a token? It is ';
    const { values, rows, columns } = await model.logits({ prompt });
    const { tokenIds } = await first(model, prompt);
    expect(argmax(values.subarray((rows - 1) * columns))).toBe(tokenIds[0]);
    const ids = Int32Array.from({ length: 200 }, (_, i) => 5 + (i % 90));
    const all = await model.logits({ tokenIds: ids });
    expect(all.rows).toBe(200);
    const part = await model.logits({ tokenIds: ids.slice(0, 150) });
    const row = (of: typeof all, i: number): Float32Array => of.values.subarray(i * columns, (i + 1) * columns);
    const differences = row(all, 149).map((value, i) => Math.abs(value - (row(part, 149)[i] ?? NaN)));
    expect(Math.max(...differences)).toBeLessThan(0.5); // int8 kernels sum in another order for another number of rows
  });

  test('tells how far it is', async () => {
    const seen: unknown[] = [];
    await model.embed(['a', 'b', 'c'], { onProgress: (progress) => seen.push(progress) });
    expect(seen).toEqual([1, 2, 3].map((done) => ({ done, total: 3 })));
  });

  test('a listener that throws stops it', async () => {
    const mine = new Error('mine');
    const progress = (): never => {
      throw mine;
    };
    expect(await failureOf(() => model.embed(['a', 'b'], { onProgress: progress }))).toBe(mine);
    expect(model.state).toBe('ready');
  });

  test('is stopped between texts and inside of one', async () => {
    const controller = new AbortController();
    const texts = Array.from({ length: 1000 }, () => 'word '.repeat(500));
    const embedding = model.embed(texts, { signal: controller.signal, onProgress: () => controller.abort() });
    expect(await failureOf(() => embedding)).toBe(controller.signal.reason);
    const second = new AbortController();
    const waiting = model.embed('word '.repeat(900), { signal: second.signal });
    second.abort();
    expect(await failureOf(() => waiting)).toBe(second.signal.reason);
    expect((await model.generate('What is a token?', { maxNewTokens: 2 })).usage.outputTokens).toBe(2);
  });

  test('what does not fit is refused', async () => {
    const long = 'word '.repeat(2000);
    expect(await codeOf(() => model.embed(['a', long]))).toBe('RKLLM_CONTEXT_OVERFLOW');
    expect(await codeOf(() => model.logits({ prompt: long }))).toBe('RKLLM_CONTEXT_OVERFLOW');
  });

  test.each([
    ['a string', 'text' as never, 'RKLLM_INVALID_INPUT'],
    ['messages', [{ role: 'user', content: 'a' }] as never, 'RKLLM_INVALID_INPUT'],
    ['an option beside the prompt', { prompt: 'a', signal: 1 } as never, 'RKLLM_INVALID_INPUT'],
    ['no tokens', { tokenIds: [] }, 'RKLLM_EMPTY_PROMPT'],
    ['an empty prompt', { prompt: '' }, 'RKLLM_EMPTY_PROMPT'],
  ])('logits are not computed of %s', async (_, input, code) => {
    expect(await codeOf(() => model.logits(input))).toBe(code);
  });
});

test('a model that is disposed meanwhile stops, or finishes first', async () => {
  const model = await loadModel();
  const embedding = model.embed(Array.from({ length: 500 }, () => 'word '.repeat(200)));
  const [code] = await Promise.all([codeOf(() => embedding), model.dispose({ abort: true })]);
  expect(code).toBe('RKLLM_DISPOSED');
  expect(await codeOf(() => model.embed('a'))).toBe('RKLLM_DISPOSED');
  const other = await loadModel();
  const [result] = await Promise.all([other.embed('a'), other.dispose()]);
  expect(result.vectors).toHaveLength(1);
});

test('a backend that gives text only refuses', async () => {
  const model = await loadModel(undefined, { backend: scripted({ reply: 'Hi.' }) });
  expect(await codeOf(() => model.embed('a'))).toBe('RKLLM_UNSUPPORTED_OPTION');
  expect(await codeOf(() => model.logits({ prompt: 'a' }))).toBe('RKLLM_UNSUPPORTED_OPTION');
  await model.dispose();
});

async function first(model: Model, prompt: string): Promise<{ tokenIds: readonly number[] }> {
  for await (const chunk of model.generate({ prompt }, { maxNewTokens: 1 })) {
    if (chunk.type === 'text') return { tokenIds: chunk.tokenIds };
  }
  return { tokenIds: [] };
}

const argmax = (row: Float32Array): number =>
  row.indexOf(row.reduce((best, value) => Math.max(best, value), -Infinity));
