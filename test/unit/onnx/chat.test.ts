import { tmpdir } from 'node:os';
import { loadModel, type ChatMessage, type ChatSession, type Generation, type Model } from 'rkllm';

/** Two of the same model: one that is used, and one that is made to forget before each answer. */
let used: Model;
let cold: Model;
beforeAll(async () => {
  [used, cold] = await Promise.all([
    loadModel(undefined, { temperature: 0 }),
    loadModel(undefined, { temperature: 0 }),
  ]);
});
afterAll(() => Promise.all([used.dispose(), cold.dispose()]));

const limits = { maxNewTokens: 12 };

/** The answer to a conversation, with nothing left of what was computed before. */
async function coldAnswer(messages: readonly ChatMessage[], options: object = limits): Promise<string> {
  await cold.generate({ tokenIds: [5] }, { maxNewTokens: 1 }); // no prompt of a conversation begins so
  const { text, usage } = await cold.generate(messages, options);
  expect(usage.cachedInputTokens).toBe(0);
  return text;
}

/** The turn has the same answer as after a cold start, and computed less. */
async function expectSame(chat: ChatSession, turn: Generation, options: object = limits): Promise<void> {
  const { text } = await turn;
  expect(text).toBe(await coldAnswer(chat.messages.slice(0, -1), options));
}

test('whatever came before, a turn is answered as after a cold start, and only what differs is computed', async () => {
  const chat = used.chat({ system: 'Be brief.' });
  const other = used.chat({ system: 'You are a poet.' });
  await expectSame(chat, chat.send('What is a token?', limits));
  await expectSame(other, other.send('What is a token?', limits));
  await expectSame(chat, chat.send('And the NPU?', limits));
  await used.generate('Something else', limits);
  await expectSame(chat, chat.send('Why?', limits));

  const stopped = chat.send('Tell me a long story.', { maxNewTokens: 100 });
  for await (const chunk of stopped) if (chunk.type === 'text') stopped.abort();
  await expectSame(chat, chat.send('Go on.', limits));
  const [word = ''] = (await coldAnswer([...chat.messages, { role: 'user', content: 'Stop there.' }]))
    .split(' ')
    .slice(1);
  const options = word === '' ? limits : { ...limits, stop: [word] };
  await expectSame(chat, chat.send('Stop there.', options), options);
  await expect(chat.send('Fail.', { signal: AbortSignal.abort() }).result()).rejects.toThrow();

  await expectSame(chat, chat.editLast('What is the RK3588?', limits));
  await expectSame(chat, chat.regenerate(limits));
  const fork = chat.fork();
  await expectSame(fork, fork.send('Yes?', limits));
  await expectSame(chat, chat.send('No?', limits));
  const { usage } = await chat.send('Once more?', limits);
  const { cachedInputTokens = 0, inputTokens = 0 } = usage;
  expect(cachedInputTokens).toBeGreaterThan(inputTokens / 2);
  chat.reset();
  await expectSame(chat, chat.send('What is a token?', limits));
}, 60_000);

test('tokens are counted exactly before they are computed, also during an answer', async () => {
  const chat = used.chat({ system: 'Be brief.' });
  const running = used.generate('Tell me a story.', { maxNewTokens: 60 });
  const { promptTokens, freeTokens, contextLength, counting } = await chat.contextUsage('What is a token?');
  expect(running.state).not.toBe('done');
  running.abort();
  const { usage } = await chat.send('What is a token?', limits);
  expect(promptTokens).toBe(usage.inputTokens);
  expect({ freeTokens, counting }).toEqual({ freeTokens: contextLength - promptTokens, counting: 'exact' });
  const long = 'word '.repeat(contextLength * 200);
  expect(await chat.contextUsage(long)).toMatchObject({ promptTokens: Infinity, freeTokens: 0 });
});

test('a conversation loses old turns when it is full, and its answers are those to what is left', async () => {
  const model = await loadModel(undefined, { temperature: 0, maxContextLength: 96 });
  const chat = model.chat({ system: 'Be brief.', onContextFull: 'drop-oldest-turns', reserveTokens: 12 });
  for (let turn = 0; turn < 6; turn++) await expectSame(chat, chat.send('What is the RK3588?', limits));
  expect(chat.messages[0]?.role).toBe('system');
  expect(chat.messages.length).toBeLessThan(13);
  expect((await chat.contextUsage()).promptTokens).toBeLessThanOrEqual(96);
  await model.dispose();
}, 60_000);

test('what is computed ahead is what the first turn begins with, and its answer is the same', async () => {
  const system = 'You are a helpful assistant that answers briefly.';
  const { promptTokens } = await used.chat({ system }).contextUsage('What is a token?');
  await used.generate({ tokenIds: [5] }, { maxNewTokens: 1 });
  const chat = used.chat({ system });
  const { computedInputTokens = 0, ...outcome } = await chat.warm();
  expect(outcome).toEqual({ source: 'computed', isStored: false, problem: undefined });
  const turn = chat.send('What is a token?', limits);
  const { usage } = await turn;
  expect(usage.cachedInputTokens).toBe(computedInputTokens);
  expect(usage.inputTokens).toBe(promptTokens);
  expect(promptTokens - computedInputTokens).toBeLessThan(promptTokens / 2);
  await expectSame(chat, turn);
  expect((await chat.warm()).computedInputTokens).toBeLessThan(promptTokens);
});

test('there are no files for it', async () => {
  const load = loadModel(undefined, { promptCacheFiles: { directory: tmpdir() } });
  await expect(load).rejects.toMatchObject({ code: 'RKLLM_UNSUPPORTED_OPTION' });
});
