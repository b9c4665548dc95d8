import type { Chunk, Generation, GenerationResult } from 'rkllm';
import { manualModel, scriptedModel } from '../support/models.js';
import {
  codeOf,
  collect,
  collectUntilError,
  failureOf,
  finishOf,
  textOf,
  textsOf,
  tokenIdsOf,
} from '../support/reading.js';

const reply = 'One two three';
const start = async (): Promise<{ generation: Generation }> => {
  const model = await scriptedModel({ reply });
  return { generation: model.generate('Hi') };
};

test('iterating gives the text in order and one finish chunk, last', async () => {
  const { generation } = await start();
  const chunks = await collect(generation);
  expect(textOf(chunks)).toBe(reply);
  expect(tokenIdsOf(chunks)).toEqual([1, 2, 3]);
  expect(chunks.filter(({ type }) => type === 'finish')).toEqual([finishOf(chunks)]);
  expect(finishOf(chunks)).toMatchObject({
    finishReason: 'stop',
    stopSequence: undefined,
    usage: { inputTokens: 4, cachedInputTokens: 0, outputTokens: 3 },
  });
  expect(generation.state).toBe('done');
});

test('awaiting gives the whole, any number of times and ways', async () => {
  const { generation } = await start();
  const result = await generation;
  expect(result).toMatchObject({ text: reply, finishReason: 'stop', stopSequence: undefined });
  expect(await generation).toBe(result);
  expect(await generation.result()).toBe(result);
  expect(await generation.then(({ text }) => text.length)).toBe(reply.length);
  expect(await generation.text()).toBe(reply);
  expect(generation.result()).toBeInstanceOf(Promise);
});

test('textStream gives the text alone', async () => {
  const { generation } = await start();
  const texts: string[] = [];
  for await (const text of generation.textStream) texts.push(text);
  expect(texts.join('')).toBe(reply);
  expect(texts).not.toContain('');
});

test('a generation is written whether or not it is read', async () => {
  const { generation } = await start();
  expect((await generation).text).toBe(reply);
  expect(generation.state).toBe('done');
});

const orders: [string, (generation: Generation) => Promise<[string, GenerationResult]>][] = [
  ['await, then iterate', async (it) => [(await it).text, { ...(await it), text: textOf(await collect(it)) }]],
  ['iterate, then await', async (it) => [textOf(await collect(it)), await it]],
  [
    'await while iterating',
    async (it) => {
      const texts: string[] = [];
      let result: GenerationResult | undefined;
      for await (const chunk of it) {
        if (chunk.type === 'text') texts.push(chunk.text);
        result ??= await it;
      }
      return [texts.join(''), result ?? (await it)];
    },
  ],
  [
    'both at once',
    async (it) => {
      const [chunks, result] = await Promise.all([collect(it), it.result()]);
      return [textOf(chunks), result];
    },
  ],
];

test.each(orders)('%s: both are complete and agree', async (_, read) => {
  const { generation } = await start();
  const [iterated, result] = await read(generation);
  expect(iterated).toBe(reply);
  expect(result).toMatchObject({ text: reply, finishReason: 'stop' });
});

describe('a second loop', () => {
  const loops: [string, (generation: Generation) => Promise<unknown>][] = [
    ['for await', (it) => collect(it)],
    [
      'textStream',
      async (it) => {
        for await (const text of it.textStream) expect(text).not.toBe('');
      },
    ],
  ];
  const pairs = loops.flatMap(([a, first]) => loops.map(([b, second]) => [`${a}, then ${b}`, first, second] as const));

  test.each(pairs)('%s: RKLLM_STREAM_CONSUMED, and the result stays', async (_, first, second) => {
    const { generation } = await start();
    await first(generation);
    expect(await codeOf(() => second(generation))).toBe('RKLLM_STREAM_CONSUMED');
    expect((await generation).text).toBe(reply);
  });

  test('while the first is still under way leaves the first alone', async () => {
    const { generation } = await start();
    const first = collect(generation);
    expect(await codeOf(() => collect(generation))).toBe('RKLLM_STREAM_CONSUMED');
    expect(textOf(await first)).toBe(reply);
  });
});

test('asking for several chunks at once gives them in order', async () => {
  const { model, backend } = await manualModel();
  const iterator = model.generate('Hi')[Symbol.asyncIterator]();
  const asked = [iterator.next(), iterator.next(), iterator.next(), iterator.next()];
  backend.run.write('a');
  await asked[0];
  backend.run.write('b');
  backend.run.end();
  const types = (await Promise.all(asked)).map(({ value }: { value: Chunk | undefined }) =>
    value?.type === 'text' ? value.text : value?.type,
  );
  expect(types).toEqual(['a', 'b', 'finish', undefined]);
});

test('a slow reader gets everything', async () => {
  const { model, backend } = await manualModel();
  const generation = model.generate('Hi');
  for (let index = 0; index < 500; index++) backend.run.write(`${index} `);
  backend.run.end();
  await generation;
  expect(tokenIdsOf(await collect(generation))).toEqual(Array.from({ length: 500 }, (_, index) => index + 1));
});

test('a failure comes after what was written, and from every way of reading', async () => {
  const model = await scriptedModel({ reply, failAfterTokens: 2 });
  const generation = model.generate('Hi');
  const { chunks, error } = await collectUntilError(generation);
  expect(textsOf(chunks).join('')).toBe('One two');
  expect(chunks.every(({ type }) => type === 'text')).toBe(true);
  expect(error).toMatchObject({ code: 'RKLLM_RUN_FAILED' });
  for (const read of [() => generation, () => generation.result(), () => generation.text()]) {
    expect(await failureOf(read)).toBe(error);
  }
  expect(generation.state).toBe('failed');
});

test('after a failed generation the model answers the next one', async () => {
  const model = await scriptedModel({ replies: [{ tokens: reply, failAfterTokens: 3 }, 'a'] });
  expect(await codeOf(() => model.generate('Hi'))).toBe('RKLLM_RUN_FAILED');
  expect(model.state).toBe('ready');
  expect((await model.generate('Hi')).text).toBe('a');
});

test('states go from queued over prefill and decode to done', async () => {
  const { model, backend } = await manualModel();
  const first = model.generate('Hi');
  const second = model.generate('Hi');
  expect([first.state, second.state]).toEqual(['prefill', 'queued']);
  const iterator = first[Symbol.asyncIterator]();
  backend.run.write('a');
  await iterator.next();
  expect(first.state).toBe('decode');
  backend.run.end();
  await first;
  expect([first.state, second.state]).toEqual(['done', 'prefill']);
});

test('every generation has an id of its own', async () => {
  const model = await scriptedModel();
  const ids = Array.from({ length: 10 }, () => model.generate('Hi').id);
  expect(new Set(ids).size).toBe(10);
});
