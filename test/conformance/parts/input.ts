import { isRkllmError, type GenerateInput, type RkllmErrorCode } from 'rkllm';
import { codeOf, collect, tokenIdsOf } from '../../support/reading.js';
import { Shared, load, type Harness } from '../harness.js';

export function describeInput(harness: Harness): void {
  describe('input', () => {
    const shared = new Shared(harness, 'short');

    test('a string and a list with one message are the same question', async () => {
      const messages = [{ role: 'user' as const, content: shared.question }];
      expect((await shared.model.generate(messages)).text).toBe(shared.text);
    });

    test('a raw prompt is answered', async () => {
      const { usage } = await shared.model.generate({ prompt: shared.question }, { maxNewTokens: 3 });
      expect(usage.outputTokens).toBeLessThanOrEqual(3);
    });

    test('token ids are answered, or refused where they cannot be', async () => {
      const ask = (): Promise<unknown> => shared.model.generate({ tokenIds: [3, 1, 2] }, { maxNewTokens: 3 }).result();
      const outcome = await ask().then(
        () => 'answered',
        () => 'refused',
      );
      expect(outcome).toBe(shared.model.capabilities.tokenInput ? 'answered' : 'refused');
    });

    test.each<[string, GenerateInput, RkllmErrorCode]>([
      ['an empty prompt', '', 'RKLLM_EMPTY_PROMPT'],
      ['white space', ' \n', 'RKLLM_EMPTY_PROMPT'],
      ['no messages', [], 'RKLLM_EMPTY_PROMPT'],
      ['an empty raw prompt', { prompt: '' }, 'RKLLM_EMPTY_PROMPT'],
    ])('%s is refused', async (_, input, code) => {
      expect(await codeOf(() => shared.model.generate(input))).toBe(code);
    });

    test('any character may be asked', async () => {
      const question = 'Größe? 温度 🙂 \u202e \ud800 <|end|> é';
      const { usage } = await shared.model.generate(question, { maxNewTokens: 3 });
      expect(usage.outputTokens).toBeLessThanOrEqual(3);
    });

    test('more than the context holds is refused, where the backend counts tokens', async () => {
      const { contextLength } = shared.model.info;
      const outcome: unknown = await shared.model
        .generate({ prompt: 'word '.repeat(contextLength + 1) }, { maxNewTokens: 1 })
        .result()
        .catch((error: unknown) => error);
      const { countsTokens = false } = shared.model.capabilities;
      expect(isRkllmError(outcome, 'RKLLM_CONTEXT_OVERFLOW')).toBe(countsTokens);
      expect((await shared.model.generate(shared.question)).text).toBe(shared.text);
    });
  });

  describe('the context', () => {
    test('may be smaller than the model was made for', async () => {
      const { model } = await load(harness, 'short', { maxContextLength: 64 });
      expect(model.info.contextLength).toBe(64);
      await model.dispose();
    });

    test('ends an answer that fills it, where the backend counts tokens; else it is moved on', async () => {
      const { model, question } = await load(harness, 'long', { maxContextLength: 64 });
      const { finishReason, usage } = await model.generate(question);
      const { inputTokens = 0, outputTokens } = usage;
      const { countsTokens = false } = model.capabilities;
      expect(finishReason).toBe(countsTokens ? 'length' : 'stop');
      expect(inputTokens + outputTokens <= 64).toBe(countsTokens);
      await model.dispose();
    });
  });

  describe('sampling', () => {
    const shared = new Shared(harness, 'long');

    test('may change with each generation, or is refused', async () => {
      const ask = (): Promise<unknown> =>
        shared.model.generate(shared.question, { temperature: 0.5, topK: 5, maxNewTokens: 3 }).result();
      const outcome = shared.model.capabilities.perRequestSampling ? 'answered' : await codeOf(ask);
      expect(outcome).toBe(shared.model.capabilities.perRequestSampling ? 'answered' : 'RKLLM_UNSUPPORTED_OPTION');
      if (outcome === 'answered') await ask();
    });

    test('that repeats what was loaded is never refused', async () => {
      const chunks = await collect(shared.model.generate(shared.question, { temperature: 0, maxNewTokens: 9 }));
      expect(tokenIdsOf(chunks)).toEqual(shared.tokenIds.slice(0, 9));
    });

    test('at temperature 0 is greedy: it repeats itself, and topK 1 says the same', async () => {
      const { perRequestSampling } = shared.model.capabilities;
      const greedy = [{}, { temperature: 0 }, ...(perRequestSampling ? [{ topK: 1, temperature: 1 }] : [])];
      for (const sampling of greedy) {
        const chunks = await collect(shared.model.generate(shared.question, { ...sampling, maxNewTokens: 30 }));
        expect(tokenIdsOf(chunks)).toEqual(shared.tokenIds.slice(0, 30));
      }
    });

    test("may change with each generation where the model was loaded with sampling: 'reload'", async () => {
      const { model, question } = await load(harness, 'short', { sampling: 'reload' });
      await model.generate(question, { temperature: 0.5, topK: 5, maxNewTokens: 3 });
      const { text, timings } = await model.generate(question);
      expect(timings.reloadMs === undefined).toBe(model.capabilities.perRequestSampling);
      expect(await model.generate(question, { temperature: 0 }).text()).toBe(text);
      await model.dispose();
      expect(model.state).toBe('disposed');
    });

    test('a seed makes it repeatable, or is refused', async () => {
      const { seed, perRequestSampling } = shared.model.capabilities;
      const sampling = { seed: 7, maxNewTokens: 30, ...(perRequestSampling ? { temperature: 1.5 } : {}) };
      const once = async (): Promise<number[]> =>
        tokenIdsOf(await collect(shared.model.generate(shared.question, sampling)));
      const outcome = seed ? [await once(), await once()] : await codeOf(once);
      const [first, second] = typeof outcome === 'string' ? [outcome, 'RKLLM_UNSUPPORTED_OPTION'] : outcome;
      expect(first).toEqual(second);
    });

    test('a seed at load is refused where there is none', async () => {
      const loaded = load(harness, 'short', { seed: 7 }).then(({ model }) => model.dispose());
      const outcome = await loaded.then(
        () => true,
        () => false,
      );
      expect(outcome).toBe(shared.model.capabilities.seed);
    });
  });
}
