import { subscribe, unsubscribe } from 'node:diagnostics_channel';
import { getEventListeners } from 'node:events';
import { channels } from 'rkllm';
import type { ChatRun, ChatSession, RunChunk, Tool, ToolContext } from 'rkllm';
import type { Script } from 'rkllm/testing';
import { scriptedModel } from '../../support/models.js';
import { codeOf, failureOf } from '../../support/reading.js';

const call = (name: string, given: object = {}): string =>
  `<tool_call>\n${JSON.stringify({ name, arguments: given })}\n</tool_call>`;

const weather: Tool = {
  name: 'weather',
  parameters: { type: 'object', properties: { city: { type: 'string' } }, required: ['city'] },
  run: ({ city }) => ({ city, celsius: 9 }),
};

/** Answers when its signal aborts, with its reason, or never. */
function waiting(onCall: (context: ToolContext) => void, heeds = true): Tool {
  return {
    name: 'wait',
    run: (_, context) =>
      new Promise((_resolve, reject) => {
        context.signal.addEventListener('abort', () => heeds && reject(new Error('stopped')));
        onCall(context);
      }),
  };
}

/** It takes a turn of its own to look at a value. */
const standardSchema = {
  jsonSchema: { type: 'object' },
  parameters: { '~standard': { version: 1, vendor: 'test', validate: (value: unknown) => Promise.resolve({ value }) } },
} as const;

async function asking(replies: Script['replies'], prompts: string[] = [], options = {}): Promise<ChatSession> {
  const model = await scriptedModel({ ...(replies && { replies }), onRun: (prompt) => prompts.push(prompt) });
  return model.chat(options);
}

async function chunksOf(run: ChatRun): Promise<RunChunk[]> {
  const chunks: RunChunk[] = [];
  for await (const chunk of run) chunks.push(chunk);
  return chunks;
}

test('runs what the model calls, tells it, and gives its answer', async () => {
  const prompts: string[] = [];
  const chat = await asking([`Let me see.\n${call('weather', { city: 'Graz' })}`, 'Nine degrees.'], prompts);
  const seen: number[] = [];
  const run = chat.run('Graz?', { tools: [weather], onStep: ({ index }) => seen.push(index) });
  const chunks = await chunksOf(run);
  const { text, finishReason, steps, usage } = await run;
  expect([text, finishReason, steps.length, seen]).toEqual(['Nine degrees.', 'stop', 2, [0, 1]]);
  expect(steps[0]?.toolResults).toMatchObject([{ content: '{"city":"Graz","celsius":9}', isError: false }]);
  expect(usage.outputTokens).toBe((steps[0]?.usage.outputTokens ?? 0) + (steps[1]?.usage.outputTokens ?? 0));
  expect(chunks.map(({ type }) => type).filter((type) => type !== 'text')).toEqual([
    ...['tool-call', 'tool-result', 'step', 'step', 'finish'],
  ]);
  expect(prompts[1]).toContain('<tool_response>\n{"city":"Graz","celsius":9}\n</tool_response>');
  expect(chat.messages.map(({ role }) => role)).toEqual(['user', 'assistant', 'tool', 'assistant']);
});

test('a run is saved, goes on elsewhere, and is edited as a whole', async () => {
  const prompts: string[] = [];
  const chat = await asking([call('weather', { city: 'Graz' }), 'Nine.', 'Cold.', 'Hm?', 'Good.'], prompts);
  await chat.run('Graz?', { tools: [weather] });
  const saved = JSON.parse(JSON.stringify(chat)) as ReturnType<ChatSession['toJSON']>;
  const model = await scriptedModel({});
  expect(model.chat({ from: saved }).messages).toEqual(chat.messages);
  await chat.regenerate({ tools: [weather] });
  expect(prompts[2]).toBe(prompts[1]);
  expect(chat.messages.at(-1)?.content).toBe('Cold.');
  await chat.editLast('Hello?');
  expect(chat.messages).toEqual([
    { role: 'user', content: 'Hello?' },
    { role: 'assistant', content: 'Hm?' },
  ]);
});

test.each<[string, string, Tool[], string]>([
  ['an unknown tool', call('news'), [weather], "There is no tool 'news'"],
  ['arguments that do not fit', call('weather', { city: 5 }), [weather], '/city'],
  ['JSON that is broken', '<tool_call>{"name": "weather", "arguments": {</tool_call>', [weather], 'not the JSON'],
  ['what a tool throws', call('a'), [{ name: 'a', run: () => Promise.reject(new Error('no net')) }], 'no net'],
])('%s is told to the model', async (_, reply, tools, told) => {
  const prompts: string[] = [];
  const chat = await asking([reply, 'Sorry.'], prompts);
  const { steps, text } = await chat.run('Hi', { tools });
  expect(steps[0]?.toolResults).toMatchObject([{ isError: true, content: expect.stringContaining(told) as string }]);
  expect(prompts[1]).toContain(told);
  expect(text).toBe('Sorry.');
});

test('a tool that takes too long is told to the model, and its signal aborts', async () => {
  const contexts: ToolContext[] = [];
  const chat = await asking([call('wait'), 'Sorry.']);
  const tool = waiting((context) => contexts.push(context), false);
  const { steps } = await chat.run('Hi', { tools: [tool], toolTimeoutMs: 1 });
  expect(steps[0]?.toolResults[0]?.content).toContain('within 1 ms');
  expect(contexts[0]?.signal.aborted).toBe(true);
});

test('calls of one step run at the same time, and their results keep the order', async () => {
  const waitingFor: (() => void)[] = [];
  const tool: Tool = {
    name: 'a',
    run: ({ n }) =>
      new Promise((resolve) => {
        waitingFor.push(() => resolve(n));
        if (waitingFor.length === 2) for (const answer of waitingFor.reverse()) answer();
      }),
  };
  const chat = await asking([call('a', { n: 1 }) + call('a', { n: 2 }), 'Done.']);
  const { steps } = await chat.run('Hi', { tools: [tool] });
  expect(steps[0]?.toolResults.map(({ value }) => value)).toEqual([1, 2]);
});

test('at maxSteps it ends with what there is, and says so', async () => {
  const chat = await asking([`I look.\n${call('weather', { city: 'Graz' })}`]);
  const { finishReason, steps, text } = await chat.run('Hi', { tools: [weather], maxSteps: 2 });
  expect([finishReason, steps.length, text.trim()]).toEqual(['max-steps', 2, 'I look.']);
  expect(steps[1]?.toolResults).toEqual([]);
  expect(chat.messages.map(({ role, toolCalls }) => [role, toolCalls?.length ?? 0])).toEqual([
    ...[['user', 0], ['assistant', 1], ['tool', 0], ['assistant', 0]], // prettier-ignore
  ]);
});

describe('stopped while a tool runs', () => {
  test.each([true, false])('abort() resolves and leaves the conversation as it was (tool heeds: %s)', async (heeds) => {
    const chat = await asking([call('wait')]);
    const run: ChatRun = chat.run('Hi', { tools: [waiting(() => run.abort('enough'), heeds)] });
    expect(await run).toMatchObject({ finishReason: 'abort', abortReason: 'enough' });
    expect(chat.messages).toEqual([]);
    expect((await chat.send('Hi')).finishReason).toBe('stop');
  });

  test.each([undefined, standardSchema])('calls beside it are not begun, nor waited for (%p)', async (parameters) => {
    const chat = await asking([call('stop') + call('wait')]);
    let begun = 0;
    const stop: Tool = { name: 'stop', run: () => run.abort() };
    const run: ChatRun = chat.run('Hi', { tools: [stop, { ...waiting(() => begun++, false), ...parameters }] });
    expect((await run).finishReason).toBe('abort');
    expect(begun).toBe(0);
  });

  test('its signal rejects with its reason', async () => {
    const stop = new AbortController();
    const chat = await asking([call('wait')]);
    const reason = new Error('gone');
    const run = chat.run('Hi', { tools: [waiting(() => stop.abort(reason))], signal: stop.signal });
    expect(await failureOf(() => run)).toBe(reason);
    expect(chat.messages).toEqual([]);
  });

  test('its signal is heard from the first question on, and left alone by a run that is refused', async () => {
    const stop = new AbortController();
    const { signal } = stop;
    const asked = (): void => stop.abort('told of it');
    const chat = await asking(['Hello.']);
    expect(await codeOf(() => chat.run('', { tools: [weather], signal }))).toBe('RKLLM_EMPTY_PROMPT');
    expect(getEventListeners(signal, 'abort')).toEqual([]);
    subscribe(channels.generate.start.name, asked);
    try {
      expect(await failureOf(() => chat.run('Hi', { tools: [weather], signal }))).toBe('told of it');
    } finally {
      unsubscribe(channels.generate.start.name, asked);
    }
    expect(chat.messages).toEqual([]);
  });

  test('leaving the loop stops it', async () => {
    const chat = await asking([call('wait')]);
    const contexts: ToolContext[] = [];
    for await (const chunk of chat.run('Hi', { tools: [waiting((context) => contexts.push(context))] })) {
      if (chunk.type === 'tool-call') break;
    }
    expect(chat.messages).toEqual([]);
    chat.reset();
  });
});

test('stopped in its answer it keeps what was written, or nothing', async () => {
  for (const [partialAnswers, count] of [
    ['keep', 4],
    ['discard', 0],
  ] as const) {
    // prettier-ignore
    const chat = await asking([call('weather', { city: 'Graz' }), 'Nine degrees, I think.'], [], { partialAnswers });
    const run = chat.run('Hi', { tools: [weather] });
    for await (const chunk of run) if (chunk.type === 'text' && chunk.text.includes('Nine')) break;
    expect((await run).finishReason).toBe('abort');
    expect(chat.messages).toHaveLength(count);
  }
});

test('what fails leaves the conversation as it was, and the next turn is possible', async () => {
  const chat = await asking([call('weather', { city: 'Graz' }), { failAfterTokens: 0 }, 'Fine.']);
  expect(await codeOf(() => chat.run('Hi', { tools: [weather] }))).toBe('RKLLM_RUN_FAILED');
  const onStep = (): never => {
    throw new Error('a mistake of the application');
  };
  expect(await failureOf(() => chat.run('Hi', { tools: [weather], onStep }))).toMatchObject({ message: /mistake/u });
  expect(chat.messages).toEqual([]);
  expect((await chat.send('Hi')).text).toBe('Fine.');
});

test('is refused while another turn is not over, without functions, and with what it does not have', async () => {
  const chat = await asking(['Hello.']);
  expect(await codeOf(() => chat.run('Hi', {} as never))).toBe('RKLLM_INVALID_OPTION');
  expect(await codeOf(() => chat.run('Hi', { tools: [{ name: 'a' } as Tool] }))).toBe('RKLLM_INVALID_OPTION');
  expect(await codeOf(() => chat.run('Hi', { tools: [weather], toolCalls: 'text' } as never))).toBe(
    'RKLLM_UNKNOWN_OPTION',
  );
  expect(await codeOf(() => chat.run('', { tools: [weather] }))).toBe('RKLLM_EMPTY_PROMPT');
  const run = chat.run('Hi', { tools: [weather] });
  expect(await codeOf(() => chat.send('Hi'))).toBe('RKLLM_CHAT_BUSY');
  expect(await codeOf(() => chat.run('Hi', { tools: [weather] }))).toBe('RKLLM_CHAT_BUSY');
  await run;
  expect(chat.messages).toHaveLength(2);
});
