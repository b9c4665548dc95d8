import { mirostatTable, npuRunTable } from './npu.js';
import { samplingTable } from './sampling.js';
import { isAbortSignal, isStopList, isTokenIdList } from './shapes.js';
import type { OptionsOf, OptionTable } from './table.js';

/** Options of one generation. */
export const generateTable = {
  ...samplingTable,
  ...mirostatTable,
  ...npuRunTable,
  /** Output limit in tokens, an integer from 1; default: that of the model, else until the context is full. */
  maxNewTokens: {
    kind: 'integer',
    min: 1,
    max: 1_000_000_000,
    unit: 'tokens',
    defaultsTo: "the model's, else until the context is full",
    runtimeField: 'max_new_tokens',
    note: 'before 1.3.0 the library counts and stops the engine',
  },
  /**
   * Texts that end the answer when the model writes them. They are not part of it, nor is any piece of them, also when
   * they span several tokens. Of several, the one that is complete first ends it; of those, the longest. Default: none.
   */
  stop: { kind: 'shape', expected: 'a list of non-empty strings', accepts: isStopList, defaultsTo: 'none' },
  /**
   * Further tokens that end the answer as the model's own end does, by id: integers from 0 to 2³¹-1. The token is not
   * part of the answer; `finishReason` is `'stop'`. Default: none.
   */
  stopTokenIds: {
    kind: 'shape',
    expected: 'a list of token ids (integers from 0)',
    accepts: isTokenIdList,
    defaultsTo: 'none',
  },
  /**
   * What models that think before they answer write between `<think>` and `</think>`: `'text'` leaves it in the text;
   * `'split'` makes reasoning chunks and `result.reasoning` of it, without the tags. A prompt that ends inside
   * (`<think>` is its last word) is recognized. `'split-open'` says that the answer begins inside, for a prompt that only
   * the runtime knows (`template: 'runtime'` with `enableThinking`). Default `'text'`.
   */
  reasoning: { kind: 'choice', values: ['text', 'split', 'split-open'], defaultsTo: "'text'" },
  /**
   * What models write to have functions called, `<tool_call>{"name": …, "arguments": {…}}</tool_call>`: `'text'` leaves
   * it in the text; `'parse'` makes tool-call chunks and `result.toolCalls` of it. What is between the tags and no such
   * JSON stays text, tags included; inside the reasoning nothing is looked for. Default `'text'`.
   */
  toolCalls: { kind: 'choice', values: ['text', 'parse'], defaultsTo: "'text'" },
  /**
   * Stops the generation. What was already aborted never reaches the engine; otherwise the engine is stopped and idle
   * before the generation settles.
   */
  signal: { kind: 'shape', expected: 'an AbortSignal', accepts: isAbortSignal, defaultsTo: 'none' },
  /**
   * What an abort by `signal` does: `'throw'` rejects with `signal.reason`, as `fetch` does; `'return'` resolves with
   * the partial result and `finishReason: 'abort'`. Default `'throw'`.
   */
  onAbort: { kind: 'choice', values: ['throw', 'return'], defaultsTo: "'throw'" },
} as const satisfies OptionTable;

/** Options of one generation. */
export type GenerateOptions = OptionsOf<typeof generateTable>;
