import { setImmediate as turn } from 'node:timers/promises';
import type { GenerateInput, GenerateOptions, LoadModelOptions } from 'rkllm';
import { manualModel } from '../support/models.js';
import { collect, finishOf, textOf, tokenIdsOf } from '../support/reading.js';

/** What comes of these batches from an engine that never stops by itself; token ids count from 1. */
async function read(
  batches: readonly (readonly string[])[],
  options: GenerateOptions = {},
  { input = 'Hi', load = {} }: { input?: GenerateInput; load?: LoadModelOptions } = {},
) {
  const { model, backend } = await manualModel({ endsOnAbort: false }, load);
  const generation = model.generate(input, options);
  const { run } = backend;
  for (const batch of batches) {
    run.writeAll(batch);
    await turn();
  }
  const { aborts } = run;
  run.write('late');
  run.end(aborts > 0 ? 'aborted' : 'unstated');
  const chunks = await collect(generation);
  return { aborts, ids: tokenIdsOf(chunks), text: textOf(chunks), finish: finishOf(chunks), result: await generation };
}

describe('stopTokenIds', () => {
  test.each([
    ['in a batch of its own', [['a', 'b'], ['c']]],
    ['within a batch', [['a', 'b', 'c', 'd']]],
    ['before more', [['a', 'b'], ['c', 'd'], ['e']]],
  ])('end the answer as its own end does: %s', async (_, batches) => {
    const { aborts, ids, text, finish, result } = await read(batches, { stopTokenIds: [9, 3] });
    expect([text, ids, aborts]).toEqual(['ab', [1, 2], 1]);
    expect(finish).toMatchObject({ finishReason: 'stop', stopSequence: undefined, usage: { outputTokens: 2 } });
    expect(result).toMatchObject({ text: 'ab', finishReason: 'stop', stopSequence: undefined });
  });

  test('may come first', async () => {
    const { result, aborts } = await read([['a']], { stopTokenIds: [1] });
    expect(result).toMatchObject({ text: '', finishReason: 'stop', usage: { outputTokens: 0 } });
    expect(result.timings.timeToFirstTokenMs).toBeUndefined();
    expect(aborts).toBe(1);
  });

  test('that do not come change nothing', async () => {
    const { result } = await read([['a', 'b']], { stopTokenIds: [50] });
    expect(result).toMatchObject({ text: 'ablate', finishReason: 'stop' });
  });

  test('let out what was held back as the beginning of a stop sequence', async () => {
    const { text, ids } = await read([['a', ' ST', 'x']], { stopTokenIds: [3], stop: ['STOP'] });
    expect([text, ids]).toEqual(['a ST', [1, 2]]);
  });

  test('come after a stop sequence that is complete before them', async () => {
    const { result } = await read([['a', 'STOP', 'x']], { stopTokenIds: [3], stop: ['STOP'] });
    expect(result).toMatchObject({ text: 'a', finishReason: 'stop-sequence', stopSequence: 'STOP' });
  });

  test('behind the limit do not count', async () => {
    const { result } = await read([['a', 'b', 'c']], { stopTokenIds: [3], maxNewTokens: 2 });
    expect(result).toMatchObject({ text: 'ab', finishReason: 'length' });
  });
});

test('later changes of the lists of what ends an answer make no difference', async () => {
  const { model, backend } = await manualModel();
  const [stop, stopTokenIds] = [['STOP'], [2]];
  const first = model.generate('Hi', { stop, stopTokenIds });
  const waiting = model.generate('Hi', { stop, stopTokenIds });
  stop[0] = 'b';
  stopTokenIds[0] = 3;
  backend.run.write('aSTOP');
  expect(await first).toMatchObject({ text: 'a', finishReason: 'stop-sequence', stopSequence: 'STOP' });
  backend.run.write('b', 'c');
  expect(await waiting).toMatchObject({ text: 'b', finishReason: 'stop' });
});

describe('end markers of the chat template that arrive as text', () => {
  test.each([
    ['one token', [['Yes.', '<|end|>', '\n'], ['<|user|>\nMore']]],
    ['several tokens', [['Yes.', '<', '|'], ['end'], ['|>', 'x']]],
    ["the next user's turn", [['Yes.'], ['<|user|>\nMore']]],
    ['the end of the text', [['Yes.<|endoftext|>Once upon a time']]],
    ['another answer', [['Yes.<|assistant|>\nNo.']]],
  ])('end the answer and are not shown: %s', async (_, batches) => {
    const { aborts, text, result } = await read(batches);
    expect([text, aborts]).toEqual(['Yes.', 1]);
    expect(result).toMatchObject({ text: 'Yes.', finishReason: 'stop', stopSequence: undefined });
  });

  test('also in a conversation', async () => {
    const { result } = await read([['Yes.<|end|>']], {}, { input: [{ role: 'user', content: 'Hi' }] });
    expect(result).toMatchObject({ text: 'Yes.', finishReason: 'stop' });
  });

  test('only begun, they are text', async () => {
    expect((await read([['a <|en', 'tity|> b <|']])).text).toBe('a <|entity|> b <|late');
  });

  test("that are the caller's stop sequence too are a stop sequence", async () => {
    const { result } = await read([['Yes.<|end|>']], { stop: ['<|end|>'] });
    expect(result).toMatchObject({ text: 'Yes.', finishReason: 'stop-sequence', stopSequence: '<|end|>' });
  });

  test.each<[string, GenerateInput, LoadModelOptions]>([
    ['a raw prompt', { prompt: 'Hi' }, {}],
    ['token ids', { tokenIds: [1] }, {}],
    ['a model without a template', 'Hi', { template: 'none' }],
  ])('are text to %s', async (_, input, load) => {
    const { aborts, text } = await read([['Yes.<|end|>']], {}, { input, load });
    expect([text, aborts]).toEqual(['Yes.<|end|>late', 0]);
  });
});
