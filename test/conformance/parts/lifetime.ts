import { codeOf, failureOf } from '../../support/reading.js';
import { load, type Harness } from '../harness.js';

export function describeLifetime(harness: Harness): void {
  describe('a model', () => {
    test('says what it is', async () => {
      const { model } = await load(harness, 'short');
      const { backend, name, contextLength } = model.info;
      expect([backend, name]).not.toContain('');
      expect(contextLength).toBeGreaterThanOrEqual(16);
      expect(model.capabilities.slots).toBeGreaterThanOrEqual(1);
      await model.dispose();
      expect(model.state).toBe('disposed');
    });

    test('that is disposed waits for its answer and refuses those that wait', async () => {
      const { model, question } = await load(harness, 'long');
      const running = model.generate(question, { maxNewTokens: 20 });
      const waiting = Array.from({ length: model.capabilities.slots }, () => model.generate(question)).at(-1);
      const disposal = model.dispose();
      expect(await codeOf(() => waiting)).toBe('RKLLM_DISPOSED');
      await disposal;
      expect(await running).toMatchObject({ finishReason: 'length', usage: { outputTokens: 20 } });
    });

    test('that is disposed with abort stops its answer', async () => {
      const { model, question } = await load(harness, 'long');
      const running = model.generate(question);
      await running[Symbol.asyncIterator]().next();
      await model.dispose({ abort: true });
      expect((await running).finishReason).toBe('abort');
      expect(model.state).toBe('disposed');
    });

    test('that is disposed answers no more', async () => {
      const { model, question } = await load(harness, 'short');
      await Promise.all([model.dispose(), model.dispose(), model.dispose({ abort: true })]);
      expect(await codeOf(() => model.generate(question))).toBe('RKLLM_DISPOSED');
      expect(await codeOf(() => model.chat())).toBe('RKLLM_DISPOSED');
    });

    test('lives beside others', async () => {
      const subjects = await Promise.all([1, 2, 3].map(() => load(harness, 'short')));
      const answers = await Promise.all(subjects.map(({ model, question }) => model.generate(question).text()));
      expect(new Set(answers).size).toBe(1);
      await subjects[0]?.model.dispose();
      expect(await subjects[1]?.model.generate(subjects[1].question).text()).toBe(answers[1]);
      await Promise.all(subjects.map(({ model }) => model.dispose()));
    });

    test('may come and go many times', async () => {
      for (let round = 0; round < 5; round++) {
        const { model, question } = await load(harness, 'short');
        await model.generate(question, { maxNewTokens: 1 });
        await model.dispose();
        expect(model.state).toBe('disposed');
      }
    });
  });

  describe('loading', () => {
    test('that was aborted before does not begin', async () => {
      const reason = new Error('too late');
      expect(await failureOf(() => load(harness, 'short', { signal: AbortSignal.abort(reason) }))).toBe(reason);
    });

    test('that is aborted rejects with the reason', async () => {
      const controller = new AbortController();
      const loading = load(harness, 'short', { signal: controller.signal });
      controller.abort();
      expect(await failureOf(() => loading)).toBe(controller.signal.reason);
    });
  });
}
