/** `maxReasoningTokens` in conversations, with tools and with answers as JSON. */
import type { ChatSession, Tool } from 'rkllm';
import { scriptedModel } from '../../support/models.js';
import { failureOf } from '../../support/reading.js';

const limited = { reasoning: 'split', maxReasoningTokens: 2 } as const;
const thinks = '<think>I should think about this for long.</think>Late.';
const thought = 'I should think';

async function asking(replies: readonly string[], prompts: string[], capabilities = {}): Promise<ChatSession> {
  const onRun = (prompt: string): unknown => prompts.push(prompt);
  const model = await scriptedModel({ replies, onRun, capabilities }, { template: 'qwen3' });
  return model.chat();
}

test('a conversation keeps the answer alone', async () => {
  const prompts: string[] = [];
  const chat = await asking([thinks, 'Yes.', 'No.', thinks, 'Perhaps.'], prompts);
  expect(await chat.send('Well?', limited)).toMatchObject({ text: 'Yes.', reasoningTruncated: true });
  expect(prompts[1]?.startsWith(`${prompts[0] ?? ''}<think>`)).toBe(true);
  expect(prompts[1]?.endsWith('\n</think>\n\n')).toBe(true);
  expect(chat.messages.map(({ content }) => content)).toEqual(['Well?', 'Yes.']);
  await chat.send('Sure?', limited);
  expect(prompts[2]).toContain('assistant\nYes.<|im_end|>');
  expect(prompts[2]).not.toContain('think');
  expect((await chat.regenerate(limited)).text).toBe('Perhaps.');
  expect(prompts[3]).toBe(prompts[2]);
  expect(chat.messages.map(({ content }) => content)).toEqual(['Well?', 'Yes.', 'Sure?', 'Perhaps.']);
});

test('a conversation that is estimated leaves room for the end of the reasoning', async () => {
  const rooms: (number | undefined)[] = [];
  const model = await scriptedModel({
    reply: (_, { maxNewTokens }) => (rooms.push(maxNewTokens) % 2 === 1 ? thinks : 'Yes.'),
    capabilities: { countsTokens: false },
    contextLength: 100,
  });
  const chat = model.chat();
  const { freeTokens, promptTokens } = await chat.contextUsage('Well?');
  const { usage } = await chat.send('Well?', limited);
  expect(rooms).toEqual([freeTokens - 12, freeTokens - 12 - (usage.outputTokens - 1)]);
  const short = await scriptedModel({ capabilities: { countsTokens: false }, contextLength: promptTokens + 5 });
  expect(await failureOf(() => short.chat().send('Well?', limited))).toMatchObject({
    code: 'RKLLM_CONTEXT_OVERFLOW',
    message: expect.stringContaining('maxReasoningTokens') as string,
  });
  await Promise.all([model.dispose(), short.dispose()]);
});

const weather: Tool = { name: 'weather', run: () => 'Nine degrees.' };
const call = '<tool_call>{"name": "weather"}</tool_call>';

test('calls may follow, and each step of a run has the limit', async () => {
  const prompts: string[] = [];
  const chat = await asking([thinks, call, thinks, 'Nine.'], prompts);
  const { steps, text, reasoning, usage } = await chat.run('Cold?', { ...limited, tools: [weather] });
  expect(steps.map(({ reasoningTruncated, finishReason }) => [reasoningTruncated, finishReason])).toEqual([
    [true, 'tool-calls'],
    [true, 'stop'],
  ]);
  expect([text, reasoning]).toEqual(['Nine.', thought]);
  expect(prompts).toHaveLength(4);
  expect(prompts[2]).not.toContain(thought);
  expect(usage.outputTokens).toBe(steps.reduce((sum, step) => sum + step.usage.outputTokens, 0));
  expect(chat.messages.map(({ role }) => role)).toEqual(['user', 'assistant', 'tool', 'assistant']);
});

test('an answer that has to be JSON is thought about, and asked again, with the limit each time', async () => {
  const prompts: string[] = [];
  const chat = await asking([thinks, 'Three.', thinks, '{"cores": 3}'], prompts);
  const schema = { type: 'object', properties: { cores: { type: 'integer' } }, required: ['cores'] };
  const result = await chat.send('How many?', { ...limited, responseFormat: { type: 'json', schema } });
  expect(result).toMatchObject({ json: { cores: 3 }, reasoning: thought, reasoningTruncated: true });
  expect(prompts).toHaveLength(4);
  expect(result.usage.outputTokens).toBe(3 + 1 + 3 + 2);
  expect(chat.messages.map(({ content }) => content)).toEqual(['How many?', '{"cores": 3}']);
});

test('what a template switches on is not limited to nothing', async () => {
  const model = await scriptedModel({}, { template: 'qwen3' });
  const start = (): unknown => model.generate('Hi', { ...limited, maxReasoningTokens: 0, enableThinking: true });
  expect(await failureOf(start)).toMatchObject({
    code: 'RKLLM_INVALID_OPTION',
    details: { option: 'maxReasoningTokens' },
  });
  await model.dispose();
});
