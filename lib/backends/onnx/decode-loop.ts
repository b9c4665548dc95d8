import type { RunEnd } from '../backend.js';
import { ClosingError } from './busy-guard.js';
import type { PrefillChunks } from './prefill-chunks.js';
import { turn } from '../clock.js';
import type { Pacer } from '../pacer.js';
import type { Decoder } from './decoder.js';

/** Chooses the tokens of an answer, one after the other. */
export interface TokenChooser {
  /**
   * @param logits - of all tokens; they may be overwritten.
   * @param left - how many tokens may follow, with this one.
   * @returns undefined when the answer is over.
   */
  next(logits: Float32Array, left: number): number | undefined;
  /** Whether the answer is over with what was chosen, and why. Absent: the model tells. */
  ending?(): 'eos' | 'length' | undefined;
}

/** One generation, as the decode loop sees it. */
export interface Decoding {
  readonly prompt: Int32Array;
  readonly chooser: TokenChooser;
  /** Tokens that end the answer; they are not part of it. */
  readonly eosTokenIds: ReadonlySet<number>;
  /** Output limit in tokens, at least 1. */
  readonly limit: number;
  /** Tokens of the prompt that are computed between two looks at {@link stop}. */
  readonly chunks: PrefillChunks;
  /** Start of the run, on the clock of `performance.now()`. */
  readonly startedAt: number;
  /** Keeps it from being too fast; undefined: as fast as it goes. */
  readonly pacer: Pacer | undefined;
  /** Ends it before the next token or chunk, and what the pacer waits for at once. */
  readonly stop: AbortSignal;
  emit(id: number): void;
}

/** What computes tokens. */
type TokenComputer = Pick<Decoder, 'rewindTo' | 'textToRecompute' | 'smallestChunk' | 'compute'>;

/** Computes the prompt and then token after token, until the model or somebody ends it. */
export async function decode(decoder: TokenComputer, decoding: Decoding): Promise<RunEnd> {
  const { prompt, chooser, eosTokenIds, limit } = decoding;
  const cachedPromptTokens = rewind(decoder, decoding, prompt);
  decoding.pacer?.begin();
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
    let logits = await prefill(decoder, decoding, prompt, cachedPromptTokens);
    for (let produced = 0; logits !== undefined;) {
      const id = chooser.next(logits, limit - produced);
      const now = performance.now();
      firstAt ??= now;
      if (id === undefined || eosTokenIds.has(id)) return end(chooser.ending?.() ?? 'eos');
      lastAt = now;
      decoding.emit(id);
      produced++;
      const ending = chooser.ending?.();
      if (ending !== undefined) return end(ending);
      if (produced === limit) return end('length');
      if (decoding.stop.aborted) return end('aborted');
      logits = await advance(decoder, decoding, id);
    }
    return end('aborted');
  } catch (error) {
    if (error instanceof ClosingError) return end('aborted');
    throw error;
  }
}

function rewind(decoder: TokenComputer, { prompt, limit }: Decoding, text: Int32Array): number {
  return decoder.rewindTo(text, prompt.length + limit);
}

/** @returns the logits after the token, or undefined when it was stopped. */
async function advance(decoder: TokenComputer, decoding: Decoding, id: number): Promise<Float32Array | undefined> {
  const text = decoder.textToRecompute(id);
  if (text !== undefined) return prefill(decoder, decoding, text, rewind(decoder, decoding, text));
  const { chunks, pacer, stop } = decoding;
  const logits = await timed(chunks, 1, () => decoder.compute(Int32Array.of(id)));
  if (pacer === undefined) return logits;
  await pacer.decoded(stop);
  return stop.aborted ? undefined : logits;
}

/** @returns the logits after the text, or undefined when it was stopped. */
async function prefill(
  decoder: TokenComputer,
  decoding: Decoding,
  text: Int32Array,
  from: number,
): Promise<Float32Array | undefined> {
  const { chunks, pacer, stop } = decoding;
  let logits: Float32Array | undefined;
  for (let start = from; start < text.length;) {
    if (stop.aborted) return undefined;
    const chunk = text.subarray(start, start + Math.max(chunks.size, decoder.smallestChunk));
    logits = await timed(chunks, chunk.length, () => decoder.compute(chunk));
    start += chunk.length;
    await pacer?.prefilled(chunk.length, stop);
  }
  return stop.aborted ? undefined : logits;
}

/** In less, nobody has come to want something else. */
const longRunMs = 5;

/**
 * Computes so many tokens, and tells how long that took. After a run that took long, messages have their turn before what follows:
 * else an abort that came meanwhile would be heard after one more run.
 */
export async function timed<T>(chunks: PrefillChunks, tokens: number, compute: () => Promise<T>): Promise<T> {
  const startedAt = performance.now();
  const result = await compute();
  const ms = performance.now() - startedAt;
  chunks.measured(tokens, ms);
  if (ms > longRunMs) await turn();
  return result;
}
