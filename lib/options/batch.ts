import { isAbortSignal, isBatchListener } from './shapes.js';
import type { OptionsOf, OptionTable } from './table.js';

/** Options of `model.runtime.generateBatch()`. */
export const batchTable = {
  /** Output limit of each answer in tokens, an integer from 1; default: that of the model, else none. */
  maxNewTokens: {
    kind: 'integer',
    min: 1,
    max: 1_000_000_000,
    unit: 'tokens',
    defaultsTo: "the model's, else none",
    runtimeField: 'max_new_tokens',
  },
  /** Stops all answers; the call then rejects with `signal.reason` when the engine is idle. */
  signal: { kind: 'shape', expected: 'an AbortSignal', accepts: isAbortSignal, defaultsTo: 'none' },
  /**
   * Called with each new piece of an answer: the number of its row, the text in whole characters, and the ids of the
   * tokens that it is made of. What it throws stops all answers, and the call rejects with it. Default: none.
   */
  onText: { kind: 'shape', expected: 'a function', accepts: isBatchListener, defaultsTo: 'none' },
} as const satisfies OptionTable;

/** Options of `model.runtime.generateBatch()`. */
export interface BatchOptions extends OptionsOf<typeof batchTable> {}
