import { Bench, type ConformanceCase, type ConformanceHarness } from './bench.js';
import { chatCases } from './chats.js';
import { computingCases } from './computing.js';
import { inputCases } from './input.js';
import { lifetimeCases } from './lifetime.js';
import { stoppingCases } from './stopping.js';
import { streamingCases } from './streaming.js';
import { structuredCases } from './structured.js';

export type { AnswerKind, ConformanceCase, ConformanceHarness, ConformanceSetup } from './bench.js';

/**
 * What this library promises of every backend, as cases for any test runner. What a backend need not be able to do is
 * decided from what the model says of itself (`model.capabilities`, `model.info`, figures that are not `undefined`),
 * never from its name.
 *
 * @param harness - gives a model and a question for each kind of answer. Conversations are asked: a model whose chat
 * template is not recognized needs `template: 'phi3'` in its options.
 *
 * @example
 * import { test } from 'node:test';
 * for (const { name, run } of conformance(harness)) test(name, run);
 */
export function conformance(harness: ConformanceHarness): ConformanceCase[] {
  const bench = new Bench(harness);
  return [
    ...streamingCases(bench),
    ...stoppingCases(bench),
    ...inputCases(bench),
    ...chatCases(bench),
    ...structuredCases(bench),
    ...computingCases(bench),
    ...lifetimeCases(bench),
  ];
}
