import assert from 'node:assert/strict';
import type { ChatSession } from '../chat/session.js';
import type { Generation } from '../generation.js';
import type { Bench, ConformanceCase } from './bench.js';
import { codeOf } from './reading.js';

export function chatCases(bench: Bench): ConformanceCase[] {
  return bench.group('a conversation', 'short', {
    'goes on from turn to turn': async ({ model, question }) => {
      const chat = model.chat({ system: 'Be brief.' });
      const first = await chat.send(question);
      const second = await chat.send(question);
      assert.deepEqual(chat.messages, [
        { role: 'system', content: 'Be brief.' },
        { role: 'user', content: question },
        { role: 'assistant', content: first.text },
        { role: 'user', content: question },
        { role: 'assistant', content: second.text },
      ]);
      const [{ inputTokens: less = 0 }, { inputTokens: more = 0 }] = [first.usage, second.usage];
      assert(more > less || !model.capabilities.countsTokens);
    },

    'begins with the same answer as without one': async ({ model, question, text }) => {
      const chat = model.chat();
      assert.equal((await chat.send(question)).text, text);
      chat.reset();
      assert.equal((await chat.send(question)).text, text);
    },

    'computes only what is new, where the backend keeps what it computed, and says so, where it counts': async (
      subject,
    ) => {
      const { model, question } = subject;
      const { kvReuse, countsTokens } = model.capabilities;
      const chat = model.chat();
      await chat.send(question);
      const { cachedInputTokens } = (await chat.send(question)).usage;
      const told = cachedInputTokens === undefined ? 'untold' : cachedInputTokens > 0;
      assert.equal(told, countsTokens ? kvReuse : 'untold');
    },

    'computes its beginning ahead of the first question, where the backend keeps it, or is refused': async (
      subject,
    ) => {
      const { model, question } = subject;
      const { kvReuse, countsTokens } = model.capabilities;
      const cold = await model.chat({ system: 'Be brief.' }).send(question);
      await model.generate('Something else', { maxNewTokens: 3 });
      const chat = model.chat({ system: 'Be brief.' });
      if (!kvReuse) {
        assert.equal(await codeOf(() => chat.warm()), 'RKLLM_UNSUPPORTED_OPTION');
        return;
      }
      const { source, isStored } = await chat.warm();
      assert.deepEqual({ source, isStored }, { source: 'computed', isStored: false });
      const { text, usage } = await chat.send(question);
      assert.equal(text, cold.text);
      if (countsTokens) assert((usage.cachedInputTokens ?? 0) > 0);
    },

    'is not disturbed by other questions to the same model': async ({ model, question }) => {
      const [undisturbed, disturbed] = [model.chat(), model.chat()];
      await undisturbed.send(question);
      const expected = await undisturbed.send('And then?', { maxNewTokens: 10 });
      await disturbed.send(question);
      await model.generate('Something else', { maxNewTokens: 3 });
      const { text } = await disturbed.send('And then?', { maxNewTokens: 10 });
      assert.equal(text, expected.text);
    },

    'is repeated, edited, forked and resumed, each time with the answer of its messages': async ({
      model,
      question,
    }) => {
      const limits = { maxNewTokens: 10, temperature: 0 };
      const options = model.capabilities.perRequestSampling ? limits : { maxNewTokens: 10 };
      const chat = model.chat({ system: 'Be brief.' });
      await chat.send(question, options);
      const fork = chat.fork();
      const resumed = model.chat({ from: chat.toJSON() });
      const expectSame = async (session: ChatSession, turn: Generation): Promise<void> => {
        const { text } = await turn;
        assert.equal(text, (await model.generate(session.messages.slice(0, -1), options)).text);
      };
      await expectSame(chat, chat.regenerate(options));
      await expectSame(chat, chat.editLast('And then?', options));
      await expectSame(fork, fork.send('Why?', options));
      await expectSame(resumed, resumed.send('Why?', options));
      assert.deepEqual(fork.messages, resumed.messages);
    },

    'says how much of the context it takes, and is refused before it is sent when that is too much': async (
      subject,
    ) => {
      const { model, question } = subject;
      const { contextLength } = model.info;
      const chat = model.chat();
      const { promptTokens, counting } = await chat.contextUsage(question);
      const { usage } = await chat.send(question, { maxNewTokens: 2 });
      if (counting === 'exact') assert.equal(promptTokens, usage.inputTokens);
      else assert(promptTokens >= (usage.inputTokens ?? 0) && promptTokens < contextLength);
      const tooMuch = 'x '.repeat(4 * contextLength);
      assert.equal((await chat.contextUsage(tooMuch)).freeTokens, 0);
      assert.equal(await codeOf(() => chat.send(tooMuch)), 'RKLLM_CONTEXT_OVERFLOW');
      assert.equal(chat.messages.length, 2);
    },

    'takes one turn at a time': async ({ model, question }) => {
      const chat = model.chat();
      const answer = chat.send(question);
      assert.equal(await codeOf(() => chat.send(question)), 'RKLLM_CHAT_BUSY');
      await answer;
      assert.equal(chat.messages.length, 2);
    },
  });
}
