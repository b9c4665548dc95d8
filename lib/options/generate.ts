import { mirostatTable, npuRunTable } from './npu.js';
import { responseTable } from './response.js';
import { samplingTable } from './sampling.js';
import type { ToolDefinition } from '../chat/tools/tool.js';
import { isAbortSignal, isStopList, isTokenIdList } from './shapes.js';
import type { OptionsOf, OptionTable } from './table.js';

/** What is in it is looked at by those who use it. */
function isToolList(value: unknown): value is readonly ToolDefinition[] {
  return Array.isArray(value);
}

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
   * How many tokens the model may think for, an integer from 0. One that is still thinking then is stopped, and asked again with
   * what it has thought and the end of the reasoning behind the prompt, so that the answer follows: in the same stream, with
   * `result.reasoningTruncated`. `usage` and `timings` are of both runs, `maxNewTokens` is the limit of both together. With 0 it
   * does not think. It is done once: what a model thinks after that is split, and not stopped. Only with `reasoning: 'split'` or
   * `'split-open'`, for prompts that are text and that the engine puts into no template (`template: 'runtime'`), and without
   * `keepHistory` and `stopBy: 'pause'`. Default: no limit.
   */
  maxReasoningTokens: {
    kind: 'integer',
    min: 0,
    max: 1_000_000_000,
    unit: 'tokens',
    defaultsTo: 'no limit',
  },
  /**
   * What models write to have functions called, `<tool_call>{"name": …, "arguments": {…}}</tool_call>`: `'text'` leaves
   * it in the text; `'parse'` makes tool-call chunks and `result.toolCalls` of it. What is between the tags and no such
   * JSON stays text, tags included; inside the reasoning nothing is looked for. Default `'text'`, with `tools` `'parse'`.
   */
  toolCalls: { kind: 'choice', values: ['text', 'parse'], defaultsTo: "'text', with tools 'parse'" },
  /**
   * Functions that the model may ask for, written into the prompt as its family was trained, or by a documented protocol.
   * Calls come as with `toolCalls: 'parse'`, and what is wrong with them as `problems`. Nobody runs them: that is what
   * `chat.run()` does. Where this library applies the chat template, or with `template: 'runtime'` from runtime 1.2.1 on.
   * Default: none.
   */
  tools: { kind: 'shape', expected: 'a list of tools', accepts: isToolList, defaultsTo: 'none' },
  /**
   * What the answer has to be: `{ type: 'json', schema }` for JSON that is valid by a JSON Schema; `result.json` has its value.
   * Where `model.capabilities.constrainedJson` the model can write nothing else, and the value is complete within any limit
   * that it fits into. Otherwise the answer is checked when it is there, and the model asked again if it is not valid; the
   * stream then has it in one piece. What stays wrong is `RKLLM_RESPONSE_INVALID`. Not with `stop`, `stopTokenIds`,
   * `tools` or `toolCalls: 'parse'`. Default: none; the answer is text.
   */
  responseFormat: { kind: 'group', table: responseTable, defaultsTo: 'none: the answer is text' },
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
export interface GenerateOptions extends OptionsOf<typeof generateTable> {}
