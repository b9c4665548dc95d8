/** `maxReasoningTokens` on the vendor's runtime: what it computes again, and what it cannot keep. */
import type { GenerateInput, GenerateOptions, LoadModelOptions } from 'rkllm';
import { codeOf } from '../../support/reading.js';
import { load } from './batches.js';
import { directory, FakeModel, isFrom, releases, type Release } from './fake-model.js';

const words = Array.from({ length: 60 }, (_, index) => `token \\x20thought${String(index)}`);
const reply = ['token <think>', ...words, 'next-reply', 'token Yes', 'token .', 'next-reply', 'token Again.'];
const limited = { reasoning: 'split', maxReasoningTokens: 3 } as const;

const prefills = (fake: FakeModel): number[] =>
  fake.journal.flatMap((line) => [...line.matchAll(/^prefill (\d+) /gu)].map((match) => Number(match[1])));
const prompts = (fake: FakeModel): string[] =>
  fake.journal.flatMap((line) => /^input prompt .*?text="(.*)"$/u.exec(line)?.[1] ?? []);
const wordsIn = (text = ''): number => text.split(/\\n| /u).filter((word) => word !== '').length;
const clears = (fake: FakeModel): number => fake.calls.filter((line) => line === 'clear-kv-cache 0').length;

test.each(releases)('on %s the answer follows, and a runtime that keeps computes the seam alone', async (release) => {
  const fake = new FakeModel('details', 'token-us 200', ...reply);
  const { model } = await load(release, fake, { template: 'phi3' });
  const chat = model.chat({ system: 'Be brief.' });
  const result = await chat.send('Well?', limited);
  expect(result).toMatchObject({
    ...{ reasoning: ' thought0 thought1 thought2', text: 'Yes.', reasoningTruncated: true, finishReason: 'stop' },
    usage: { outputTokens: 6, inputTokens: undefined },
  });
  const keeps = isFrom(release, '1.2.0');
  expect(prompts(fake)[1]).toBe(`${prompts(fake)[0] ?? ''}<think> thought0 thought1 thought2\\n</think>\\n\\n`);
  expect(prefills(fake)[1]).toBe(keeps ? 1 : wordsIn(prompts(fake)[1])); // one: the end of the reasoning
  await chat.send('Sure?');
  expect(chat.messages.map(({ content }) => content)).toEqual(['Be brief.', 'Well?', 'Yes.', 'Sure?', 'Again.']);
  expect(prompts(fake)[2]?.includes('thought')).toBe(false);
  expect(clears(fake)).toBe(0);
});

test('where the runtime keeps nothing, what it has written to a file is not computed again', async () => {
  const fake = new FakeModel('details', 'token-us 200', ...reply);
  const { model } = await load('1.1.1', fake, { template: 'phi3', promptCacheDirectory: directory });
  expect(await model.chat().send('Well?', limited)).toMatchObject({ text: 'Yes.', reasoningTruncated: true });
  const [first, second] = prompts(fake).map(wordsIn);
  expect(prefills(fake)).toEqual([first, (second ?? 0) - (first ?? 0)]);
});

test.each<[string, Release, LoadModelOptions, GenerateInput, GenerateOptions, string]>([
  ['the runtime’s template', '1.2.3', { template: 'runtime' }, 'Hi', {}, 'RKLLM_UNSUPPORTED_OPTION'],
  ['the same', '1.2.3', { template: 'runtime' }, { prompt: 'Hi' }, {}, 'RKLLM_UNSUPPORTED_OPTION'],
  ['a history', '1.2.3', {}, 'Hi', { keepHistory: true }, 'RKLLM_INVALID_OPTION'],
  ['a pause', '1.2.3', {}, 'Hi', { stopBy: 'pause' }, 'RKLLM_INVALID_OPTION'],
  ['token ids', '1.2.3', {}, { tokenIds: [1] }, {}, 'RKLLM_UNSUPPORTED_OPTION'],
  [
    'an image',
    '1.2.3',
    { embeddingWidth: 2 },
    { prompt: '<image>', image: { embeddings: new Float32Array(2), tokensEach: 1 } },
    {},
    'RKLLM_UNSUPPORTED_OPTION',
  ],
])('it is refused with %s', async (_, release, loading, input, options, code) => {
  const fake = new FakeModel('details', ...reply);
  const { model } = await load(release, fake, loading);
  expect(await codeOf(() => model.generate(input, { ...limited, ...options }))).toBe(code);
  expect(prompts(fake)).toEqual([]);
});

test('batches have no reasoning of their own to be limited', async () => {
  const { runtime } = await load('1.2.3', new FakeModel(...reply), { batchSize: 2 });
  const options = { maxReasoningTokens: 3 } as object;
  expect(await codeOf(() => runtime.generateBatch([{ prompt: 'a' }, { prompt: 'b' }], options))).toBe(
    'RKLLM_UNKNOWN_OPTION',
  );
});

test('a prompt cache of the caller has the prompt alone', async () => {
  const fake = new FakeModel('details', 'token-us 200', ...reply);
  const { model } = await load('1.2.3', fake);
  await model.generate('Hi', { ...limited, savePromptCache: `${fake.path}.cache` });
  const saves = fake.journal.filter((line) => line.startsWith('prompt-cache') || line.startsWith('save'));
  expect([prompts(fake).length, saves.length]).toEqual([2, 1]);
});
