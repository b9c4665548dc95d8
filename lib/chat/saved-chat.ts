import { RkllmError } from '../errors.js';
import { describe } from '../options/describe.js';
import { checkMessage } from '../prompt.js';
import type { ChatMessage } from './message.js';

/** A conversation as plain values, for `JSON.stringify()`. */
export interface SavedChat {
  /** What it is. */
  readonly format: 'rkllm-chat';
  /** Of the format. */
  readonly version: 1;
  /** All of it, in order, the system message first. */
  readonly messages: readonly ChatMessage[];
}

const format = 'rkllm-chat';
const version = 1;

export function saveChat(messages: readonly ChatMessage[]): SavedChat {
  return { format, version, messages: messages.map((message) => ({ ...message })) };
}

/**
 * The messages of a saved conversation.
 *
 * @throws RkllmError `RKLLM_INVALID_INPUT` unless it is one, whole and of a version that is known.
 */
export function restoreChat(saved: object): readonly ChatMessage[] {
  const fields: Readonly<Record<string, unknown>> = { ...saved };
  if (fields['format'] !== format) throw notSaved(`Its format is ${describe(fields['format'])}.`);
  if (fields['version'] !== version) {
    throw notSaved(`Its version is ${describe(fields['version'])}; this release reads ${String(version)}.`);
  }
  const other = Object.keys(fields).find((key) => !['format', 'version', 'messages'].includes(key));
  if (other !== undefined) throw notSaved(`It has '${other}', which version ${String(version)} does not have.`);
  const { messages } = fields as { readonly messages?: unknown };
  if (!Array.isArray(messages)) throw notSaved(`Its messages are ${describe(messages)}.`);
  const checked = Array.from<unknown, ChatMessage>(messages, messageOf);
  const last = checked.at(-1)?.role;
  if (last === 'user' || last === 'tool') throw notSaved('Its last message has no answer.');
  return checked;
}

function messageOf(message: unknown, index: number): ChatMessage {
  try {
    return checkMessage(message, index);
  } catch (cause) {
    throw notSaved(`Message ${String(index)} is not one.`, cause);
  }
}

function notSaved(found: string, cause?: unknown): RkllmError {
  return new RkllmError('RKLLM_INVALID_INPUT', `This is no conversation that chat.toJSON() gave. ${found}`, {
    hint: 'Pass what chat.toJSON() gave, or what JSON.parse() makes of its JSON.',
    details: { option: 'from' },
    cause,
  });
}
