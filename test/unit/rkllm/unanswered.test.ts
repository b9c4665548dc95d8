/** What ends a generation while the runtime waits for an answer of JavaScript. */
import type { Model } from 'rkllm';
import { askingReleases, lengths, load, rows, width } from './asking-model.js';
import { FakeModel, until } from './fake-model.js';

const boom = new RangeError('boom');

describe.each(askingReleases)('%s', (release) => {
  describe.each([
    ['the tokenizer', 'no-tokenizer'],
    ['the embedder', 'no-embedding'],
  ])('while %s does not answer', (_, lacks) => {
    /** A model whose first question is answered when the test wants, if ever. */
    async function pendingModel(): Promise<{ fake: FakeModel; model: Model; answer: () => void; asked: () => number }> {
      const fake = new FakeModel(lacks, `embed-dim ${width}`);
      let times = 0;
      let answer: () => void = () => undefined;
      const wait = (): Promise<void> | undefined =>
        ++times > 1 ? undefined : new Promise<void>((resolve) => (answer = resolve));
      const model = await load(fake, release, {
        tokenizer: async (text, maxTokens) => (await wait(), lengths(text, maxTokens)),
        embedder: async (tokenIds) => (await wait(), rows(tokenIds)),
      });
      return { fake, model, answer: () => answer(), asked: () => times };
    }

    const aborts = (fake: FakeModel): string[] => fake.calls.filter((call) => call.startsWith('abort'));

    test('abort() ends the generation, and the late answer is ignored', async () => {
      const { fake, model, answer, asked } = await pendingModel();
      const generation = model.generate({ prompt: 'a b' });
      await until(() => asked() === 1);
      generation.abort();
      expect(await generation).toMatchObject({ finishReason: 'abort', text: '' });
      expect(aborts(fake)).toEqual(['abort']); // by the callback alone
      const next = model.generate({ prompt: 'ccc' });
      answer();
      expect((await next).finishReason).toBe('stop');
    });

    test('a signal ends the generation', async () => {
      const { model, asked } = await pendingModel();
      const controller = new AbortController();
      const generation = model.generate({ prompt: 'a b' }, { signal: controller.signal });
      await until(() => asked() === 1);
      controller.abort(boom);
      await expect(generation.result()).rejects.toBe(boom);
      expect((await model.generate({ prompt: 'ccc' })).finishReason).toBe('stop');
    });

    test("a failure that comes after an abort is nobody's", async () => {
      const fake = new FakeModel(lacks, `embed-dim ${width}`);
      let reject: ((reason: unknown) => void) | undefined;
      const never = (): Promise<never> => new Promise((_, no) => (reject = no));
      const model = await load(fake, release, { tokenizer: never, embedder: never });
      const generation = model.generate({ prompt: 'a b' });
      await until(() => reject !== undefined);
      generation.abort();
      const first = reject;
      reject?.(boom);
      expect((await generation).finishReason).toBe('abort');
      const next = model.generate({ prompt: 'c' });
      await until(() => reject !== first);
      next.abort();
      expect((await next).finishReason).toBe('abort');
    });

    test('dispose({ abort: true }) ends everything', async () => {
      const { fake, model, asked } = await pendingModel();
      const generations = [model.generate({ prompt: 'a b' }), model.generate({ prompt: 'c' })];
      await until(() => asked() === 1);
      await model.dispose({ abort: true });
      const outcomes = await Promise.allSettled(generations.map((generation) => generation.result()));
      expect(outcomes.map(({ status }) => status)).toEqual(['fulfilled', 'rejected']);
      expect(fake.calls.at(-1)).toBe('destroy');
      expect(asked()).toBe(1);
    });

    test('the function itself may abort or dispose', async () => {
      const fake = new FakeModel(lacks, `embed-dim ${width}`);
      let act: () => void = () => undefined;
      const model = await load(fake, release, {
        tokenizer: (text, maxTokens) => (act(), lengths(text, maxTokens)),
        embedder: (tokenIds) => (act(), rows(tokenIds)),
      });
      const generation = model.generate({ prompt: 'a b' });
      act = () => generation.abort();
      expect((await generation).finishReason).toBe('abort');
      let disposal: Promise<void> | undefined;
      act = () => void (disposal = model.dispose({ abort: true }));
      expect((await model.generate({ prompt: 'a b' })).finishReason).toBe('abort');
      await disposal;
      expect(fake.calls.at(-1)).toBe('destroy');
    });
  });
});
