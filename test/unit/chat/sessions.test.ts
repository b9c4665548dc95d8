import type { ChatMessage, ChatOptions, ChatSession, SavedChat } from 'rkllm';
import type { Script } from 'rkllm/testing';
import { manualModel, scriptedModel } from '../../support/models.js';
import { codeOf, failureOf } from '../../support/reading.js';

const user = (content: string): ChatMessage => ({ role: 'user', content });
const assistant = (content: string): ChatMessage => ({ role: 'assistant', content });
const system: ChatMessage = { role: 'system', content: 'Be brief.' };

/** A chat whose engine answers `A1`, `A2` and so on. */
async function numbered(options?: ChatOptions, script: Script = {}): Promise<ChatSession> {
  let asked = 0;
  const model = await scriptedModel({ reply: () => `A${String(++asked)}`, ...script });
  return model.chat(options);
}

describe('regenerate()', () => {
  test('puts another answer in the place of the last one', async () => {
    const chat = await numbered({ system: 'Be brief.' });
    await chat.send('Q1');
    expect((await chat.regenerate({ temperature: 1 })).text).toBe('A2');
    expect(chat.messages).toEqual([system, user('Q1'), assistant('A2')]);
  });

  test('is refused where there is no answer', async () => {
    const chat = await numbered({ system: 'Be brief.' });
    expect(await failureOf(() => chat.regenerate())).toMatchObject({
      code: 'RKLLM_INVALID_INPUT',
      hint: expect.stringContaining('send()') as string,
    });
    await chat.send('Q1');
    expect(chat.messages).toHaveLength(3);
  });

  test('that fails leaves the answer that was there', async () => {
    const { model, backend } = await manualModel();
    const chat = model.chat();
    const first = chat.send('Q1');
    backend.run.write('A1');
    backend.run.end();
    await first;
    const second = chat.regenerate();
    backend.run.fail(new Error('broken'));
    await failureOf(() => second);
    expect(chat.messages).toEqual([user('Q1'), assistant('A1')]);
  });
});

describe('editLast()', () => {
  test('takes the place of the last question and its answer', async () => {
    const chat = await numbered({ system: 'Be brief.' });
    await chat.send('Q1');
    await chat.send('Q2');
    await chat.editLast('Q3');
    expect(chat.messages).toEqual([system, user('Q1'), assistant('A1'), user('Q3'), assistant('A3')]);
  });

  test('is refused before the user has said something, and with nothing to say', async () => {
    const chat = await numbered();
    expect(await codeOf(() => chat.editLast('Q1'))).toBe('RKLLM_INVALID_INPUT');
    await chat.send('Q1');
    expect(await codeOf(() => chat.editLast(' '))).toBe('RKLLM_EMPTY_PROMPT');
    expect(chat.messages).toEqual([user('Q1'), assistant('A1')]);
  });
});

describe('fork()', () => {
  test('goes its own way', async () => {
    const chat = await numbered({ system: 'Be brief.' });
    await chat.send('Q1');
    const fork = chat.fork();
    await Promise.all([chat.send('Q2'), fork.send('Q3')]);
    expect(chat.messages).toEqual([system, user('Q1'), assistant('A1'), user('Q2'), assistant('A2')]);
    expect(fork.messages).toEqual([system, user('Q1'), assistant('A1'), user('Q3'), assistant('A3')]);
    fork.reset();
    expect([fork.messages.length, chat.messages.length]).toEqual([1, 5]);
  });

  test('of a busy chat is free, and begins before the turn', async () => {
    const { model, backend } = await manualModel();
    const chat = model.chat({ partialAnswers: 'discard' });
    const answer = chat.send('Q1');
    const fork = chat.fork();
    expect(fork.messages).toEqual([]);
    const second = fork.send('Q2');
    answer.abort();
    await answer;
    second.abort(); // has the options of the first one
    await second;
    expect(fork.messages).toEqual([]);
    expect(backend.runs).toHaveLength(2);
  });
});

test.each(['regenerate', 'editLast', 'send'] as const)('%s() is refused during a turn', async (call) => {
  const { model, backend } = await manualModel();
  const chat = model.chat();
  const first = chat.send('Q1');
  backend.run.write('A1');
  backend.run.end();
  await first;
  const answer = chat.send('Q2');
  const act = (): unknown => (call === 'regenerate' ? chat.regenerate() : chat[call]('Q3'));
  expect(await codeOf(act)).toBe('RKLLM_CHAT_BUSY');
  backend.run.end();
  await answer;
  expect(backend.runs).toHaveLength(2);
});

describe('a turn that was stopped', () => {
  test.each([
    ['keep', [user('Q1'), assistant('half')]],
    ['discard', []],
  ] as const)('with partialAnswers: %s', async (partialAnswers, messages) => {
    const { model, backend } = await manualModel();
    const chat = model.chat({ partialAnswers });
    const answer = chat.send('Q1');
    backend.run.write('half');
    for await (const chunk of answer) if (chunk.type === 'text') break;
    expect(chat.messages).toEqual(messages);
  });

  test('is no stopped turn when a stop sequence or the limit has ended it', async () => {
    const chat = await numbered({ partialAnswers: 'discard' }, { reply: 'One two three' });
    await chat.send('Q1', { stop: ['two'] });
    await chat.send('Q2', { maxNewTokens: 1 });
    expect(chat.messages.map(({ content }) => content.trim())).toEqual(['Q1', 'One', 'Q2', 'One']);
  });
});

describe('a saved chat', () => {
  const saved: SavedChat = { format: 'rkllm-chat', version: 1, messages: [system, user('Q1'), assistant('A1')] };

  test('is what JSON.stringify() makes of one, and goes on', async () => {
    const chat = await numbered({ system: 'Be brief.' });
    await chat.send('Q1');
    const json = JSON.parse(JSON.stringify(chat)) as SavedChat;
    expect(json).toEqual(saved);
    const restored = await numbered({ from: json });
    expect(restored.messages).toEqual(chat.messages);
    await restored.send('Q2');
    expect(restored.messages).toHaveLength(5);
    restored.reset();
    expect(restored.messages).toEqual([system]);
    expect(json).toEqual(saved);
  });

  test('does not have a turn that is not over', async () => {
    const { model } = await manualModel();
    const chat = model.chat();
    chat.send('Q1');
    expect(chat.toJSON().messages).toEqual([]);
  });

  test.each<[string, object]>([
    ['nothing', {}],
    ['another format', { ...saved, format: 'chat' }],
    ['a later version', { ...saved, version: 2 }],
    ['something beside it', { ...saved, extra: 1 }],
    ['no list of messages', { ...saved, messages: { 0: user('Q1') } }],
    ['a role that there is not', { ...saved, messages: [{ role: 'tool', content: '' }] }],
    ['a content that is no text', { ...saved, messages: [{ role: 'assistant', content: 5 }] }],
    ['a hole', { ...saved, messages: new Array(1) }],
    ['a question without an answer', { ...saved, messages: [user('Q1')] }],
  ])('with %s is refused', async (_, from) => {
    const error = await failureOf(() => numbered({ from: from as SavedChat }));
    expect(error).toMatchObject({ code: 'RKLLM_INVALID_INPUT', details: { option: 'from' } });
  });

  test('has its own system message', async () => {
    expect(await codeOf(() => numbered({ from: saved, system: 'Be long.' }))).toBe('RKLLM_INVALID_OPTION');
  });
});

test('no chat does anything once the model is gone', async () => {
  const model = await scriptedModel({ reply: 'A' });
  const chat = model.chat();
  await chat.send('Q1');
  await model.dispose();
  for (const act of [
    (): unknown => chat.send('Q2'),
    (): unknown => chat.regenerate(),
    (): unknown => chat.fork(),
    (): unknown => chat.contextUsage(),
    (): unknown => chat.warm(),
  ]) {
    expect(await codeOf(act)).toBe('RKLLM_DISPOSED');
  }
  expect(chat.toJSON().messages).toHaveLength(2);
});

test.each<[string, (chat: ChatSession) => unknown]>([
  ['send()', (chat) => chat.send('Hi', { maxReasoningTokens: 5 })],
  ['regenerate()', (chat) => chat.regenerate({ maxReasoningTokens: 5 })],
  ['editLast()', (chat) => chat.editLast('Hi', { tools: ['a' as never] })],
  ['run()', (chat) => chat.run('Hi', { tools: [{ name: 'a', run: () => 1 }], responseFormat: { type: 'json' } })],
])('%s is named in what is wrong with its options', async (owner, call) => {
  const chat = (await scriptedModel({})).chat();
  await chat.send('Hi');
  expect(await failureOf(() => call(chat))).toMatchObject({
    code: 'RKLLM_INVALID_OPTION',
    message: expect.stringContaining(`${owner}: `) as string,
    details: { owner },
  });
});
