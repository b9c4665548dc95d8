import { codeOf } from '../../support/reading.js';
import { Shared, type Harness } from '../harness.js';

export function describeChats(harness: Harness): void {
  describe('a conversation', () => {
    const shared = new Shared(harness, 'short');

    test('goes on from turn to turn', async () => {
      const chat = shared.model.chat({ system: 'Be brief.' });
      const first = await chat.send(shared.question);
      const second = await chat.send(shared.question);
      expect(chat.messages).toEqual([
        { role: 'system', content: 'Be brief.' },
        { role: 'user', content: shared.question },
        { role: 'assistant', content: first.text },
        { role: 'user', content: shared.question },
        { role: 'assistant', content: second.text },
      ]);
      const [{ inputTokens: less = 0 }, { inputTokens: more = 0 }] = [first.usage, second.usage];
      expect(more > less || !shared.model.capabilities.countsTokens).toBe(true);
    });

    test('begins with the same answer as without one', async () => {
      const chat = shared.model.chat();
      expect((await chat.send(shared.question)).text).toBe(shared.text);
      chat.reset();
      expect((await chat.send(shared.question)).text).toBe(shared.text);
    });

    test('computes only what is new, where the backend keeps what it computed, and says so, where it counts', async () => {
      const { kvReuse, countsTokens } = shared.model.capabilities;
      const chat = shared.model.chat();
      await chat.send(shared.question);
      const { cachedInputTokens } = (await chat.send(shared.question)).usage;
      expect(cachedInputTokens === undefined ? 'untold' : cachedInputTokens > 0).toBe(
        countsTokens ? kvReuse : 'untold',
      );
    });

    test('is not disturbed by other questions to the same model', async () => {
      const [undisturbed, disturbed] = [shared.model.chat(), shared.model.chat()];
      await undisturbed.send(shared.question);
      const expected = await undisturbed.send('And then?', { maxNewTokens: 10 });
      await disturbed.send(shared.question);
      await shared.model.generate('Something else', { maxNewTokens: 3 });
      const { text } = await disturbed.send('And then?', { maxNewTokens: 10 });
      expect(text).toBe(expected.text);
    });

    test('takes one turn at a time', async () => {
      const chat = shared.model.chat();
      const answer = chat.send(shared.question);
      expect(await codeOf(() => chat.send(shared.question))).toBe('RKLLM_CHAT_BUSY');
      await answer;
      expect(chat.messages).toHaveLength(2);
    });
  });
}
