import fc from 'fast-check';
import type { Chunk, GenerateInput, GenerateOptions } from 'rkllm';
import { manualModel, scriptedModel } from '../support/models.js';
import { collect, finishOf, textOf, tokenIdsOf } from '../support/reading.js';

const call = '<tool_call>{"name": "weather", "arguments": {"city": "Paris"}}</tool_call>';
const paris = { id: expect.any(String) as string, name: 'weather', arguments: { city: 'Paris' } };
const both = { reasoning: 'split', toolCalls: 'parse' } as const;

/** What a model that writes these tokens in one batch gives. */
async function read(tokens: readonly string[], options: GenerateOptions = both, input: GenerateInput = 'Hi') {
  const { model, backend } = await manualModel();
  const generation = model.generate(input, options);
  backend.run.writeAll(tokens);
  backend.run.end('unstated');
  const chunks = await collect(generation);
  return { chunks, finish: finishOf(chunks), result: await generation };
}

const kinds = (chunks: readonly Chunk[]): unknown[] =>
  chunks
    .slice(0, -1)
    .map((chunk) => [chunk.type, 'text' in chunk ? chunk.text : '', 'tokenIds' in chunk && chunk.tokenIds]);

test('chunks say what they are, with the tokens that they are made of', async () => {
  const { chunks, result } = await read(['<think>', 'why', '</think>', '\n\n', 'so', '<tool', call.slice(5), '!']);
  expect(kinds(chunks)).toEqual([
    ['reasoning', 'why', [1, 2]],
    ['text', '\n\n', [3, 4]],
    ['text', 'so', [5]],
    ['tool-call', '', [6, 7]],
    ['text', '!', [8]],
  ]);
  expect(result).toMatchObject({ text: '\n\nso!', reasoning: 'why', toolCalls: [paris], usage: { outputTokens: 8 } });
  expect(chunks[3]).toMatchObject({ call: result.toolCalls[0] });
});

test('by default everything is text, and nothing else is claimed', async () => {
  const written = ['<think>', 'why', '</think>', call];
  const { chunks, finish, result } = await read(written, {});
  expect(result).toMatchObject({ text: written.join(''), reasoning: undefined, toolCalls: [], finishReason: 'stop' });
  expect(kinds(chunks)).toEqual([['text', written.join(''), [1, 2, 3, 4]]]);
  expect(finish.finishReason).toBe('stop');
});

test('an answer without any is text alone', async () => {
  const { result } = await read(['Yes', '.']);
  expect(result).toMatchObject({ text: 'Yes.', reasoning: undefined, toolCalls: [], finishReason: 'stop' });
});

describe('a prompt that ends inside the reasoning', () => {
  const prompt = '<|im_start|>assistant\n<think>\n';

  test.each<[string, GenerateInput, GenerateOptions, string | undefined]>([
    ['is recognized', { prompt }, { reasoning: 'split' }, 'why'],
    ['may be known to the caller alone', 'Hi', { reasoning: 'split-open' }, 'why'],
    ['is nothing where none was asked for', { prompt }, {}, undefined],
    ['is not taken for one that is over', { prompt: `${prompt}</think>` }, { reasoning: 'split' }, undefined],
  ])('%s', async (_, input, options, reasoning) => {
    const { result } = await read(['why', '</think>', 'so'], options, input);
    expect(result.reasoning).toBe(reasoning);
    expect(result.text).toBe(reasoning === undefined ? 'why</think>so' : 'so');
  });
});

describe('finishReason', () => {
  test.each<[string, readonly string[], GenerateOptions, string]>([
    ['a call', [call], both, 'tool-calls'],
    ['a call and its end token', [call, 'x'], { ...both, stopTokenIds: [2] }, 'tool-calls'],
    ['a call that was cut by the limit', ['<tool_call>', '{'], { ...both, maxNewTokens: 2 }, 'length'],
    ['a call and the limit', [call, 'x'], { ...both, maxNewTokens: 2 }, 'length'],
    ['a call and a stop sequence', [call, 'STOP'], { ...both, stop: ['STOP'] }, 'stop-sequence'],
    ['no call after all', ['<tool_call>{</tool_call>'], both, 'stop'],
    ['a call that was not asked for', [call], { reasoning: 'split' }, 'stop'],
  ])('%s', async (_, tokens, options, reason) => {
    const { finish, result } = await read(tokens, options);
    expect([finish.finishReason, result.finishReason]).toEqual([reason, reason]);
  });

  test('of one that was aborted after a call: abort, with the call', async () => {
    const { model, backend } = await manualModel();
    const generation = model.generate('Hi', both);
    backend.run.write(call, ' and');
    await new Promise(setImmediate);
    generation.abort();
    expect(await generation).toMatchObject({ finishReason: 'abort', toolCalls: [paris], text: ' and' });
  });
});

test('stop sequences are looked for before tags, and hide them', async () => {
  const { result } = await read(['<think>why', '</thi', 'nk>so'], { ...both, stop: ['</think>'] });
  expect(result).toMatchObject({ reasoning: 'why', text: '', finishReason: 'stop-sequence' });
});

test('textStream is the answer alone', async () => {
  const model = await scriptedModel({ reply: ['<think>', 'why', '</think>', 'so', call] });
  const texts: string[] = [];
  for await (const text of model.generate('Hi', both).textStream) texts.push(text);
  expect(texts).toEqual(['so']);
});

test('a conversation goes on with the calls and without the reasoning', async () => {
  const prompts: string[] = [];
  const model = await scriptedModel({
    reply: ['<think>why</think>', 'so', call],
    onRun: (prompt) => prompts.push(prompt),
  });
  const chat = model.chat();
  await chat.send('Hi', both);
  const content = 'so\n<tool_call>\n{"name": "weather", "arguments": {"city": "Paris"}}\n</tool_call>';
  expect(chat.messages.at(-1)).toMatchObject({ role: 'assistant', content: 'so', toolCalls: [{ name: 'weather' }] });
  await chat.send('And?', both);
  expect(prompts[1]).toContain(content);
  expect(prompts[1]).not.toContain('why');
});

test('token ids come in order, each once, however the answer is cut', async () => {
  const whole = Array.from(`<think>why 🙂</think> so ${call} <tool_call>{</tool_call><think>`);
  const cuts = fc.array(fc.nat({ max: whole.length }), { maxLength: 40 });
  await fc.assert(
    fc.asyncProperty(cuts, fc.constantFrom<GenerateOptions>(both, {}), async (at, options) => {
      const edges = [...new Set([0, ...at, whole.length])].sort((a, b) => a - b);
      const tokens = edges.slice(1).map((edge, index) => whole.slice(edges[index], edge).join(''));
      const { chunks, result } = await read(tokens, options);
      expect(tokenIdsOf(chunks)).toEqual(tokens.map((_, index) => index + 1));
      expect(textOf(chunks)).toBe(result.text);
      expect(result.text).toBe(options === both ? ' so  <tool_call>{</tool_call>' : whole.join(''));
      expect(result.reasoning).toBe(options === both ? 'why 🙂' : undefined);
    }),
    { numRuns: 100 },
  );
});
