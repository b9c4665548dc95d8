import assert from 'node:assert/strict';
import { setImmediate as turn } from 'node:timers/promises';
import type { Timings } from '../usage.js';
import type { AnswerKind, Bench, ConformanceCase } from './bench.js';
import { collect, finishOf, textOf, textsOf, tokenIdsOf } from './reading.js';

export function streamingCases(bench: Bench): ConformanceCase[] {
  return [
    ...answerCases(bench, 'short'),
    ...answerCases(bench, 'long'),
    ...answerCases(bench, 'unicode'),
    ...readingCases(bench),
  ];
}

const leastTokens: Readonly<Record<AnswerKind, number>> = { short: 5, long: 151, unicode: 1 };

function answerCases(bench: Bench, kind: AnswerKind): ConformanceCase[] {
  return bench.group(`a ${kind} answer`, kind, {
    'comes as text, in order, and ends with one finish chunk': async ({ model, question, text }) => {
      const generation = model.generate(question);
      const chunks = await collect(generation);
      const result = await generation;
      assert.deepEqual(
        chunks.filter(({ type }) => type === 'finish'),
        [chunks.at(-1)],
      );
      assert.equal(textOf(chunks), text);
      assert.deepEqual([result.text, result.finishReason, result.stopSequence], [text, 'stop', undefined]);
      const { usage, timings, finishReason } = finishOf(chunks);
      assert.deepEqual(
        { usage, timings, finishReason },
        { usage: result.usage, timings: result.timings, finishReason: 'stop' },
      );
    },

    'names each of its tokens once': async ({ model, question, tokenIds: expected }) => {
      const chunks = await collect(model.generate(question));
      const tokenIds = tokenIdsOf(chunks);
      assert.deepEqual(tokenIds, expected);
      assert.equal(tokenIds.length, finishOf(chunks).usage.outputTokens);
      assert(tokenIds.every((id) => Number.isInteger(id) && id >= 0));
    },

    'has whole characters in each piece': ({ chunks, text: whole }) => {
      for (const text of textsOf(chunks)) assert.equal(Buffer.from(text).toString(), text);
      assert(!whole.includes('\ufffd'));
      assert(/[^\0-\u007f]/u.test(whole) || kind !== 'unicode');
    },

    'is as long as its kind': ({ tokenIds }) => {
      assert(tokenIds.length >= leastTokens[kind]);
    },

    'has figures that can be true': async ({ model, question }) => {
      const { usage, timings } = await model.generate(question);
      assertPlausible(timings);
      const { inputTokens = 1, cachedInputTokens = 0 } = usage;
      assert(inputTokens > 0);
      assert(inputTokens < model.info.contextLength);
      assert(cachedInputTokens >= 0);
      assert(cachedInputTokens <= inputTokens);
    },
  });
}

function readingCases(bench: Bench): ConformanceCase[] {
  return bench.group('while an answer is written', 'long', {
    'the event loop gets its turns': async ({ model, question }) => {
      const generation = model.generate(question);
      let turns = 0;
      while (generation.state !== 'done' && generation.state !== 'failed') {
        await turn();
        turns++;
      }
      assert.equal(generation.state, 'done');
      assert(turns > 10);
    },

    'its first words can be read': async ({ model, question }) => {
      const generation = model.generate(question);
      const states = new Set<string>();
      for await (const chunk of generation) if (chunk.type === 'text') states.add(generation.state);
      assert(states.has('decode'));
    },

    'its reasoning can be cut, and what follows is part of it': async ({ model, question, tokenIds }) => {
      const limits = { maxReasoningTokens: 10, maxNewTokens: 30 };
      const generation = model.generate(question, { reasoning: 'split-open', ...limits });
      const chunks = await collect(generation);
      const { reasoning, reasoningTruncated, usage } = await generation;
      assert(reasoningTruncated && reasoning !== undefined);
      assert.deepEqual(tokenIdsOf(chunks).slice(0, 10), tokenIds.slice(0, 10));
      assert.equal(tokenIdsOf(chunks).length, usage.outputTokens);
      assert(usage.outputTokens <= 30);
    },

    'nobody has to read it': async ({ model, question, text, tokenIds }) => {
      const generation = model.generate(question);
      await generation;
      const chunks = await collect(generation);
      assert.equal(textOf(chunks), text);
      assert.deepEqual(tokenIdsOf(chunks), tokenIds);
    },
  });
}

function assertPlausible(timings: Timings): void {
  for (const [name, value] of Object.entries(timings) as [string, number | undefined][]) {
    assert(value === undefined || (Number.isFinite(value) && value >= 0), `${name} is ${String(value)}`);
  }
  assert(timings.totalMs >= (timings.timeToFirstTokenMs ?? 0));
  assert((timings.timeToFirstTokenMs ?? Infinity) >= timings.queuedMs);
}
