import type { Generation } from 'rkllm';
import { collect, collectUntilError, failureOf, finishOf, textOf, tokenIdsOf } from '../../support/reading.js';
import { Shared, load, type Harness } from '../harness.js';

/** Leaves the loop after the first text. */
async function readFirst(generation: Generation): Promise<void> {
  for await (const chunk of generation) if (chunk.type === 'text') break;
}

export function describeStopping(harness: Harness): void {
  describe('an answer that is stopped', () => {
    const shared = new Shared(harness, 'long');

    async function expectBeginning(generation: Generation): Promise<void> {
      const { text, finishReason, usage } = await generation;
      expect(finishReason).toBe('abort');
      expect(shared.text.startsWith(text)).toBe(true);
      expect(usage.outputTokens).toBeLessThan(shared.tokenIds.length);
    }

    /** The engine is as it was before. */
    async function expectUsable(): Promise<void> {
      expect(shared.model.state).toBe('ready');
      const chunks = await collect(shared.model.generate(shared.question, { maxNewTokens: 20 }));
      expect(tokenIdsOf(chunks)).toEqual(shared.tokenIds.slice(0, 20));
    }

    test('by break', async () => {
      const generation = shared.model.generate(shared.question);
      await readFirst(generation);
      await expectBeginning(generation);
      await expectUsable();
    });

    test('by abort()', async () => {
      const generation = shared.model.generate(shared.question);
      const chunks = [];
      for await (const chunk of generation) {
        chunks.push(chunk);
        generation.abort();
      }
      expect(finishOf(chunks).finishReason).toBe('abort');
      await expectBeginning(generation);
      await expectUsable();
    });

    test('by both readers of tee()', async () => {
      const generation = shared.model.generate(shared.question);
      await Promise.all(
        generation.tee().map(async (branch) => {
          for await (const chunk of branch) if (chunk.type === 'text') break;
        }),
      );
      await expectBeginning(generation);
      await expectUsable();
    });

    test('by cancelling its web stream, for a reason', async () => {
      const generation = shared.model.generate(shared.question);
      const reader = generation.toReadableStream().getReader();
      await reader.read();
      await reader.cancel('enough');
      expect((await generation).abortReason).toBe('enough');
      await expectBeginning(generation);
      await expectUsable();
    });

    test('by abort() before its first token', async () => {
      const generation = shared.model.generate(shared.question);
      generation.abort();
      await expectBeginning(generation);
      await expectUsable();
    });

    test('by await using', async () => {
      let left: Generation;
      {
        await using generation = shared.model.generate(shared.question);
        await generation[Symbol.asyncIterator]().next();
        left = generation;
      }
      expect(left.state).toBe('aborted');
      await expectUsable();
    });

    test('by its signal', async () => {
      const controller = new AbortController();
      const generation = shared.model.generate(shared.question, { signal: controller.signal });
      setImmediate(() => controller.abort());
      const { chunks, error } = await collectUntilError(generation);
      expect(error).toBe(controller.signal.reason);
      expect(shared.text.startsWith(textOf(chunks))).toBe(true);
      await expectUsable();
    });

    test("by its signal, onAbort 'return'", async () => {
      const controller = new AbortController();
      const generation = shared.model.generate(shared.question, { signal: controller.signal, onAbort: 'return' });
      setImmediate(() => controller.abort());
      await expectBeginning(generation);
      await expectUsable();
    });

    test('before it began', async () => {
      const reason = new Error('too late');
      const generation = shared.model.generate(shared.question, { signal: AbortSignal.abort(reason) });
      expect(shared.model.state).toBe('ready');
      expect(await failureOf(() => generation)).toBe(reason);
      await expectUsable();
    });

    test('again and again', async () => {
      for (let round = 0; round < 10; round++) await readFirst(shared.model.generate(shared.question));
      await expectUsable();
    });

    test('while others wait: they come in their order', async () => {
      const { model, question } = shared;
      const order: string[] = [];
      const named = (name: string, generation: Generation): Promise<number> =>
        generation.result().then(() => order.push(name));
      const first = model.generate(question);
      const second = model.generate(question, { maxNewTokens: 3 });
      const third = model.generate(question);
      const fourth = model.generate(question, { maxNewTokens: 3 });
      const all = [named('1', first), named('2', second), named('3', third), named('4', fourth)];
      third.abort();
      await readFirst(first);
      await Promise.all(all);
      expect(order).toEqual(['3', '1', '2', '4']);
      expect(await third).toMatchObject({ text: '', finishReason: 'abort', usage: { outputTokens: 0 } });
      expect((await fourth).text).toBe((await second).text);
    });
  });

  describe('an answer that is limited', () => {
    const shared = new Shared(harness, 'long');

    test('by a stop token, which is not part of it', async () => {
      const stopToken = shared.tokenIds[10] ?? -1;
      const expected = shared.tokenIds.slice(0, shared.tokenIds.indexOf(stopToken));
      const chunks = await collect(shared.model.generate(shared.question, { stopTokenIds: [stopToken] }));
      expect(tokenIdsOf(chunks)).toEqual(expected);
      expect(finishOf(chunks)).toMatchObject({ finishReason: 'stop', usage: { outputTokens: expected.length } });
    });

    test.each([1, 2, 7, 50])('by maxNewTokens: %i', async (maxNewTokens) => {
      const chunks = await collect(shared.model.generate(shared.question, { maxNewTokens }));
      expect(tokenIdsOf(chunks)).toEqual(shared.tokenIds.slice(0, maxNewTokens));
      expect(finishOf(chunks)).toMatchObject({ finishReason: 'length', usage: { outputTokens: maxNewTokens } });
    });

    test('by maxNewTokens within a character, it ends before it', async () => {
      const { model, question } = await load(harness, 'unicode');
      const { text, usage } = await model.generate(question);
      for (let maxNewTokens = 1; maxNewTokens <= usage.outputTokens; maxNewTokens++) {
        const cut = await model.generate(question, { maxNewTokens });
        expect(text.startsWith(cut.text)).toBe(true);
      }
      await model.dispose();
    });

    test('by a stop sequence, wherever it lies', async () => {
      for (const from of [10, 50, 101]) {
        const sequence = shared.text.slice(from, from + 12);
        const generation = shared.model.generate(shared.question, { stop: ['\u0000', sequence] });
        const chunks = await collect(generation);
        expect(textOf(chunks)).toBe(shared.text.slice(0, shared.text.indexOf(sequence)));
        expect(finishOf(chunks)).toMatchObject({ finishReason: 'stop-sequence', stopSequence: sequence });
      }
    });

    test('by a stop sequence that does not come', async () => {
      const stop = [`${shared.text.slice(20, 40)}\u0000`];
      expect(await shared.model.generate(shared.question, { stop })).toMatchObject({
        text: shared.text,
        finishReason: 'stop',
        stopSequence: undefined,
      });
    });
  });
}
