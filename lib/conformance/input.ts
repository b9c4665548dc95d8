import assert from 'node:assert/strict';
import { isRkllmError } from '../errors.js';
import type { GenerateInput } from '../prompt.js';
import type { Bench, ConformanceCase, Subject } from './bench.js';
import { codeOf, collect, tokenIdsOf } from './reading.js';

export function inputCases(bench: Bench): ConformanceCase[] {
  return [...questionCases(bench), ...contextCases(bench), ...samplingCases(bench)];
}

/** Whether it comes about or is refused. */
async function outcomeOf(promise: Promise<unknown>): Promise<'answered' | 'refused'> {
  return promise.then(
    () => 'answered' as const,
    () => 'refused' as const,
  );
}

function refusesAsEmpty(input: GenerateInput): (subject: Subject) => Promise<void> {
  return async ({ model }) => {
    assert.equal(await codeOf(() => model.generate(input)), 'RKLLM_EMPTY_PROMPT');
  };
}

function questionCases(bench: Bench): ConformanceCase[] {
  return bench.group('input', 'short', {
    'a string and a list with one message are the same question': async ({ model, question, text }) => {
      assert.equal((await model.generate([{ role: 'user', content: question }])).text, text);
    },

    'a raw prompt is answered': async ({ model, question }) => {
      const { usage } = await model.generate({ prompt: question }, { maxNewTokens: 3 });
      assert(usage.outputTokens <= 3);
    },

    'token ids are answered, or refused where they cannot be': async ({ model }) => {
      const outcome = await outcomeOf(
        (async () => model.generate({ tokenIds: [3, 1, 2] }, { maxNewTokens: 3 }).result())(),
      );
      assert.equal(outcome, model.capabilities.tokenInput ? 'answered' : 'refused');
    },

    'an empty prompt is refused': refusesAsEmpty(''),
    'white space is refused': refusesAsEmpty(' \n'),
    'no messages are refused': refusesAsEmpty([]),
    'an empty raw prompt is refused': refusesAsEmpty({ prompt: '' }),

    'any character may be asked': async ({ model }) => {
      const question = 'Größe? 温度 🙂 \u202e \ud800 <|end|> é';
      const { usage } = await model.generate(question, { maxNewTokens: 3 });
      assert(usage.outputTokens <= 3);
    },

    'more than the context holds is refused, where the backend counts tokens': async ({ model, question, text }) => {
      const { contextLength } = model.info;
      const outcome: unknown = await model
        .generate({ prompt: 'word '.repeat(contextLength + 1) }, { maxNewTokens: 1 })
        .result()
        .catch((error: unknown) => error);
      const { countsTokens = false } = model.capabilities;
      assert.equal(isRkllmError(outcome, 'RKLLM_CONTEXT_OVERFLOW'), countsTokens);
      assert.equal((await model.generate(question)).text, text);
    },
  });
}

function contextCases(bench: Bench): ConformanceCase[] {
  return bench.loose('the context', {
    'may be smaller than the model was made for': async () => {
      const { model } = await bench.load('short', { maxContextLength: 64 });
      assert.equal(model.info.contextLength, 64);
      await model.dispose();
    },

    'ends an answer that fills it, where the backend counts tokens; else it is moved on': async () => {
      const { model, question } = await bench.load('long', { maxContextLength: 64 });
      const { finishReason, usage } = await model.generate(question);
      const { inputTokens = 0, outputTokens } = usage;
      const { countsTokens = false } = model.capabilities;
      await model.dispose();
      assert.equal(finishReason, countsTokens ? 'length' : 'stop');
      assert.equal(inputTokens + outputTokens <= 64, countsTokens);
    },
  });
}

function samplingCases(bench: Bench): ConformanceCase[] {
  return bench.group('sampling', 'long', {
    'may change with each generation, or is refused': async ({ model, question }) => {
      const ask = async (): Promise<unknown> =>
        model.generate(question, { temperature: 0.5, topK: 5, maxNewTokens: 3 }).result();
      if (model.capabilities.perRequestSampling) await ask();
      else assert.equal(await codeOf(ask), 'RKLLM_UNSUPPORTED_OPTION');
    },

    'that repeats what was loaded is never refused': async ({ model, question, tokenIds }) => {
      const chunks = await collect(model.generate(question, { temperature: 0, maxNewTokens: 9 }));
      assert.deepEqual(tokenIdsOf(chunks), tokenIds.slice(0, 9));
    },

    'at temperature 0 is greedy: it repeats itself, and topK 1 says the same': async (subject) => {
      const { model, question, tokenIds } = subject;
      const { perRequestSampling } = model.capabilities;
      const greedy = [{}, { temperature: 0 }, ...(perRequestSampling ? [{ topK: 1, temperature: 1 }] : [])];
      for (const sampling of greedy) {
        const chunks = await collect(model.generate(question, { ...sampling, maxNewTokens: 30 }));
        assert.deepEqual(tokenIdsOf(chunks), tokenIds.slice(0, 30));
      }
    },

    "may change with each generation where the model was loaded with sampling: 'reload'": async () => {
      const { model, question } = await bench.load('short', { sampling: 'reload' });
      await model.generate(question, { temperature: 0.5, topK: 5, maxNewTokens: 3 });
      const { text, timings } = await model.generate(question);
      assert.equal(timings.reloadMs === undefined, model.capabilities.perRequestSampling);
      assert.equal(await model.generate(question, { temperature: 0 }).text(), text);
      await model.dispose();
      assert.equal(model.state, 'disposed');
    },

    'a seed makes it repeatable, or is refused': async ({ model, question }) => {
      const { seed, perRequestSampling } = model.capabilities;
      const sampling = { seed: 7, maxNewTokens: 30, ...(perRequestSampling ? { temperature: 1.5 } : {}) };
      const once = async (): Promise<number[]> => tokenIdsOf(await collect(model.generate(question, sampling)));
      if (seed) assert.deepEqual(await once(), await once());
      else assert.equal(await codeOf(once), 'RKLLM_UNSUPPORTED_OPTION');
    },

    'a seed at load is refused where there is none': async ({ model }) => {
      const outcome = await outcomeOf(bench.load('short', { seed: 7 }).then((loaded) => loaded.model.dispose()));
      assert.equal(outcome, model.capabilities.seed ? 'answered' : 'refused');
    },
  });
}
