import fc from 'fast-check';
import type { GenerateOptions } from 'rkllm';
import { manualModel, scriptedModel } from '../support/models.js';
import { collect, finishOf, textOf, textsOf, tokenIdsOf } from '../support/reading.js';

const bytes = (text: string): Uint8Array => new TextEncoder().encode(text);

/** What a model that writes these tokens, in these batches, gives. */
async function read(batches: readonly (readonly (string | Uint8Array)[])[], options: GenerateOptions = {}) {
  const { model, backend } = await manualModel();
  const generation = model.generate('Hi', options);
  for (const batch of batches) backend.run.writeAll(batch);
  backend.run.end();
  const chunks = await collect(generation);
  return { chunks, texts: textsOf(chunks), finish: finishOf(chunks), result: await generation };
}

describe('UTF-8', () => {
  const [a, b, c, d] = Array.from(bytes('🙂'), (byte) => Uint8Array.of(byte)) as [
    Uint8Array,
    Uint8Array,
    Uint8Array,
    Uint8Array,
  ];

  test('a character that is split between tokens comes whole, with the ids of all its tokens', async () => {
    const { chunks, texts } = await read([['so '], [a], [b], [c], [d, '!']]);
    expect(texts).toEqual(['so ', '🙂!']);
    expect(tokenIdsOf(chunks)).toEqual([1, 2, 3, 4, 5, 6]);
  });

  test('bytes that are no character become U+FFFD', async () => {
    const { result } = await read([['a', Uint8Array.of(0xff), 'b', Uint8Array.of(0xc3), 'c']]);
    expect(result.text).toBe('a\ufffdb\ufffdc');
  });

  test('an answer that ends inside a character ends with U+FFFD', async () => {
    const { result, chunks } = await read([['a', Uint8Array.of(0xf0, 0x9f)]]);
    expect(result.text).toBe('a\ufffd');
    expect(tokenIdsOf(chunks)).toEqual([1, 2]);
  });

  test.each([
    ['maxNewTokens', { maxNewTokens: 2 }],
    ['the end of the context', {}],
    ['abort()', {}],
  ])('an answer that is cut inside a character by %s ends before it', async (by, options) => {
    const { model, backend } = await manualModel();
    const generation = model.generate('Hi', options);
    backend.run.write('a', Uint8Array.of(0xf0, 0x9f));
    await new Promise(setImmediate);
    if (by === 'abort()') generation.abort();
    backend.run.end('length');
    const chunks = await collect(generation);
    expect(textOf(chunks)).toBe('a');
    expect(tokenIdsOf(chunks)).toEqual([1, 2]);
  });

  test('a byte order mark is text like any other', async () => {
    expect((await read([['\ufeffa']])).result.text).toBe('\ufeffa');
  });

  test('any text in any pieces comes out as it went in', async () => {
    const text = fc.string({ unit: 'grapheme', maxLength: 12 }).map(bytes);
    const cuts = fc.array(fc.nat({ max: 48 }), { maxLength: 12 });
    const stopping = fc.constantFrom<GenerateOptions>({}, { stop: ['\u0000 never'] });
    await fc.assert(
      fc.asyncProperty(text, cuts, stopping, async (whole, at, options) => {
        const edges = [...new Set([0, ...at.filter((cut) => cut < whole.length), whole.length])].sort((x, y) => x - y);
        const tokens = edges.slice(1).map((edge, index) => [whole.subarray(edges[index], edge)]);
        const { chunks, result } = await read(tokens, options);
        expect(result.text).toBe(new TextDecoder('utf-8', { ignoreBOM: true }).decode(whole));
        expect(textOf(chunks)).toBe(result.text);
        expect(textOf(chunks)).not.toContain('\ufffd');
        expect(tokenIdsOf(chunks)).toEqual(tokens.map((_, index) => index + 1));
      }),
      { numRuns: 150 },
    );
  });
});

describe('token ids', () => {
  test('of tokens without text come with the next text, or alone at the end', async () => {
    const { chunks } = await read([['', 'a'], [''], ['b'], ['', '']]);
    expect(chunks.slice(0, -1)).toEqual([
      { type: 'text', text: 'a', tokenIds: [1, 2] },
      { type: 'text', text: 'b', tokenIds: [3, 4] },
      { type: 'text', text: '', tokenIds: [5, 6] },
    ]);
  });

  test('an answer of nothing is a finish chunk only', async () => {
    const { chunks, result } = await read([]);
    expect(chunks).toHaveLength(1);
    expect(result).toMatchObject({ text: '', finishReason: 'stop', usage: { outputTokens: 0 } });
    expect(result.timings.timeToFirstTokenMs).toBeUndefined();
  });

  test('a quarter of a million tokens may come in one batch', async () => {
    const { result, chunks } = await read([Array.from({ length: 250_000 }, () => 'a')]);
    expect(result.text).toHaveLength(250_000);
    expect(tokenIdsOf(chunks)).toHaveLength(250_000);
  });
});

describe('maxNewTokens', () => {
  const words = 'a b c d e f g h';

  test.each([1, 3, 8, 9])('%i is kept exactly', async (maxNewTokens) => {
    const model = await scriptedModel({ reply: words });
    const expected = words.split(' ').slice(0, maxNewTokens);
    expect(await model.generate('Hi', { maxNewTokens })).toMatchObject({
      text: expected.join(' '),
      usage: { outputTokens: expected.length },
    });
  });

  test('is kept also within a batch, and stops an engine that goes on', async () => {
    const { model, backend } = await manualModel();
    const generation = model.generate('Hi', { maxNewTokens: 3 });
    const { run } = backend;
    run.write('a', 'b');
    run.write('c', 'd', 'e');
    const chunks = await collect(generation);
    expect(textOf(chunks)).toBe('abc');
    expect(tokenIdsOf(chunks)).toEqual([1, 2, 3]);
    expect(finishOf(chunks)).toMatchObject({ finishReason: 'length', usage: { outputTokens: 3 } });
    expect(run.aborts).toBe(1);
  });

  test("of the model holds for generations that give none; a generation's own goes before", async () => {
    const model = await scriptedModel({ reply: words }, { maxNewTokens: 2 });
    expect((await model.generate('Hi')).text).toBe('a b');
    expect((await model.generate('Hi', { maxNewTokens: 4 })).text).toBe('a b c d');
  });

  test('reached with the last token of a complete answer is no cut', async () => {
    const { model, backend } = await manualModel({ endsOnAbort: false });
    const generation = model.generate('Hi', { maxNewTokens: 1 });
    backend.run.write('a');
    backend.run.end('eos');
    expect((await generation).finishReason).toBe('stop');
  });
});

describe('why it ended', () => {
  test.each([
    ['unstated', {}, undefined, 'stop'],
    ['unstated', {}, 2, 'length'],
    ['unstated', { promptTokens: 30 }, undefined, 'length'],
    ['unstated', { promptTokens: 29 }, undefined, 'stop'],
    ['unstated', { promptTokens: 31 }, undefined, 'length'],
    ['unstated', { promptTokens: 32 }, undefined, 'stop'],
    ['length', {}, undefined, 'length'],
    ['eos', { promptTokens: 30 }, undefined, 'stop'],
    ['aborted', {}, undefined, 'abort'],
  ] as const)('the engine says %s, %j, maxNewTokens %p: %s', async (reason, figures, maxNewTokens, expected) => {
    const { model, backend } = await manualModel({ info: { contextLength: 32 } });
    const generation = model.generate('Hi', { maxNewTokens });
    backend.run.write('a', 'b');
    backend.run.end(reason, figures);
    expect((await generation).finishReason).toBe(expected);
  });

  test('an engine that is cut by the end of its context', async () => {
    const model = await scriptedModel({ reply: 'a b c d e f g h', contextLength: 7 });
    expect(await model.generate('Hi')).toMatchObject({ text: 'a b c', finishReason: 'length' });
  });
});

describe('stop sequences', () => {
  test.each([
    ['within a token', [['one STOP two']], ['STOP'], 'one ', 'STOP'],
    ['across tokens', [['one S'], ['T', 'O'], ['P two']], ['STOP'], 'one ', 'STOP'],
    ['at the very end', [['one STOP']], ['STOP'], 'one ', 'STOP'],
    ['only begun', [['one STO']], ['STOP'], 'one STO', undefined],
    ['the first of several', [['a'], ['\nb|c']], ['|', '\n'], 'a', '\n'],
    ['of split characters', [['so '], [bytes('🙂').subarray(0, 2)], [bytes('🙂').subarray(2)]], ['🙂'], 'so ', '🙂'],
    ['of the replacement character', [['a'], [Uint8Array.of(0xf0)]], ['\ufffd'], 'a', '\ufffd'],
  ])('%s', async (_, batches, stop, text, stopSequence) => {
    const { result, chunks, finish } = await read(batches, { stop });
    expect(result).toMatchObject({
      text,
      stopSequence,
      finishReason: stopSequence === undefined ? 'stop' : 'stop-sequence',
    });
    expect(textOf(chunks)).toBe(text);
    expect(finish.stopSequence).toBe(stopSequence);
    expect(tokenIdsOf(chunks)).toEqual(Array.from(batches.flat(), (_token, index) => index + 1));
  });

  const [smile, end] = [bytes('🙂'), '<|end|>'];
  const choices = [
    {},
    { reasoning: 'split' },
    { toolCalls: 'parse' },
    { reasoning: 'split', toolCalls: 'parse' },
  ] as const;
  const cases: [string, readonly (string | Uint8Array)[], string, number][] = [
    ['a token of its own', ['a', 'STOP', 'b', 'c'], 'a', 2],
    ['part of a token', ['a', ' xSTOPx', 'b'], 'a x', 2],
    ['several tokens', ['a', 'S', 'TO', 'P', '', 'b'], 'a', 4],
    ['the first token', ['STOP', 'b'], '', 1],
    ['one that comes again', ['a', 'STOP', 'STOP'], 'a', 2],
    ['behind split characters', ['a', smile.subarray(0, 2), smile.subarray(2), 'STOP', smile], 'a🙂', 4],
    ['behind half a character', ['a', smile.subarray(0, 2), 'STOP', 'b'], 'a\ufffd', 3],
    ["the model's end", ['a', '<|', 'end', '|>', '\n', '<|user|>'], 'a', 4],
    ["the model's end, before a stop sequence", ['a', end, 'STOP'], 'a', 2],
  ];
  const choosing = cases.flatMap((one) => choices.map((options) => [...one, options] as const));

  test.each(choosing)('no token behind it counts: %s', async (_, tokens, text, count, options) => {
    for (const batches of [[tokens], tokens.map((token) => [token]), [tokens.slice(0, 2), tokens.slice(2)]]) {
      const { chunks, result } = await read(batches, { ...options, stop: ['STOP'] });
      expect(result).toMatchObject({ text, usage: { outputTokens: count } });
      expect(tokenIdsOf(chunks)).toEqual(Array.from({ length: count }, (_id, index) => index + 1));
    }
  });

  test('the batches in which tokens arrive make no difference', async () => {
    const token = fc.oneof(
      fc.array(fc.constantFrom('a', 'b', '🙂', 'é', ''), { maxLength: 3 }).map((units) => bytes(units.join(''))),
      fc.constantFrom(...Array.from(smile, (byte) => Uint8Array.of(byte)), Uint8Array.of(0xe0), Uint8Array.of(0xff)),
    );
    const stop = fc.array(fc.constantFrom('a', 'ab', 'ba', '🙂', 'é🙂', '\ufffd', '\ud83d'), { maxLength: 2 });
    await fc.assert(
      fc.asyncProperty(
        fc.array(token, { minLength: 1, maxLength: 10 }),
        fc.nat(9),
        stop,
        fc.constantFrom(...choices),
        async (tokens, cut, stopAt, options) => {
          const answers = await Promise.all(
            [[tokens], [tokens.slice(0, cut), tokens.slice(cut)], tokens.map((each) => [each])].map(async (batches) => {
              const { chunks, result } = await read(batches, { ...options, stop: stopAt });
              const { text, finishReason, stopSequence, usage } = result;
              return { text, finishReason, stopSequence, usage, ids: tokenIdsOf(chunks) };
            }),
          );
          expect(answers[0]).toEqual(answers[2]);
          expect(answers[1]).toEqual(answers[2]);
        },
      ),
      { numRuns: 300 },
    );
  });

  test('stop the engine, and what it still writes is not shown', async () => {
    const { model, backend } = await manualModel({ endsOnAbort: false });
    const generation = model.generate('Hi', { stop: ['STOP'] });
    const { run } = backend;
    const chunks = collect(generation);
    run.write('a STOP');
    await new Promise(setImmediate);
    expect(run.aborts).toBe(1);
    run.write('b');
    run.end('aborted');
    expect(textOf(await chunks)).toBe('a ');
    expect((await generation).finishReason).toBe('stop-sequence');
  });

  test('what is held back comes out when the answer is stopped from outside', async () => {
    const { model, backend } = await manualModel();
    const generation = model.generate('Hi', { stop: ['STOP'] });
    backend.run.write('a ST');
    await new Promise(setImmediate);
    generation.abort();
    expect(await generation).toMatchObject({ text: 'a ST', finishReason: 'abort' });
  });

  test('an answer that runs into its limit gives what was held back', async () => {
    const model = await scriptedModel({ reply: 'a S T' });
    expect(await model.generate('Hi', { stop: ['S T O P'], maxNewTokens: 2 })).toMatchObject({
      text: 'a S',
      finishReason: 'length',
    });
  });
});
