/** `maxReasoningTokens`: one answer of two runs, the second behind the reasoning of the first. */
import type { Chunk, GenerateInput, GenerateOptions, GenerationResult, RkllmErrorCode, RunRequest } from 'rkllm';
import type { Script, ScriptedToken } from 'rkllm/testing';
import { scriptedModel } from '../../support/models.js';
import { codeOf, collect, finishOf, tokenIdsOf } from '../../support/reading.js';

type Tokens = readonly (string | ScriptedToken)[];

const thinks: Tokens = ['<think>', 'a', ' b', ' c', ' d', '</think>', '\n\n', 'late'];
const answers: Tokens = ['so', '.'];
const end = '\n</think>\n\n';

interface Seen {
  readonly chunks: readonly Chunk[];
  readonly result: GenerationResult;
  readonly requests: readonly RunRequest[];
  readonly texts: readonly string[];
}

/** What a model gives that writes these, one after the other. */
async function ask(
  replies: readonly Tokens[],
  options: GenerateOptions,
  input: GenerateInput = { prompt: 'Hi' },
  script: Script = {},
  template = 'phi3',
): Promise<Seen> {
  const requests: RunRequest[] = [];
  const reply: Script['reply'] = (_, request) => ({ tokens: replies[requests.push(request) - 1] ?? ['?'] });
  const model = await scriptedModel({ reply, ...script }, { template: template as 'phi3' });
  const generation = model.generate(input, { reasoning: 'split', ...options });
  const chunks = await collect(generation);
  const result = await generation;
  await model.dispose();
  return { chunks, result, requests, texts: requests.map((one) => (one.input.type === 'text' ? one.input.text : '')) };
}

const textOf = (chunks: readonly Chunk[], type: 'text' | 'reasoning'): string =>
  chunks.map((chunk) => (chunk.type === type ? chunk.text : '')).join('');

test('what has been thought goes into the prompt, and the answer into the same stream', async () => {
  const { chunks, result, requests, texts } = await ask([thinks, answers], { maxReasoningTokens: 2, maxNewTokens: 50 });
  expect(result).toMatchObject({ reasoning: 'a b', text: 'so.', reasoningTruncated: true, finishReason: 'stop' });
  expect(texts).toEqual(['Hi', `Hi<think>a b${end}`]);
  expect(requests.map(({ maxNewTokens }) => maxNewTokens)).toEqual([50, 47]);
  expect([textOf(chunks, 'reasoning'), textOf(chunks, 'text')]).toEqual(['a b', 'so.']);
  expect(chunks.map(({ type }) => type).lastIndexOf('reasoning')).toBeLessThan(
    chunks.map(({ type }) => type).indexOf('text'),
  );
  expect(tokenIdsOf(chunks)).toEqual([1, 2, 3, 1, 2]);
  expect(finishOf(chunks)).toMatchObject({ finishReason: 'stop', usage: result.usage, timings: result.timings });
});

test('both runs are counted', async () => {
  const script: Script = { promptTokens: 9, cachedPromptTokens: 4 };
  const { result } = await ask([thinks, answers], { maxReasoningTokens: 2 }, { prompt: 'Hi' }, script);
  expect(result.usage).toEqual({
    inputTokens: 18,
    cachedInputTokens: 8,
    computedInputTokens: 10,
    outputTokens: 5,
    totalTokens: 23,
  });
  expect(result.timings.totalMs).toBeGreaterThanOrEqual(result.timings.timeToFirstTokenMs ?? Infinity);
});

test.each<[string, number, Tokens]>([
  ['ends before', 9, thinks],
  ['ends with the last token of the limit', 5, thinks],
  ['does not think', 2, ['late']],
  ['writes its end in pieces, the last within the limit', 4, ['<think>', 'a', '</', 'think', '>', 'late']],
])('a model that %s is left alone', async (_, maxReasoningTokens, tokens) => {
  const { result, requests } = await ask([tokens, answers], { maxReasoningTokens });
  expect(result).toMatchObject({ reasoningTruncated: false, finishReason: 'stop' });
  expect(result.text.trim()).toBe('late');
  expect(requests).toHaveLength(1);
});

const snow = new TextEncoder().encode('☃');

test.each<[string, Tokens, GenerateOptions, string]>([
  ['inside a tag', ['<think>', 'a', '</', 'think>'], {}, 'a'],
  ['inside a character', ['<think>', 'a', { text: snow.subarray(0, 2) }, { text: snow.subarray(2) }], {}, 'a'],
  ['where a stop sequence may begin', ['<think>', 'a', ' st', 'op'], { stop: [' stop'] }, 'a st'],
  ['before a stop token', ['<think>', 'a', ' b', 'x'], { stopTokenIds: [4] }, 'a b'],
])('reasoning may be cut %s', async (_, tokens, options, reasoning) => {
  const { result, texts } = await ask([tokens, answers], { maxReasoningTokens: 2, ...options });
  expect(result).toMatchObject({ reasoning, text: 'so.', reasoningTruncated: true, usage: { outputTokens: 5 } });
  expect(texts[1]).toBe(`Hi<think>${reasoning}${end}`);
});

test('a line that has ended is not ended again', async () => {
  const { texts } = await ask([['<think>', '\n', 'a', '\n', 'b'], answers], { maxReasoningTokens: 3 });
  expect(texts[1]).toBe('Hi<think>\na\n</think>\n\n');
});

test('what it thinks after that is told from the text, and not stopped', async () => {
  const { result, requests } = await ask([thinks, thinks, answers], { maxReasoningTokens: 1 });
  expect(result).toMatchObject({ reasoning: 'aa b c d', text: '\n\nlate', reasoningTruncated: true });
  expect(requests).toHaveLength(2);
});

describe('a limit of 0', () => {
  const none = { maxReasoningTokens: 0 };

  test('closes what the prompt has opened, in one run', async () => {
    const { result, texts } = await ask([answers], none, { prompt: 'Hi<think>\n' });
    expect(texts).toEqual(['Hi<think>\n\n</think>\n\n']);
    expect(result).toMatchObject({ reasoning: undefined, text: 'so.', reasoningTruncated: true });
    const { texts: open } = await ask([answers], { ...none, reasoning: 'split-open' });
    expect(open).toEqual([`Hi${end}`]);
  });

  test('switches the thinking off where the template can', async () => {
    const { result, texts } = await ask([answers], none, 'Hi', {}, 'qwen3');
    expect(texts).toHaveLength(1);
    expect(texts[0]).toMatch(/<\|im_start\|>assistant\n<think>\n\n<\/think>\n\n$/u);
    expect(result).toMatchObject({ reasoning: undefined, text: 'so.', reasoningTruncated: false });
  });

  test('stops a model that begins to think', async () => {
    const { result, texts } = await ask([thinks, answers], none);
    expect(texts).toEqual(['Hi', 'Hi<think>\n\n</think>\n\n']);
    expect(result).toMatchObject({ reasoning: undefined, text: 'so.', usage: { outputTokens: 3 } });
  });
});

describe('the output limit', () => {
  test.each<[number, string, number]>([
    [4, 's', 2],
    [3, '', 1],
    [2, '', 1],
  ])('of %p is that of both runs together', async (maxNewTokens, text, runs) => {
    const { result, requests } = await ask([thinks, ['s', 'o']], { maxReasoningTokens: 2, maxNewTokens });
    expect(result).toMatchObject({ text, finishReason: 'length', reasoningTruncated: runs === 2 });
    expect(result.usage.outputTokens).toBe(maxNewTokens);
    expect(requests).toHaveLength(runs);
  });

  test('of the context ends an answer that its reasoning leaves no room for', async () => {
    // The first prompt and its answer fit exactly; the end of the reasoning does not.
    const script: Script = { contextLength: 4 };
    const { result } = await ask([thinks, answers], { maxReasoningTokens: 2 }, { prompt: 'a b c' }, script);
    expect(result).toMatchObject({ text: '', finishReason: 'length' });
    expect(result.usage.inputTokens).toBe(3);
  });
});

test('stop sequences, end markers and stop tokens hold for the answer', async () => {
  const limited = { maxReasoningTokens: 2 };
  const stopped = await ask([thinks, ['so', ' st', 'op', '!']], { ...limited, stop: [' stop'] });
  expect(stopped.result).toMatchObject({ text: 'so', finishReason: 'stop-sequence', stopSequence: ' stop' });
  const marked = await ask([thinks, ['so', '<|end|>', '!']], limited, 'Hi');
  expect(marked.result).toMatchObject({ text: 'so', finishReason: 'stop' });
  const byToken = await ask([thinks, ['so', { text: '!', id: 99 }]], { ...limited, stopTokenIds: [99] });
  expect(byToken.result).toMatchObject({ reasoning: 'a b', text: 'so', finishReason: 'stop' });
});

test('a failure of the second run is that of the generation', async () => {
  let runs = 0;
  const reply: Script['reply'] = () =>
    runs++ === 0 ? { tokens: thinks } : { tokens: answers, failAfterTokens: 1, failWith: { message: 'broken' } };
  const model = await scriptedModel({ reply });
  const generation = model.generate('Hi', { reasoning: 'split', maxReasoningTokens: 2 });
  await expect(generation.result()).rejects.toThrow('broken');
  expect([generation.state, model.pending]).toEqual(['failed', 0]);
  await model.dispose();
});

test.each<[string, GenerateInput, GenerateOptions, RkllmErrorCode, string]>([
  ['without reasoning: split', 'Hi', { reasoning: 'text' }, 'RKLLM_INVALID_OPTION', 'not told'],
  ['without any', 'Hi', { reasoning: undefined }, 'RKLLM_INVALID_OPTION', 'not told'],
  ['for token ids', { tokenIds: [1] }, {}, 'RKLLM_UNSUPPORTED_OPTION', 'token ids'],
])('it is refused %s', async (_, input, options, code, words) => {
  const model = await scriptedModel();
  const start = (): unknown => model.generate(input, { reasoning: 'split', maxReasoningTokens: 1, ...options });
  expect(await codeOf(start)).toBe(code);
  expect(start).toThrow(words);
  await model.dispose();
});
