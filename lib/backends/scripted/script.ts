import { isUint8Array } from 'node:util/types';
import { errorCodes } from '../../errors.js';
import type { Checked, OptionsOf, OptionTable } from '../../options/table.js';
import type { Capabilities, RunRequest } from '../backend.js';
import type { Clock } from '../clock.js';

const milliseconds = { kind: 'number', min: 0, max: 2 ** 31 - 1, unit: 'milliseconds' } as const;
const count = { kind: 'integer', min: 0, max: 1_000_000_000, unit: 'tokens' } as const;

function isText(value: unknown): value is string | Uint8Array {
  return typeof value === 'string' || isUint8Array(value);
}

function isObject(value: unknown): value is object {
  return typeof value === 'object' && value !== null;
}

function isFigure(value: unknown): value is number | 'unstated' {
  return value === 'unstated' || (typeof value === 'number' && Number.isSafeInteger(value) && value >= 0);
}

export const tokenTable = {
  /** Its id, an integer from 0; default: its position in the answer, counted from 1. */
  id: { kind: 'integer', min: 0, max: 2 ** 31 - 1, defaultsTo: 'its position in the answer, counted from 1' },
  /** Milliseconds before it comes; default: the answer's `prefillMs` or `tokenMs`. */
  delayMs: { ...milliseconds, defaultsTo: "the answer's" },
  /** Its text, or its bytes in UTF-8: a character may be split between tokens. */
  text: { kind: 'shape', expected: 'a string or a Uint8Array', accepts: isText, defaultsTo: 'none: it must be given' },
} as const satisfies OptionTable;

/**
 * One token of a scripted answer.
 *
 * @interface
 */
export type ScriptedToken = OptionsOf<Omit<typeof tokenTable, 'text'>> & {
  /** Its text, or its bytes in UTF-8: a character may be split between tokens. */
  readonly text: string | Uint8Array;
};

/** A text (one token a word), or tokens. */
export type ScriptedTokens = string | readonly (string | ScriptedToken)[];

/** An error that a script makes up. */
export const failureTable = {
  /** Its code; default `'RKLLM_RUN_FAILED'`, for a load `'RKLLM_INIT_FAILED'`, for a crash `'RKLLM_WORKER_FAILED'`. */
  code: {
    kind: 'choice',
    values: errorCodes,
    defaultsTo: "'RKLLM_RUN_FAILED', for a load 'RKLLM_INIT_FAILED', for a crash 'RKLLM_WORKER_FAILED'",
  },
  /** Its message; default: that the script wants it so. */
  message: { kind: 'string', defaultsTo: 'that the script wants it so' },
} as const satisfies OptionTable;

/** An error that a script makes up. */
export interface ScriptedFailure extends OptionsOf<typeof failureTable> {}

/** How an answer comes and ends. */
const courseTable = {
  /** Milliseconds before the first token; default 0. */
  prefillMs: { ...milliseconds, defaultsTo: '0' },
  /** Milliseconds before each further token; default 0. */
  tokenMs: { ...milliseconds, defaultsTo: '0' },
  /** Makes the generation fail after so many tokens; default: with `failWith` 0, else never. */
  failAfterTokens: { ...count, defaultsTo: 'with failWith 0, else never' },
  /** The error that it fails with; default: `RKLLM_RUN_FAILED`. */
  failWith: { kind: 'group', table: failureTable, defaultsTo: 'RKLLM_RUN_FAILED' },
  /**
   * Makes the model die after so many tokens, as the death of a worker or process does: what runs and what waits fails
   * with `RKLLM_WORKER_FAILED`, and `model.state` is `'failed'`; with `onCrash: 'restart'` it is loaded again. Default: with
   * `crashWith` 0, else never.
   */
  crashAfterTokens: { ...count, defaultsTo: 'with crashWith 0, else never' },
  /** What it dies of; default: `RKLLM_WORKER_FAILED`. */
  crashWith: { kind: 'group', table: failureTable, defaultsTo: 'RKLLM_WORKER_FAILED' },
  /**
   * What the engine says when all tokens are written: the model ended its answer, a limit was reached, or nothing, as
   * older releases of the vendor's runtime do. Default `'eos'`.
   */
  endReason: { kind: 'choice', values: ['eos', 'length', 'unstated'], defaultsTo: "'eos'" },
  /** Tokens of the prompt; `'unstated'`: the engine does not tell. Default: the words of the prompt. */
  promptTokens: {
    kind: 'shape',
    expected: "an integer from 0 or 'unstated'",
    accepts: isFigure,
    defaultsTo: 'the words of the prompt',
  },
  /** How many of them came from the KV cache; `'unstated'`: the engine does not tell. Default 0. */
  cachedPromptTokens: {
    kind: 'shape',
    expected: "an integer from 0 or 'unstated'",
    accepts: isFigure,
    defaultsTo: '0',
  },
} as const satisfies OptionTable;

function isTokens(value: unknown): value is ScriptedTokens {
  return typeof value === 'string' || Array.isArray(value);
}

export const answerTable = {
  ...courseTable,
  /** The answer; default: `'Hello! This is a scripted answer.'` */
  tokens: { kind: 'shape', expected: 'a string or a list of tokens', accepts: isTokens, defaultsTo: 'a greeting' },
} as const satisfies OptionTable;

/** An answer that comes or ends otherwise than the script's others. What it does not say, the script says. */
export interface ScriptedAnswer extends OptionsOf<typeof answerTable> {}

/** What the model writes: a text (one token a word), tokens, or those with how they come and end. */
export type ScriptedReply = ScriptedTokens | ScriptedAnswer;

/**
 * Chooses the answer to a prompt.
 *
 * @param prompt - as the engine sees it: in the chat template; token ids with spaces between.
 * @param request - everything else that the engine is asked.
 */
export type Replier = (prompt: string, request: RunRequest) => ScriptedReply;

function isReply(value: unknown): value is ScriptedReply | Replier {
  return typeof value === 'string' || typeof value === 'function' || isObject(value);
}

function isReplyList(value: unknown): value is readonly ScriptedReply[] {
  return Array.isArray(value) && value.length > 0;
}

function isCapabilities(value: unknown): value is Partial<Capabilities> {
  return isObject(value) && !Array.isArray(value);
}

function isOnRun(value: unknown): value is (prompt: string) => void {
  return typeof value === 'function';
}

/** Whether a load fails, and with what. */
export type ScriptedLoad = boolean | ScriptedFailure;

function isFailLoad(value: unknown): value is ScriptedLoad | readonly ScriptedLoad[] {
  return typeof value === 'boolean' || (isObject(value) && !(Array.isArray(value) && value.length === 0));
}

function isClock(value: unknown): value is Clock {
  return isObject(value) && 'now' in value && 'sleep' in value && typeof value.sleep === 'function';
}

export const scriptTable = {
  ...courseTable,
  /** The answer, or a function that chooses it. Default: `'Hello! This is a scripted answer.'` */
  reply: {
    kind: 'shape',
    expected: 'a text, a list of tokens, an answer or a function',
    accepts: isReply,
    defaultsTo: 'a greeting',
  },
  /** The answers to the first generation, the second and so on; the last one is repeated. Instead of `reply`. */
  replies: {
    kind: 'shape',
    expected: 'a list of at least one answer',
    accepts: isReplyList,
    defaultsTo: 'the same answer each time',
  },
  /** Name of the model; default `'scripted'`. */
  name: { kind: 'string', defaultsTo: "'scripted'" },
  /** Prompt plus output, in tokens (a word of the prompt counts as one); default 4096. */
  contextLength: { kind: 'integer', min: 1, max: 1_000_000_000, unit: 'tokens', defaultsTo: '4096' },
  /** Milliseconds that loading takes, or until it is aborted; default 0. */
  loadMs: { ...milliseconds, defaultsTo: '0' },
  /**
   * Makes loading fail, after `loadMs`: with `RKLLM_INIT_FAILED`, or as it says. A list is about the first load, the second
   * and so on; the last one is repeated. A code such as `RKLLM_WORKER_FAILED` says that the engine died in it.
   */
  failLoad: {
    kind: 'shape',
    expected: 'a boolean, an object with code and message, or a list of at least one of them',
    accepts: isFailLoad,
    defaultsTo: 'false',
  },
  /** What the model claims to be able to do, where that differs from the default. */
  capabilities: {
    kind: 'shape',
    expected: 'an object with capabilities',
    accepts: isCapabilities,
    defaultsTo: 'sampling for each generation, a seed, token ids, one slot',
  },
  /** Called with each prompt that reaches the engine, as the engine sees it. */
  onRun: { kind: 'shape', expected: 'a function', accepts: isOnRun, defaultsTo: 'none' },
  /** Measures all delays; default: the real time. {@link manualClock} makes one that the test moves. */
  clock: { kind: 'shape', expected: 'a clock, such as manualClock()', accepts: isClock, defaultsTo: 'the real time' },
} as const satisfies OptionTable;

/** What a scripted model does. */
export interface Script extends OptionsOf<typeof scriptTable> {}

/** A script whose options have been checked. */
export interface CheckedScript extends Omit<Checked<typeof scriptTable>, 'failLoad'> {
  /** Of the first load, the second and so on; the last one is repeated. */
  readonly failLoad: readonly (ScriptedFailure | undefined)[];
}
