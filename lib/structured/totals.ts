import type { GenerationResult } from '../generation.js';
import type { Timings, Usage } from '../usage.js';

/** What several answers took together. What is not known of one of them is not known. */
export function totalsOf(results: readonly GenerationResult[]): { readonly usage: Usage; readonly timings: Timings } {
  const usages = results.map(({ usage }) => usage);
  const timings = results.map(({ timings }) => timings);
  const sum = (values: readonly (number | undefined)[]): number | undefined =>
    values.reduce((total, value) => (total === undefined || value === undefined ? undefined : total + value), 0);
  const rate = (count: number | undefined, ms: number | undefined): number | undefined =>
    count === undefined || ms === undefined || count < 1 || ms <= 0 ? undefined : (count * 1000) / ms;
  const some = (values: readonly (number | undefined)[]): number | undefined => {
    const known = values.filter((value) => value !== undefined);
    return known.length === 0 ? undefined : sum(known);
  };
  const computedInputTokens = sum(usages.map((usage) => usage.computedInputTokens));
  const outputTokens = usages.reduce((total, usage) => total + usage.outputTokens, 0);
  const prefillMs = sum(timings.map((timing) => timing.prefillMs));
  const decodeMs = sum(timings.map((timing) => timing.decodeMs));
  return {
    usage: {
      inputTokens: sum(usages.map((usage) => usage.inputTokens)),
      cachedInputTokens: sum(usages.map((usage) => usage.cachedInputTokens)),
      computedInputTokens,
      outputTokens,
      totalTokens: sum(usages.map((usage) => usage.totalTokens)),
    },
    timings: {
      queuedMs: timings.reduce((total, timing) => total + timing.queuedMs, 0),
      reloadMs: some(timings.map((timing) => timing.reloadMs)),
      timeToFirstTokenMs: timings[0]?.timeToFirstTokenMs,
      prefillMs,
      decodeMs,
      totalMs: timings.reduce((total, timing) => total + timing.totalMs, 0),
      prefillTokensPerSecond: rate(computedInputTokens, prefillMs),
      decodeTokensPerSecond: rate(outputTokens - results.length, decodeMs),
      peakMemoryMb: timings.at(-1)?.peakMemoryMb,
    },
  };
}
