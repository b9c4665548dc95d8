import assert from 'node:assert/strict';
import type { Generation } from '../generation.js';
import type { Bench, ConformanceCase, Subject } from './bench.js';
import { collect, collectUntilError, failureOf, finishOf, textOf, tokenIdsOf } from './reading.js';

export function stoppingCases(bench: Bench): ConformanceCase[] {
  return [...stoppedCases(bench), ...limitedCases(bench)];
}

/** Leaves the loop after the first text. */
async function readFirst(generation: Generation): Promise<void> {
  for await (const chunk of generation) if (chunk.type === 'text') break;
}

async function assertBeginning({ text: whole, tokenIds }: Subject, generation: Generation): Promise<void> {
  const { text, finishReason, usage } = await generation;
  assert.equal(finishReason, 'abort');
  assert(whole.startsWith(text));
  assert(usage.outputTokens < tokenIds.length);
}

/** The engine is as it was before. */
async function assertUsable({ model, question, tokenIds }: Subject): Promise<void> {
  assert.equal(model.state, 'ready');
  const chunks = await collect(model.generate(question, { maxNewTokens: 20 }));
  assert.deepEqual(tokenIdsOf(chunks), tokenIds.slice(0, 20));
}

function stoppedCases(bench: Bench): ConformanceCase[] {
  return bench.group('an answer that is stopped', 'long', {
    'by break': async (subject) => {
      const generation = subject.model.generate(subject.question);
      await readFirst(generation);
      await assertBeginning(subject, generation);
      await assertUsable(subject);
    },

    'by abort()': async (subject) => {
      const generation = subject.model.generate(subject.question);
      const chunks = [];
      for await (const chunk of generation) {
        chunks.push(chunk);
        generation.abort();
      }
      assert.equal(finishOf(chunks).finishReason, 'abort');
      await assertBeginning(subject, generation);
      await assertUsable(subject);
    },

    'by both readers of tee()': async (subject) => {
      const generation = subject.model.generate(subject.question);
      await Promise.all(
        generation.tee().map(async (branch) => {
          for await (const chunk of branch) if (chunk.type === 'text') break;
        }),
      );
      await assertBeginning(subject, generation);
      await assertUsable(subject);
    },

    'by cancelling its web stream, for a reason': async (subject) => {
      const generation = subject.model.generate(subject.question);
      const reader = generation.toReadableStream().getReader();
      await reader.read();
      await reader.cancel('enough');
      assert.equal((await generation).abortReason, 'enough');
      await assertBeginning(subject, generation);
      await assertUsable(subject);
    },

    'by abort() before its first token': async (subject) => {
      const generation = subject.model.generate(subject.question);
      generation.abort();
      await assertBeginning(subject, generation);
      await assertUsable(subject);
    },

    'by await using': async (subject) => {
      let left: Generation;
      {
        await using generation = subject.model.generate(subject.question);
        await generation[Symbol.asyncIterator]().next();
        left = generation;
      }
      assert.equal(left.state, 'aborted');
      await assertUsable(subject);
    },

    'by its signal': async (subject) => {
      const controller = new AbortController();
      const generation = subject.model.generate(subject.question, { signal: controller.signal });
      setImmediate(() => controller.abort());
      const { chunks, error } = await collectUntilError(generation);
      assert.equal(error, controller.signal.reason);
      assert(subject.text.startsWith(textOf(chunks)));
      await assertUsable(subject);
    },

    "by its signal, onAbort 'return'": async (subject) => {
      const controller = new AbortController();
      const options = { signal: controller.signal, onAbort: 'return' } as const;
      const generation = subject.model.generate(subject.question, options);
      setImmediate(() => controller.abort());
      await assertBeginning(subject, generation);
      await assertUsable(subject);
    },

    'before it began': async (subject) => {
      const reason = new Error('too late');
      const generation = subject.model.generate(subject.question, { signal: AbortSignal.abort(reason) });
      assert.equal(subject.model.state, 'ready');
      assert.equal(await failureOf(() => generation), reason);
      await assertUsable(subject);
    },

    'again and again': async (subject) => {
      for (let round = 0; round < 10; round++) await readFirst(subject.model.generate(subject.question));
      await assertUsable(subject);
    },

    'before another one ends that began earlier': async ({ model, question }) => {
      const other = await bench.load('long');
      let overtook = false;
      // Rounds, because a busy machine may hold up either engine.
      for (let round = 0; round < 5 && !overtook; round++) {
        const whole = other.model.generate(other.question);
        await whole[Symbol.asyncIterator]().next();
        await readFirst(model.generate(question));
        overtook = whole.state === 'decode';
        await whole;
      }
      await other.model.dispose();
      assert(overtook, 'An answer that is stopped runs on to its end.');
    },

    'while others wait: they come in their order': async ({ model, question }) => {
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
      assert.deepEqual(order, ['3', '1', '2', '4']);
      const { text, finishReason, usage } = await third;
      assert.deepEqual([text, finishReason, usage.outputTokens], ['', 'abort', 0]);
      assert.equal((await fourth).text, (await second).text);
    },
  });
}

function isLimitedTo(maxNewTokens: number): (subject: Subject) => Promise<void> {
  return async ({ model, question, tokenIds }) => {
    const chunks = await collect(model.generate(question, { maxNewTokens }));
    assert.deepEqual(tokenIdsOf(chunks), tokenIds.slice(0, maxNewTokens));
    const { finishReason, usage } = finishOf(chunks);
    assert.deepEqual([finishReason, usage.outputTokens], ['length', maxNewTokens]);
  };
}

function limitedCases(bench: Bench): ConformanceCase[] {
  return bench.group('an answer that is limited', 'long', {
    'by a stop token, which is not part of it': async ({ model, question, tokenIds }) => {
      const stopToken = tokenIds[10] ?? -1;
      const expected = tokenIds.slice(0, tokenIds.indexOf(stopToken));
      const chunks = await collect(model.generate(question, { stopTokenIds: [stopToken] }));
      assert.deepEqual(tokenIdsOf(chunks), expected);
      const { finishReason, usage } = finishOf(chunks);
      assert.deepEqual([finishReason, usage.outputTokens], ['stop', expected.length]);
    },

    'by maxNewTokens: 1': isLimitedTo(1),
    'by maxNewTokens: 2': isLimitedTo(2),
    'by maxNewTokens: 7': isLimitedTo(7),
    'by maxNewTokens: 50': isLimitedTo(50),

    'by maxNewTokens within a character, it ends before it': async () => {
      const { model, question } = await bench.load('unicode');
      const { text, usage } = await model.generate(question);
      for (let maxNewTokens = 1; maxNewTokens <= usage.outputTokens; maxNewTokens++) {
        const cut = await model.generate(question, { maxNewTokens });
        assert(text.startsWith(cut.text));
      }
      await model.dispose();
    },

    'by a stop sequence, wherever it lies': async ({ model, question, text }) => {
      for (const from of [10, 50, 101]) {
        const sequence = text.slice(from, from + 12);
        const chunks = await collect(model.generate(question, { stop: ['\u0000', sequence] }));
        assert.equal(textOf(chunks), text.slice(0, text.indexOf(sequence)));
        const { finishReason, stopSequence } = finishOf(chunks);
        assert.deepEqual([finishReason, stopSequence], ['stop-sequence', sequence]);
      }
    },

    'by a stop sequence that does not come': async ({ model, question, text }) => {
      const result = await model.generate(question, { stop: [`${text.slice(20, 40)}\u0000`] });
      assert.deepEqual([result.text, result.finishReason, result.stopSequence], [text, 'stop', undefined]);
    },
  });
}
