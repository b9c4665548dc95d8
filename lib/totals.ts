import { sumOfUsages, type Timings, type Usage } from './usage.js';

/** What one run of the engine, or one answer, took. */
export interface Figures {
  readonly usage: Usage;
  readonly timings: Timings;
}

/** What several took together, one after the other. What is not known of one of them is not known. */
export function totalsOf(figures: readonly Figures[]): Figures {
  const usage = sumOfUsages(figures.map((one) => one.usage));
  const timings = figures.map((one) => one.timings);
  const sum = (values: readonly (number | undefined)[]): number | undefined =>
    values.reduce((total, value) => (total === undefined || value === undefined ? undefined : total + value), 0);
  const rate = (count: number | undefined, ms: number | undefined): number | undefined =>
    count === undefined || ms === undefined || count < 1 || ms <= 0 ? undefined : (count * 1000) / ms;
  const some = (values: readonly (number | undefined)[]): number | undefined => {
    const known = values.filter((value) => value !== undefined);
    return known.length === 0 ? undefined : sum(known);
  };
  const prefillMs = sum(timings.map((timing) => timing.prefillMs));
  const decodeMs = sum(timings.map((timing) => timing.decodeMs));
  return {
    usage,
    timings: {
      queuedMs: timings.reduce((total, timing) => total + timing.queuedMs, 0),
      reloadMs: some(timings.map((timing) => timing.reloadMs)),
      timeToFirstTokenMs: timings[0]?.timeToFirstTokenMs,
      prefillMs,
      decodeMs,
      totalMs: timings.reduce((total, timing) => total + timing.totalMs, 0),
      prefillTokensPerSecond: rate(usage.computedInputTokens, prefillMs),
      decodeTokensPerSecond: rate(usage.outputTokens - figures.length, decodeMs),
      peakMemoryMb: timings.at(-1)?.peakMemoryMb,
    },
  };
}
