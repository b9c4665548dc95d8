import { RkllmError } from '../../errors.js';
import { checkOptions } from '../../options/check.js';
import { describe } from '../../options/describe.js';
import type { Checked } from '../../options/table.js';
import type { RunRequest } from '../backend.js';
import {
  answerTable,
  failureTable,
  scriptTable,
  tokenTable,
  type CheckedScript,
  type ScriptedAnswer,
  type ScriptedFailure,
  type ScriptedLoad,
  type ScriptedReply,
  type ScriptedTokens,
} from './script.js';

export interface EngineToken {
  readonly id: number;
  readonly bytes: Uint8Array;
  readonly delayMs: number | undefined;
}

/** An answer with everything that the script says about it. */
export interface EngineAnswer extends Omit<Checked<typeof answerTable>, 'tokens'> {
  readonly tokens: readonly EngineToken[];
}

const greeting = 'Hello! This is a scripted answer.';
const encoder = new TextEncoder();

/** @throws RkllmError `RKLLM_INVALID_OPTION` or `RKLLM_UNKNOWN_OPTION`, also about what is inside the answers. */
export function checkScript(script: unknown): CheckedScript {
  const { failLoad = false, ...rest } = checkOptions('scripted()', scriptTable, script);
  const checked: CheckedScript = { ...rest, failLoad: [failLoad].flat().map(loadFailure) };
  const { reply, replies } = checked;
  if (reply !== undefined && replies !== undefined) {
    throw new RkllmError('RKLLM_INVALID_OPTION', 'scripted() takes reply or replies, not both.', {
      hint: 'Put the one answer into the list, or leave one of them out.',
      details: { owner: 'scripted()', option: 'replies' },
    });
  }
  for (const one of replies ?? (reply === undefined ? [] : [reply])) {
    if (typeof one !== 'function') engineAnswer(checked, one);
  }
  return checked;
}

function loadFailure(load: ScriptedLoad): ScriptedFailure | undefined {
  if (typeof load === 'boolean') return load ? {} : undefined;
  return checkOptions('scripted() failLoad', failureTable, load);
}

/** The answer to a request. `index` counts the requests before it. */
export function answerTo(script: CheckedScript, prompt: string, request: RunRequest, index: number): EngineAnswer {
  const { reply = greeting, replies } = script;
  if (replies !== undefined) return engineAnswer(script, replies[Math.min(index, replies.length - 1)] ?? greeting);
  return engineAnswer(script, typeof reply === 'function' ? reply(prompt, request) : reply);
}

function engineAnswer(script: CheckedScript, reply: ScriptedReply): EngineAnswer {
  const answer = isTokens(reply) ? { tokens: reply } : checkOptions('scripted() reply', answerTable, reply);
  const { tokens = greeting, ...course } = answer;
  return { ...script, ...course, tokens: engineTokens(tokens) };
}

function isTokens(reply: ScriptedReply): reply is Exclude<ScriptedReply, ScriptedAnswer> {
  return typeof reply === 'string' || Array.isArray(reply);
}

function engineTokens(given: ScriptedTokens): EngineToken[] {
  const tokens: readonly unknown[] = typeof given === 'string' ? wordsOf(given) : Array.from(given);
  return tokens.map((token, index) => {
    if (typeof token === 'string') return { id: index + 1, bytes: encoder.encode(token), delayMs: undefined };
    const { text, id = index + 1, delayMs } = checkOptions(`scripted() token ${index}`, tokenTable, token);
    if (text === undefined) throw noText(index, token);
    return { id, bytes: typeof text === 'string' ? encoder.encode(text) : text, delayMs };
  });
}

function noText(index: number, token: unknown): RkllmError {
  return new RkllmError('RKLLM_INVALID_OPTION', `scripted() token ${index} has no text; it is ${describe(token)}.`, {
    hint: "Give a string, or an object such as { text: 'a', id: 5 }.",
    details: { owner: 'scripted()', option: 'text' },
  });
}

/** A word with the space before it is a token. */
export function wordsOf(text: string): string[] {
  return text.match(/\s*\S+|\s+$/gu) ?? [];
}
