import type { Capabilities } from '../backend.js';
import { RkllmError } from '../../errors.js';

/** One token of a scripted answer. */
export interface ScriptedToken {
  /** Its text, or its bytes: a character may be split between tokens. */
  readonly text: string | Uint8Array;
  /** Its id; default: its position in the answer, counted from 1. */
  readonly id?: number | undefined;
  /** Milliseconds before it comes; default: the script's `tokenMs`. */
  readonly delayMs?: number | undefined;
}

/** A text (one token a word), or tokens. */
export type ScriptedReply = string | readonly (string | ScriptedToken)[];

/** What a scripted model does. */
export interface Script {
  /** The answer, or a function that gives the answer to a prompt. Default: `'Hello! This is a scripted answer.'` */
  readonly reply?: ScriptedReply | ((prompt: string) => ScriptedReply) | undefined;
  /** Name of the model; default `'scripted'`. */
  readonly name?: string | undefined;
  /** Prompt plus output, in tokens (a word of the prompt counts as one); default 4096. */
  readonly contextLength?: number | undefined;
  /** Milliseconds before the first token; default 0. */
  readonly prefillMs?: number | undefined;
  /** Milliseconds before each further token; default 0. */
  readonly tokenMs?: number | undefined;
  /** Milliseconds that loading takes; default 0. */
  readonly loadMs?: number | undefined;
  /** Makes each run fail after so many tokens. */
  readonly failAfterTokens?: number | undefined;
  /** Makes loading fail. */
  readonly failLoad?: boolean | undefined;
  /** What the model claims to be able to do, where that differs from everything. */
  readonly capabilities?: Partial<Capabilities> | undefined;
  /** Called with each prompt that reaches the engine, as the engine sees it. */
  readonly onRun?: ((prompt: string) => void) | undefined;
}

const defaultReply = 'Hello! This is a scripted answer.';

/** A word with the space before it is a token. */
export function wordsOf(text: string): string[] {
  return text.match(/\s*\S+|\s+$/gu) ?? [];
}

export interface EngineToken {
  readonly id: number;
  readonly bytes: Uint8Array;
  readonly delayMs: number | undefined;
}

export function tokensOf(script: Script, prompt: string): EngineToken[] {
  const { reply = defaultReply } = script;
  const given = typeof reply === 'function' ? reply(prompt) : reply;
  const tokens = typeof given === 'string' ? wordsOf(given) : given;
  const encoder = new TextEncoder();
  return tokens.map((token, index) => {
    const { text, id = index + 1, delayMs } = typeof token === 'string' ? { text: token } : token;
    return { id, bytes: typeof text === 'string' ? encoder.encode(text) : text, delayMs };
  });
}

export function scriptedFailure(tokens: number): RkllmError {
  return new RkllmError('RKLLM_RUN_FAILED', `The script makes this run fail after ${String(tokens)} tokens.`, {
    hint: 'Remove failAfterTokens from the script.',
    details: { tokens },
  });
}
