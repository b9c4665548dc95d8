import { RkllmError } from '../errors.js';
import type { OptionsOf, OptionTable } from './table.js';

/** How fast a device computes. */
export interface Pace {
  /** The device that the figures are of; `undefined`: they are the application's. */
  readonly preset: PacePreset | undefined;
  /** Tokens of a prompt for each second; `undefined`: as fast as it goes. */
  readonly prefillTokensPerSecond: number | undefined;
  /** Tokens of an answer for each second; `undefined`: as fast as it goes. */
  readonly decodeTokensPerSecond: number | undefined;
}

/** Devices whose speed is known. */
export type PacePreset = 'rk3588-phi3-w8a8' | 'rk3576-phi3-w4a16';

/** As a benchmark states it: the time to the first token of an answer to a prompt of so many tokens, and what follows. */
interface Benchmark {
  readonly promptTokens: number;
  readonly firstTokenMs: number;
  readonly decodeTokensPerSecond: number;
}

/**
 * From Rockchip's own table (rknn-llm, `benchmark.md`) of runtime 1.3.0, the rows of Phi3-3.8B: a prompt of 128 tokens, 64 new
 * ones. How the speed of prefill changes with the length of a prompt, it does not say.
 */
const benchmarks: Readonly<Record<PacePreset, Benchmark>> = {
  'rk3588-phi3-w8a8': { promptTokens: 128, firstTokenMs: 1017.28, decodeTokensPerSecond: 7.45 },
  'rk3576-phi3-w4a16': { promptTokens: 128, firstTokenMs: 1829.12, decodeTokensPerSecond: 6.58 },
};

const rate = {
  kind: 'number',
  min: 0.001,
  max: 1_000_000,
  unit: 'tokens per second',
  defaultsTo: "the preset's; without one, as fast as it goes",
} as const;

export const paceTable = {
  /**
   * A device whose published speed is taken: `'rk3588-phi3-w8a8'` (7.95 ms for each token of a prompt, 7.45 tokens/s) or
   * `'rk3576-phi3-w4a16'` (14.3 ms, 6.58 tokens/s), both Phi-3-mini by Rockchip's benchmark of runtime 1.3.0. Default: none.
   */
  preset: { kind: 'choice', values: ['rk3588-phi3-w8a8', 'rk3576-phi3-w4a16'], defaultsTo: 'none' },
  /**
   * Tokens of a prompt for each second, from 0.001 to 1,000,000; what is in the KV cache takes no time. Default: the preset's;
   * without one, as fast as it goes.
   */
  prefillTokensPerSecond: rate,
  /** Tokens of an answer for each second, from 0.001 to 1,000,000. Default: the preset's; without one, as fast as it goes. */
  decodeTokensPerSecond: rate,
} as const satisfies OptionTable;

/** How much a model is slowed down. */
export interface PaceOptions extends OptionsOf<typeof paceTable> {}

/** @throws RkllmError `RKLLM_INVALID_OPTION` for options that say nothing. */
export function resolvePace({ preset, prefillTokensPerSecond, decodeTokensPerSecond }: PaceOptions): Pace {
  if (preset === undefined && prefillTokensPerSecond === undefined && decodeTokensPerSecond === undefined) {
    throw new RkllmError('RKLLM_INVALID_OPTION', 'loadModel(): pace says neither a preset nor a speed.', {
      hint: "Give it a preset, such as { preset: 'rk3588-phi3-w8a8' }, or speeds; leave pace out to have no limit.",
      details: { owner: 'loadModel()', option: 'pace' },
    });
  }
  const published = preset === undefined ? undefined : benchmarks[preset];
  return {
    preset,
    prefillTokensPerSecond:
      prefillTokensPerSecond ?? (published && (published.promptTokens * 1000) / published.firstTokenMs),
    decodeTokensPerSecond: decodeTokensPerSecond ?? published?.decodeTokensPerSecond,
  };
}

/** As long as a timer can wait. */
const longestMs = 2 ** 31 - 1;

/** How long a device takes for so many tokens, in milliseconds. */
export function paceMs(tokensPerSecond: number | undefined, tokens: number): number {
  return tokensPerSecond === undefined ? 0 : Math.min((tokens * 1000) / tokensPerSecond, longestMs);
}
