import type { ContextStrategy } from '../chat/context-usage.js';
import type { SavedChat } from '../chat/saved-chat.js';
import { npuRunTable } from './npu.js';
import type { OptionsOf, OptionTable } from './table.js';

function isContextStrategy(value: unknown): value is ContextStrategy {
  return value === 'error' || value === 'drop-oldest-turns' || typeof value === 'function';
}

/** What is in it is looked at when it is used. */
function isObject(value: unknown): value is SavedChat {
  return Object.prototype.toString.call(value) === '[object Object]';
}

/** Options of a conversation. */
export const chatTable = {
  /** What the model is told before the first message. Default: nothing. Not with `from`, which has its own. */
  system: { kind: 'string', defaultsTo: 'no system message' },
  /**
   * A conversation to go on with, as `chat.toJSON()` gave it, perhaps by way of `JSON.stringify()` and `JSON.parse()`. Of
   * any model. Default: a new one.
   */
  from: {
    kind: 'shape',
    expected: 'an object that chat.toJSON() gave',
    accepts: isObject,
    defaultsTo: 'a new conversation',
  },
  /**
   * What is done when the conversation takes so much of the context that less than `reserveTokens` is left: `'error'`
   * fails the turn with `RKLLM_CONTEXT_OVERFLOW`; `'drop-oldest-turns'` leaves out as many of the oldest questions with
   * their answers as give half of the context back, or as have to be, and never the system message; a function returns
   * what takes the place of the conversation. What was left out is no longer part of `chat.messages` once the turn is
   * over. Default `'error'`.
   */
  onContextFull: {
    kind: 'shape',
    expected: "'error', 'drop-oldest-turns' or a function (messages, context) => messages",
    accepts: isContextStrategy,
    defaultsTo: "'error'",
  },
  /**
   * How much of the context has to be left for an answer, in tokens. An integer from 1; default: with `'error'` 1, else the
   * turn's `maxNewTokens`, at most a quarter of the context.
   */
  reserveTokens: {
    kind: 'integer',
    min: 1,
    max: 1_000_000_000,
    unit: 'tokens',
    defaultsTo: "with 'error' 1, else the turn's maxNewTokens, at most a quarter of the context",
  },
  /**
   * What becomes of a turn that was stopped by `abort()`, by leaving its loop, or by a signal with `onAbort: 'return'`:
   * `'keep'` adds the question and what was written of the answer to the conversation; `'discard'` leaves it as it was.
   * Default `'keep'`.
   */
  partialAnswers: { kind: 'choice', values: ['keep', 'discard'], defaultsTo: "'keep'" },
  /**
   * The adapter that answers: the name of one that was loaded with the model (`adapters`) or with
   * `model.runtime.loadLora()`. A turn may have another one. Default: none.
   */
  lora: npuRunTable.lora,
} as const satisfies OptionTable;

/** Options of a conversation. */
export interface ChatOptions extends OptionsOf<typeof chatTable> {}
