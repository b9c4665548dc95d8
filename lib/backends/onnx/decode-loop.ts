import type { RunEnd } from '../backend.js';
import { ClosingError } from './busy-guard.js';
import type { Decoder } from './decoder.js';
import type { Sampler } from './sampler.js';

/** One generation, as the decode loop sees it. */
export interface Decoding {
  readonly prompt: Int32Array;
  readonly sampler: Sampler;
  /** Tokens that end the answer; they are not part of it. */
  readonly eosTokenIds: ReadonlySet<number>;
  /** Output limit in tokens, at least 1. */
  readonly limit: number;
  /** Tokens of the prompt that are computed between two looks at {@link stopRequested}. */
  readonly prefillChunk: number;
  /** Start of the run, on the clock of `performance.now()`. */
  readonly startedAt: number;
  stopRequested(): boolean;
  emit(id: number): void;
}

/** Computes the prompt and then token after token, until the model or somebody ends it. */
export async function decode(decoder: Decoder, decoding: Decoding): Promise<RunEnd> {
  const { prompt, sampler, eosTokenIds, limit } = decoding;
  const cachedPromptTokens = decoder.rewindTo(prompt);
  let firstAt: number | undefined;
  let lastAt: number | undefined;
  const end = (reason: RunEnd['reason']): RunEnd => ({
    reason,
    promptTokens: prompt.length,
    cachedPromptTokens,
    prefillMs: firstAt === undefined ? undefined : firstAt - decoding.startedAt,
    decodeMs: firstAt === undefined || lastAt === undefined ? undefined : lastAt - firstAt,
    peakMemoryMb: process.resourceUsage().maxRSS / 1024,
  });
  try {
    let logits = await prefill(decoder, decoding, cachedPromptTokens);
    for (let produced = 0; logits !== undefined;) {
      const id = sampler.next(logits);
      const now = performance.now();
      firstAt ??= now;
      if (eosTokenIds.has(id)) return end('eos');
      lastAt = now;
      decoding.emit(id);
      produced++;
      if (produced === limit) return end('length');
      if (decoding.stopRequested()) return end('aborted');
      logits = await decoder.compute(Int32Array.of(id));
    }
    return end('aborted');
  } catch (error) {
    if (error instanceof ClosingError) return end('aborted');
    throw error;
  }
}

/** @returns the logits after the prompt, or undefined when it was stopped. */
async function prefill(decoder: Decoder, decoding: Decoding, from: number): Promise<Float32Array | undefined> {
  const { prompt, prefillChunk } = decoding;
  let logits: Float32Array | undefined;
  for (let start = from; start < prompt.length; start += prefillChunk) {
    if (decoding.stopRequested()) return undefined;
    logits = await decoder.compute(prompt.subarray(start, start + prefillChunk));
  }
  return decoding.stopRequested() ? undefined : logits;
}
