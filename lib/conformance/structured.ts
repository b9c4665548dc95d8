import assert from 'node:assert/strict';
import { isRkllmError } from '../errors.js';
import type { GenerationResult } from '../generation.js';
import type { GenerateOptions } from '../options/generate.js';
import { validateJson } from '../structured/validate.js';
import type { Bench, ConformanceCase, Subject } from './bench.js';
import { codeOf, collect, textOf } from './reading.js';

/** Its shortest value has 17 bytes, and a token has at least one. */
const schema = {
  type: 'object',
  properties: { a: { type: 'integer' }, b: { type: 'string' } },
  required: ['a', 'b'],
  additionalProperties: false,
};
const enough = 20;

function asking(maxNewTokens: number, maxRepairs = 0): GenerateOptions {
  return { responseFormat: { type: 'json', schema, maxRepairs }, maxNewTokens };
}

/** A result and its stream, or the failure: what is asked for was not written. */
async function answerOf({ model, question }: Subject, options: GenerateOptions): Promise<GenerationResult | undefined> {
  const generation = model.generate(question, options);
  try {
    const chunks = await collect(generation);
    const result = await generation;
    assert.equal(textOf(chunks), result.text);
    return result;
  } catch (error) {
    if (isRkllmError(error, 'RKLLM_RESPONSE_INVALID')) return undefined;
    throw error;
  }
}

function assertValid(result: GenerationResult, maxNewTokens: number): void {
  assert.deepEqual(JSON.parse(result.text), result.json);
  assert.deepEqual(validateJson(schema, result.json), []);
  assert(['stop', 'length'].includes(result.finishReason));
  assert(result.usage.outputTokens <= maxNewTokens);
}

export function structuredCases(bench: Bench): ConformanceCase[] {
  return bench.group('an answer as JSON', 'short', {
    'is valid within a small limit, where the backend is held to the schema; else it is valid or fails': async (
      subject,
    ) => {
      const { constrainedJson = false, perRequestSampling } = subject.model.capabilities;
      // A hot model would write anything.
      const heats = constrainedJson && perRequestSampling ? [0, 1.5] : [undefined];
      for (const temperature of heats) {
        const sampling = temperature === undefined ? {} : { temperature };
        const result = await answerOf(subject, { ...asking(enough), ...sampling });
        assert(result !== undefined || !constrainedJson);
        if (result !== undefined) assertValid(result, enough);
      }
    },

    'fails by a limit that no value fits into, and the model goes on': async ({ model, question, text }) => {
      assert.equal(await codeOf(() => model.generate(question, asking(1))), 'RKLLM_RESPONSE_INVALID');
      assert.equal((await model.generate(question)).text, text);
    },

    'is part of a conversation when it is valid, and leaves none behind when it is not': async (subject) => {
      const { model, question } = subject;
      const chat = model.chat();
      const turn = chat.send(question, asking(enough));
      const answer = await turn.result().catch((error: unknown) => {
        assert(isRkllmError(error, 'RKLLM_RESPONSE_INVALID'));
        return undefined;
      });
      const kept = answer === undefined ? [] : [question, answer.text];
      assert.deepEqual(
        chat.messages.map(({ content }) => content),
        kept,
      );
    },
  });
}
