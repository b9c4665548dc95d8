import assert from 'node:assert/strict';
import type { Bench, ConformanceCase } from './bench.js';
import { codeOf } from './reading.js';

/** Numbers in place of text, where a backend gives them. */
export function computingCases(bench: Bench): ConformanceCase[] {
  return bench.group('numbers', 'short', {
    'texts get vectors of length 1, the same each time, or are refused': async ({ model }) => {
      if (model.capabilities.hiddenStates !== true) {
        assert.match(await codeOf(() => model.embed('one')), /^RKLLM_UNSUPPORTED_/u);
        return;
      }
      const { vectors, dimensions } = await model.embed(['one two', 'three']);
      assert.deepEqual(
        vectors.map(({ length }) => length),
        [dimensions, dimensions],
      );
      for (const vector of vectors) assert(Math.abs(Math.hypot(...vector) - 1) < 1e-4);
      assert.deepEqual((await model.embed('three')).vectors, [vectors[1]]);
    },

    'an empty text is refused': async ({ model }) => {
      assert.equal(await codeOf(() => model.embed(['one', ' '])), 'RKLLM_EMPTY_PROMPT');
    },

    'a prompt has rows of logits, or is refused': async ({ model }) => {
      if (model.capabilities.logits !== true) {
        assert.match(await codeOf(() => model.logits({ prompt: 'one' })), /^RKLLM_UNSUPPORTED_/u);
        return;
      }
      const { values, rows, columns } = await model.logits({ prompt: 'one two' });
      assert(rows >= 1 && columns > 1);
      assert.equal(values.length, rows * columns);
    },

    'what is aborted already is not computed': async ({ model }) => {
      if (model.capabilities.hiddenStates !== true) return;
      const reason = new Error('mine');
      const refused = await model.embed('one', { signal: AbortSignal.abort(reason) }).catch((error: unknown) => error);
      assert.equal(refused, reason);
    },

    'an answer behind it is the same': async ({ model, question, text }) => {
      await model.embed('one').catch(() => undefined);
      assert.equal((await model.generate(question)).text, text);
    },
  });
}
