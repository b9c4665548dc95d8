/** `chat.run()` on the vendor's runtime; and its own function tools, whose loop the application writes. */
import type { ChatMessage, Tool } from 'rkllm';
import { phi3Template } from '../../../lib/chat/templates/phi3.js';
import { codeOf } from '../../support/reading.js';
import { load } from './batches.js';
import { FakeModel } from './fake-model.js';

const parameters = { type: 'object', properties: { city: { type: 'string' } }, required: ['city'] };
const weather: Tool = {
  name: 'weather',
  parameters,
  run: ({ city }) => `In ${String(city)} it has nine degrees.`,
};
const call = ['token <tool_call>', 'token {"name":\\x20"weather",', 'token \\x20"arguments":', 'token \\x20{"city":'];
const replies = [
  ...[...call, 'token \\x20"Graz"}}', 'token </tool_call>'],
  ...['next-reply', 'token Nine', 'token \\x20degrees.'],
  ...['next-reply', 'token Cold.'],
];

const texts = (fake: FakeModel): string[] =>
  fake.journal.flatMap((line) => /^input prompt .*?text="(.*)"$/u.exec(line)?.[1] ?? []).map(unescaped);
const unescaped = (text: string): string => text.replaceAll('\\n', '\n').replaceAll('\\"', '"');
const computed = (fake: FakeModel): number[] =>
  fake.journal.flatMap((line) => [...line.matchAll(/^prefill (\d+) /gu)].map((match) => Number(match[1])));
const wordsIn = (text: string): number => text.split(/\s+/u).filter((word) => word !== '').length;
const tools = [{ name: 'weather', description: undefined, parameters }];

test('runs the tools, and computes in each step what is new', async () => {
  const fake = new FakeModel('details', ...replies);
  const { model } = await load('1.2.3', fake, { template: 'phi3' });
  const chat = model.chat({ system: 'Be brief.' });
  const run = chat.run('Cold in Graz?', { tools: [weather] });
  const kinds: string[] = [];
  for await (const { type } of run) if (kinds.at(-1) !== type) kinds.push(type);
  expect(kinds).toEqual(['tool-call', 'tool-result', 'step', 'text', 'step', 'finish']);
  const { text, steps, finishReason } = await run;
  expect([text, finishReason, steps[0]?.toolResults[0]?.content]).toEqual([
    ...['Nine degrees.', 'stop', 'In Graz it has nine degrees.'],
  ]);
  expect(chat.messages.map(({ role }) => role)).toEqual(['system', 'user', 'assistant', 'tool', 'assistant']);

  // Each prompt is the conversation in the template, and what stood in the one before was not computed again.
  await chat.send('Sure?', { tools: [weather] });
  const asked = (count: number): readonly ChatMessage[] => chat.messages.slice(0, count);
  const prompts = [asked(2), asked(4), asked(6)].map((messages) => phi3Template.render(messages, { tools }));
  expect(texts(fake)).toEqual(prompts);
  const [first = 0, second = Infinity, third = Infinity] = computed(fake);
  expect(first).toBe(wordsIn(prompts[0] ?? ''));
  expect(second).toBeLessThan(wordsIn(prompts[1]?.slice(prompts[0]?.length) ?? ''));
  expect(third).toBeLessThan(wordsIn(prompts[2]?.slice(prompts[1]?.length) ?? '') + 1);
  expect(fake.calls).not.toContain('clear-kv-cache 0');
  expect(fake.journal.filter((line) => line.startsWith('set-function-tools'))).toEqual([]);
});

describe("with template: 'runtime'", () => {
  test('a conversation is refused, since the runtime takes one message at a time', async () => {
    const fake = new FakeModel('details', ...replies);
    const { model } = await load('1.2.3', fake, { template: 'runtime' });
    expect(await codeOf(() => model.chat().run('Cold in Graz?', { tools: [weather] }))).toBe('RKLLM_TEMPLATE_UNKNOWN');
    expect(texts(fake)).toEqual([]);
  });

  test('the runtime shows the tools, and is told the result as a message of the tool', async () => {
    const fake = new FakeModel('details', ...replies);
    const { model } = await load('1.2.3', fake, { template: 'runtime' });
    const asked = await model.generate('Cold in Graz?', { tools: [weather], keepHistory: true });
    expect(asked).toMatchObject({ text: '', finishReason: 'tool-calls' });
    expect(asked.toolCalls).toMatchObject([{ name: 'weather', arguments: { city: 'Graz' } }]);
    expect(asked.toolCalls[0]?.problems).toBeUndefined();
    const result = '["nine degrees"]';
    const answer = await model.generate(result, { tools: [weather], keepHistory: true, role: 'tool' });
    expect(answer).toMatchObject({ text: 'Nine degrees.', toolCalls: [], finishReason: 'stop' });
    const roles = fake.journal.flatMap((line) => /^input prompt role=(\w+)/u.exec(line)?.[1] ?? []);
    expect(roles).toEqual(['user', 'tool']);
    expect(texts(fake)[0]).toContain('"weather"');
    expect(texts(fake)[1]).toContain(result);
    // They are set once, and what was computed with them stays.
    const calls = fake.calls.flatMap((line) => /^(?:set-function-tools|clear-kv-cache|run)(?= )/u.exec(line) ?? []);
    expect(calls).toEqual(['set-function-tools', 'clear-kv-cache', 'run', 'run']);
    expect(computed(fake)[1]).toBe(wordsIn(texts(fake)[1] ?? ''));
  });
});
