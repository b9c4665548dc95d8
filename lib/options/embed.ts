import { isAbortSignal } from './shapes.js';
import type { OptionsOf, OptionTable } from './table.js';

/** How far `model.embed()` has come. */
export interface EmbedProgress {
  /** Texts that have their vector. */
  readonly done: number;
  /** Texts that were given. */
  readonly total: number;
}

function isProgressListener(value: unknown): value is (progress: EmbedProgress) => void {
  return typeof value === 'function';
}

/** Options of `model.logits()`. */
export const logitsTable = {
  /** Stops it; the call then rejects with `signal.reason` when the engine is idle. Default: none. */
  signal: { kind: 'shape', expected: 'an AbortSignal', accepts: isAbortSignal, defaultsTo: 'none' },
} as const satisfies OptionTable;

/** Options of `model.embed()`. */
export const embedTable = {
  ...logitsTable,
  /**
   * What becomes a text's vector: `'last'`, the last hidden layer at its last token, which has seen the whole text;
   * `'mean'`, the average over all its tokens. Which of them means something is the model's: see its card. Default `'last'`.
   */
  pooling: { kind: 'choice', values: ['last', 'mean'], defaultsTo: "'last'" },
  /** `true`: vectors have the length 1, so that their dot product is the cosine of their angle. Default `true`. */
  normalize: { kind: 'flag', defaultsTo: 'true' },
  /** Called after each text. What it throws stops the call, which rejects with it. Default: none. */
  onProgress: { kind: 'shape', expected: 'a function', accepts: isProgressListener, defaultsTo: 'none' },
} as const satisfies OptionTable;

/** Options of `model.embed()`. */
export interface EmbedOptions extends OptionsOf<typeof embedTable> {}

/** Options of `model.logits()`. */
export interface LogitsOptions extends OptionsOf<typeof logitsTable> {}
