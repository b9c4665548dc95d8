import assert from 'node:assert/strict';
import type { Bench, ConformanceCase } from './bench.js';
import { codeOf, failureOf } from './reading.js';

export function lifetimeCases(bench: Bench): ConformanceCase[] {
  return [...modelCases(bench), ...loadingCases(bench)];
}

function modelCases(bench: Bench): ConformanceCase[] {
  return bench.loose('a model', {
    'says what it is': async () => {
      const { model } = await bench.load('short');
      const { backend, name, contextLength } = model.info;
      assert.notEqual(backend, '');
      assert.notEqual(name, '');
      assert(contextLength >= 16);
      assert(model.capabilities.slots >= 1);
      await model.dispose();
      assert.equal(model.state, 'disposed');
    },

    'that is disposed waits for its answer and refuses those that wait': async () => {
      const { model, question } = await bench.load('long');
      const running = model.generate(question, { maxNewTokens: 20 });
      const waiting = Array.from({ length: model.capabilities.slots }, () => model.generate(question)).at(-1);
      const disposal = model.dispose();
      assert.equal(await codeOf(() => waiting), 'RKLLM_DISPOSED');
      await disposal;
      const { finishReason, usage } = await running;
      assert.deepEqual([finishReason, usage.outputTokens], ['length', 20]);
    },

    'that is disposed with abort stops its answer': async () => {
      const { model, question } = await bench.load('long');
      const running = model.generate(question);
      await running[Symbol.asyncIterator]().next();
      await model.dispose({ abort: true });
      assert.equal((await running).finishReason, 'abort');
      assert.equal(model.state, 'disposed');
    },

    'that is disposed answers no more': async () => {
      const { model, question } = await bench.load('short');
      await Promise.all([model.dispose(), model.dispose(), model.dispose({ abort: true })]);
      assert.equal(await codeOf(() => model.generate(question)), 'RKLLM_DISPOSED');
      assert.equal(await codeOf(() => model.chat()), 'RKLLM_DISPOSED');
    },

    'lives beside others': async () => {
      const subjects = await Promise.all([1, 2, 3].map(() => bench.load('short')));
      const answers = await Promise.all(subjects.map(({ model, question }) => model.generate(question).text()));
      assert.equal(new Set(answers).size, 1);
      await subjects[0]?.model.dispose();
      assert.equal(await subjects[1]?.model.generate(subjects[1].question).text(), answers[1]);
      await Promise.all(subjects.map(({ model }) => model.dispose()));
    },

    'may come and go many times': async () => {
      for (let round = 0; round < 5; round++) {
        const { model, question } = await bench.load('short');
        await model.generate(question, { maxNewTokens: 1 });
        await model.dispose();
        assert.equal(model.state, 'disposed');
      }
    },
  });
}

function loadingCases(bench: Bench): ConformanceCase[] {
  return bench.loose('loading', {
    'that was aborted before does not begin': async () => {
      const reason = new Error('too late');
      const failure = await failureOf(() => bench.load('short', { signal: AbortSignal.abort(reason) }));
      assert.equal(failure, reason);
    },

    'that is aborted rejects with the reason': async () => {
      const controller = new AbortController();
      const loading = bench.load('short', { signal: controller.signal });
      controller.abort();
      assert.equal(await failureOf(() => loading), controller.signal.reason);
    },
  });
}
