import type { RunEnd } from './backends/backend.js';

/** Token counts of a generation. A figure that the runtime does not tell is `undefined`, never made up. */
export interface Usage {
  /**
   * Tokens of the prompt, those of the chat template included. `undefined` also where a runtime may have kept a part of it
   * and tells only how many tokens it computed now, as the vendor's does from 1.2.1 on, its first prompt excepted.
   */
  readonly inputTokens: number | undefined;
  /** How many of them were not computed again because they were in the KV cache. */
  readonly cachedInputTokens: number | undefined;
  /** How many of them were computed. */
  readonly computedInputTokens: number | undefined;
  /** Tokens that the model generated, the one that ended its answer not included. */
  readonly outputTokens: number;
  /** Tokens of the prompt and the answer. */
  readonly totalTokens: number | undefined;
}

/** Where the time of a generation went. Milliseconds; `undefined` where nothing was measured. */
export interface Timings {
  /** From the call to the moment the engine was free for it; of an answer that was served again, the second time. */
  readonly queuedMs: number;
  /**
   * What it then took to load the model again with this generation's sampling (`sampling: 'reload'`); `undefined` when
   * it was not. It is part of `timeToFirstTokenMs` and `totalMs`, and of no other figure.
   */
  readonly reloadMs: number | undefined;
  /** From the call to the first token; `undefined` when there was none. */
  readonly timeToFirstTokenMs: number | undefined;
  /** What the engine took to compute the prompt, up to the first token. */
  readonly prefillMs: number | undefined;
  /** From the first token to the last. */
  readonly decodeMs: number | undefined;
  /** From the call to the moment the engine was idle again. */
  readonly totalMs: number;
  /** Prompt tokens that were computed (cached ones not counted), per second. */
  readonly prefillTokensPerSecond: number | undefined;
  /** Tokens after the first one, per second. */
  readonly decodeTokensPerSecond: number | undefined;
  /** Peak memory of the process that runs the model, in MiB. */
  readonly peakMemoryMb: number | undefined;
}

/** Moments of a generation, from `performance.now()`. */
export interface Moments {
  readonly called: number;
  reloading?: number;
  reloaded?: number;
  started?: number;
  firstToken?: number;
  lastToken?: number;
}

/** @param keepsPrompts - the engine may have kept a part of the prompt, and then tells of the rest only. */
export function usageOf(end: RunEnd | undefined, outputTokens: number, keepsPrompts: boolean): Usage {
  const { promptTokens, cachedPromptTokens } = end ?? {};
  const inputTokens = keepsPrompts && cachedPromptTokens === undefined ? undefined : promptTokens;
  return {
    inputTokens,
    cachedInputTokens: cachedPromptTokens,
    computedInputTokens: promptTokens === undefined ? undefined : promptTokens - (cachedPromptTokens ?? 0),
    outputTokens,
    totalTokens: inputTokens === undefined ? undefined : inputTokens + outputTokens,
  };
}

/** Of several runs of the engine together: what one of them does not tell, nobody knows. */
export function sumOfUsages(usages: readonly Usage[]): Usage {
  const sum = (pick: (usage: Usage) => number | undefined): number | undefined =>
    usages.map(pick).reduce((all, one) => (all === undefined || one === undefined ? undefined : all + one), 0);
  return {
    inputTokens: sum(({ inputTokens }) => inputTokens),
    cachedInputTokens: sum(({ cachedInputTokens }) => cachedInputTokens),
    computedInputTokens: sum(({ computedInputTokens }) => computedInputTokens),
    outputTokens: usages.reduce((all, { outputTokens }) => all + outputTokens, 0),
    totalTokens: sum(({ totalTokens }) => totalTokens),
  };
}

export function timingsOf(moments: Moments, end: RunEnd | undefined, usage: Usage, now: number): Timings {
  const { called, reloading, reloaded, started, firstToken, lastToken } = moments;
  const prefillMs = end?.prefillMs ?? difference(started, firstToken);
  const decodeMs = end?.decodeMs ?? difference(firstToken, lastToken);
  return {
    queuedMs: (reloading ?? started ?? now) - called,
    reloadMs: difference(reloading, reloaded),
    timeToFirstTokenMs: difference(called, firstToken),
    prefillMs,
    decodeMs,
    totalMs: now - called,
    prefillTokensPerSecond: perSecond(usage.computedInputTokens, prefillMs),
    decodeTokensPerSecond: perSecond(usage.outputTokens - 1, decodeMs),
    peakMemoryMb: end?.peakMemoryMb,
  };
}

function difference(from: number | undefined, to: number | undefined): number | undefined {
  return from === undefined || to === undefined ? undefined : to - from;
}

function perSecond(count: number | undefined, ms: number | undefined): number | undefined {
  return count === undefined || count < 1 || ms === undefined || ms <= 0 ? undefined : (count * 1000) / ms;
}
