import { loadModel } from 'rkllm';

const prompt = '<|user|>\nGive me a full walkthrough<|end|>\n<|assistant|>\n';

test('what follows is what the same prompt gives after a cold start, and only the seam is computed', async () => {
  const [model, cold] = await Promise.all([loadModel(), loadModel()]);
  const options = { temperature: 0, maxNewTokens: 60 };
  const limited = { ...options, reasoning: 'split-open', maxReasoningTokens: 20 } as const;
  const { text, reasoning = '', usage } = await model.generate({ prompt }, limited);
  const rest = { ...options, maxNewTokens: 40 };
  const expected = await cold.generate({ prompt: `${prompt}${reasoning}\n</think>\n\n` }, rest);
  expect(text).toBe(expected.text);
  expect(text).not.toBe('');
  const { inputTokens = 0 } = expected.usage;
  const first = (usage.inputTokens ?? 0) - inputTokens;
  expect(usage.computedInputTokens).toBeLessThan(first + 20);
  await Promise.all([model.dispose(), cold.dispose()]);
});
