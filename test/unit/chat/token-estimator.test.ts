import { readFileSync } from 'node:fs';
import path from 'node:path';
import { loadModel, type Model, type Usage } from 'rkllm';
import { TokenEstimator } from '../../../lib/chat/token-estimator.js';
import { root } from '../../support/run-node.js';

function usage(inputTokens: number | undefined, outputTokens: number): Usage {
  return {
    inputTokens,
    outputTokens,
    computedInputTokens: inputTokens,
    cachedInputTokens: undefined,
    totalTokens: undefined,
  };
}

const english = 'The quick brown fox jumps over the lazy dog, as it did before. '.repeat(8);

test('what was measured counts as it is, whatever the text', () => {
  const estimator = new TokenEstimator();
  const overhead = estimator.estimate('');
  estimator.learn('A prompt of many words. ', 'And its answer.', usage(6, 4));
  expect(estimator.estimate('A prompt of many words. ')).toBe(6 + overhead);
  expect(estimator.estimate('A prompt of many words. And its answer.')).toBe(10 + overhead);
});

test('the longest beginning that is known counts, and the rest is added', () => {
  const estimator = new TokenEstimator();
  const alone = estimator.estimate(' Next question 5?') - estimator.estimate('');
  estimator.learn('Prompt. ', 'Answer.', usage(2, 2));
  expect(estimator.estimate('Prompt. Answer. Next question 5?')).toBe(4 + alone + estimator.estimate(''));
  expect(estimator.estimate('Prompt. Other.')).toBeGreaterThan(estimator.estimate('Prompt. '));
});

test("is corrected by the model's own answers, up and down, with a margin", () => {
  const [fine, coarse] = [new TokenEstimator(), new TokenEstimator()];
  const before = fine.estimate(english);
  fine.learn('?', 'x '.repeat(100), usage(undefined, 200));
  coarse.learn('?', 'x '.repeat(300), usage(undefined, 40));
  expect(fine.estimate(english)).toBeGreaterThan(2 * before);
  expect(coarse.estimate(english)).toBeLessThan(before / 2);
});

test('learns nothing of other texts from a short answer', () => {
  const estimator = new TokenEstimator();
  const before = estimator.estimate(english);
  estimator.learn('?', 'Yes.', usage(undefined, 40));
  expect(estimator.estimate(english)).toBe(before);
});

test('forgets old measures, and stays right', () => {
  const estimator = new TokenEstimator();
  for (let i = 0; i < 100; i++) estimator.learn(`Prompt ${String(i)} `, 'answer', usage(3, 1));
  expect(estimator.estimate('Prompt 99 answer')).toBe(4 + estimator.estimate(''));
  expect(estimator.estimate('Prompt 0 answer')).toBeGreaterThan(4 + estimator.estimate(''));
});

describe('against a tokenizer', () => {
  let model: Model;
  beforeAll(async () => {
    model = await loadModel();
  });
  afterAll(() => model.dispose());

  const read = (...name: string[]): string => readFileSync(path.join(root, ...name), 'utf8');
  const texts: [string, string][] = [
    ['English', read('README.md')],
    ['code', read('lib', 'usage.ts')],
    ['a list of numbers', Array.from({ length: 1000 }, (_, index) => (index * 7919) % 10007).join(', ')],
  ];

  test.each(texts)('%s: more than there are, once something like it was seen', async (_, text) => {
    const chat = model.chat();
    const [seen, next] = [text.slice(0, 1200), text.slice(1200, 1700)];
    const counted = async (content: string): Promise<number> => (await chat.contextUsage(content)).promptTokens;
    const promptOf = (content: string): string => `<|user|>\n${content}<|end|>\n<|assistant|>\n`;
    const estimator = new TokenEstimator();
    estimator.learn(promptOf(seen), 'Yes.', usage(await counted(seen), 1));
    const [estimated, exact] = [estimator.estimate(promptOf(next)), await counted(next)];
    expect(estimated).toBeGreaterThanOrEqual(exact);
    expect(estimated).toBeLessThan(2 * exact);
  });
});
