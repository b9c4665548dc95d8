import type { ChatMessage, ChatSession } from 'rkllm';
import { manualModel, scriptedModel } from '../support/models.js';
import { codeOf, collect, failureOf } from '../support/reading.js';

const user = (content: string): ChatMessage => ({ role: 'user', content });
const assistant = (content: string): ChatMessage => ({ role: 'assistant', content });
const system: ChatMessage = { role: 'system', content: 'Be brief.' };

/** A chat whose engine answers `A1`, `A2` and so on, and the prompts that it was sent. */
async function numbered(options?: { system: string }): Promise<{ chat: ChatSession; prompts: string[] }> {
  const prompts: string[] = [];
  const model = await scriptedModel({
    reply: () => `A${String(prompts.length)}`,
    onRun: (prompt) => prompts.push(prompt),
  });
  return { chat: model.chat(options), prompts };
}

test('each turn is sent with everything said before', async () => {
  const { chat, prompts } = await numbered({ system: 'Be brief.' });
  expect(chat.messages).toEqual([system]);
  await chat.send('Q1');
  await chat.send('Q2');
  expect(chat.messages).toEqual([system, user('Q1'), assistant('A1'), user('Q2'), assistant('A2')]);
  expect(prompts[1]).toBe(
    '<|system|>\nBe brief.<|end|>\n<|user|>\nQ1<|end|>\n<|assistant|>\nA1<|end|>\n<|user|>\nQ2<|end|>\n<|assistant|>\n',
  );
});

test('without a system message there is none', async () => {
  const { chat, prompts } = await numbered();
  expect(chat.messages).toEqual([]);
  await chat.send('Q1');
  expect(prompts[0]).toBe('<|user|>\nQ1<|end|>\n<|assistant|>\n');
});

test('chats of one model know nothing of each other', async () => {
  const model = await scriptedModel({ reply: 'A' });
  const [one, other] = [model.chat(), model.chat({ system: 'Be brief.' })];
  await Promise.all([one.send('Q1'), other.send('Q2')]);
  expect(one.messages).toEqual([user('Q1'), assistant('A')]);
  expect(other.messages).toEqual([system, user('Q2'), assistant('A')]);
});

test('reset() forgets all but the system message', async () => {
  const { chat, prompts } = await numbered({ system: 'Be brief.' });
  await chat.send('Q1');
  chat.reset();
  expect(chat.messages).toEqual([system]);
  await chat.send('Q2');
  expect(prompts[1]).not.toContain('Q1');
  expect(chat.messages).toEqual([system, user('Q2'), assistant('A2')]);
});

test('while a turn is under way another one and reset() are refused, and nothing else changes', async () => {
  const { model, backend } = await manualModel();
  const chat = model.chat();
  const answer = chat.send('Q1');
  expect(await codeOf(() => chat.send('Q2'))).toBe('RKLLM_CHAT_BUSY');
  expect(await codeOf(() => chat.reset())).toBe('RKLLM_CHAT_BUSY');
  expect(model.pending).toBe(0);
  expect(chat.messages).toEqual([]);
  backend.run.write('A1');
  backend.run.end();
  await answer;
  expect(chat.messages).toEqual([user('Q1'), assistant('A1')]);
});

describe('the next question may be asked', () => {
  test('from the finish chunk', async () => {
    const { chat } = await numbered();
    for await (const chunk of chat.send('Q1')) {
      if (chunk.type === 'finish') await chat.send('Q2');
    }
    expect(chat.messages).toHaveLength(4);
  });

  test('after the loop over the text', async () => {
    const { chat } = await numbered();
    for await (const text of chat.send('Q1').textStream) expect(text).toBe('A1');
    await chat.send('Q2');
    expect(chat.messages).toHaveLength(4);
  });

  test('from then()', async () => {
    const { chat } = await numbered();
    await chat.send('Q1').then(() => chat.send('Q2'));
    expect(chat.messages).toHaveLength(4);
  });

  test('after a failure, from the loop and from catch()', async () => {
    const model = await scriptedModel({ reply: 'A B C', failAfterTokens: 2 });
    const chat = model.chat();
    await failureOf(() => collect(chat.send('Q1')));
    expect(await codeOf(() => chat.send('Q2'))).toBe('RKLLM_RUN_FAILED');
    const codes = await chat
      .send('Q3')
      .result()
      .catch(() => codeOf(() => chat.send('Q4')));
    expect(codes).toBe('RKLLM_RUN_FAILED');
  });
});

describe('a turn that does not come to its end', () => {
  test('fails: the conversation is as before', async () => {
    const { model, backend } = await manualModel();
    const chat = model.chat({ system: 'Be brief.' });
    const answer = chat.send('Q1');
    backend.run.write('A');
    backend.run.fail(new Error('broken'));
    await failureOf(() => answer);
    expect(chat.messages).toEqual([system]);
  });

  test('is stopped by abort(): what was written counts', async () => {
    const { model, backend } = await manualModel();
    const chat = model.chat();
    const answer = chat.send('Q1');
    backend.run.write('half');
    for await (const chunk of answer) if (chunk.type === 'text') answer.abort();
    expect(chat.messages).toEqual([user('Q1'), assistant('half')]);
  });

  test('is left by break: what was written counts, and the chat is free', async () => {
    const { model, backend } = await manualModel();
    const chat = model.chat();
    const answer = chat.send('Q1');
    backend.run.write('half');
    for await (const chunk of answer) if (chunk.type === 'text') break;
    expect(chat.messages).toEqual([user('Q1'), assistant('half')]);
    expect(chat.send('Q2').state).toBe('prefill');
  });

  test.each(['throw', 'return'] as const)('is aborted by its signal, onAbort %s', async (onAbort) => {
    const { model, backend } = await manualModel();
    const chat = model.chat();
    const controller = new AbortController();
    const answer = chat.send('Q1', { signal: controller.signal, onAbort });
    backend.run.write('half');
    await new Promise(setImmediate);
    controller.abort();
    await answer.result().catch(() => undefined);
    expect(chat.messages).toEqual(onAbort === 'throw' ? [] : [user('Q1'), assistant('half')]);
  });

  test('waits and the model is disposed', async () => {
    const { model } = await manualModel();
    const [first, second] = [model.chat(), model.chat()];
    void first.send('Q1');
    const waiting = second.send('Q2');
    await model.dispose({ abort: true });
    expect(await codeOf(() => waiting)).toBe('RKLLM_DISPOSED');
    expect(second.messages).toEqual([]);
    expect(first.messages).toEqual([user('Q1'), assistant('')]);
  });
});

test.each([
  ['an empty message', '', 'RKLLM_EMPTY_PROMPT'],
  ['white space', ' \n', 'RKLLM_EMPTY_PROMPT'],
  ['a number', 5, 'RKLLM_INVALID_INPUT'],
  ['nothing', undefined, 'RKLLM_INVALID_INPUT'],
  ['a list of messages', [user('Q1')], 'RKLLM_INVALID_INPUT'],
])('%s is refused and leaves the chat free', async (_, content, code) => {
  const { chat } = await numbered();
  expect(await codeOf(() => chat.send(content as string))).toBe(code);
  await chat.send('Q1');
  expect(chat.messages).toHaveLength(2);
});

test('a bad option leaves the chat free', async () => {
  const { chat } = await numbered();
  expect(await codeOf(() => chat.send('Q1', { topK: 0 }))).toBe('RKLLM_INVALID_OPTION');
  await chat.send('Q1');
  expect(chat.messages).toHaveLength(2);
});

test('the options of a turn are its own', async () => {
  const { model, backend } = await manualModel();
  const chat = model.chat();
  const answer = chat.send('Q1', { maxNewTokens: 1, temperature: 0 });
  expect(backend.run.request).toMatchObject({ maxNewTokens: 1, sampling: { temperature: 0 } });
  backend.run.write('A', 'B');
  expect(await answer).toMatchObject({ text: 'A', finishReason: 'length' });
  chat.send('Q2');
  expect(backend.run.request.maxNewTokens).toBeGreaterThan(4000); // what the context has left
  expect(backend.run.request.sampling).toEqual({});
});

test('what is returned of the messages does not change with later turns', async () => {
  const { chat } = await numbered();
  await chat.send('Q1');
  const before = chat.messages;
  await chat.send('Q2');
  expect(before).toEqual([user('Q1'), assistant('A1')]);
});

test('the list of messages cannot be changed behind the back of the chat', async () => {
  const { chat } = await numbered({ system: 'Be brief.' });
  const push = (): void => void (chat.messages as ChatMessage[]).push(user('Q0'));
  expect(push).toThrow(TypeError);
  await chat.send('Q1');
  expect(push).toThrow(TypeError);
  expect(chat.messages).toEqual([system, user('Q1'), assistant('A1')]);
});
