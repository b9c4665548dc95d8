import type { Capabilities, RunInput } from './backends/backend.js';
import type { PromptMedia } from './backends/media.js';
import type { ChatMessage } from './chat/message.js';
import { isToolCall, type ToolCall } from './chat/tool-call.js';
import { templateUnknown } from './chat/templates/recognize.js';
import { refuseApplied } from './chat/templates/refuse-applied.js';
import type { ChatTemplate, RenderOptions } from './chat/templates/template.js';
import { RkllmError } from './errors.js';
import { describe } from './options/describe.js';
import { isTokenId } from './options/shapes.js';

/**
 * A prompt that goes to the model as it is, with no chat template around it. With images and the like only where
 * `model.capabilities.media` has them.
 */
export interface RawPrompt extends PromptMedia {
  /** The text with the markers that the model was trained with. Not empty. */
  readonly prompt: string;
}

/** A prompt given as the model's own token ids. Only where `model.capabilities.tokenInput`. */
export interface TokenPrompt {
  /** Integers from 0 to 2³¹-1, at least one. Copied by the call that gets them. */
  readonly tokenIds: readonly number[] | Int32Array;
}

/** What {@link Model.logits} computes from; it is used as it is. */
export type ComputeInput =
  | {
      /** As it is, without a chat template. Not empty. */
      readonly prompt: string;
    }
  | TokenPrompt;

/**
 * What a model can be asked: a string (one user message, put into the model's chat template), a conversation, or a
 * {@link RawPrompt} or {@link TokenPrompt} that is used as it is.
 */
export type GenerateInput = string | readonly ChatMessage[] | RawPrompt | TokenPrompt;

/** Who makes a prompt of what a model is asked. */
export type Prompting =
  | { readonly by: 'library'; readonly template: ChatTemplate }
  /** `template: 'none'`: a string is a prompt. */
  | { readonly by: 'caller' }
  /** `template: 'runtime'`. */
  | { readonly by: 'runtime' }
  /** No template was found. */
  | { readonly by: 'nobody'; readonly lookedAt: string };

const roles = ['system', 'user', 'assistant', 'tool'];

/**
 * Checks an input and turns it into what the engine gets.
 *
 * @throws RkllmError `RKLLM_INVALID_INPUT`, `RKLLM_EMPTY_PROMPT`, `RKLLM_TEMPLATE_UNKNOWN`, `RKLLM_TEMPLATE_FAILED`,
 * `RKLLM_TEMPLATE_TWICE`, `RKLLM_UNSUPPORTED_OPTION`.
 */
export function toRunInput(
  input: unknown,
  prompting: Prompting,
  capabilities: Capabilities,
  options: RenderOptions = {},
): RunInput {
  if (typeof input === 'string') {
    if (input.trim() === '') throw emptyPrompt('The prompt is empty.');
    if (prompting.by === 'caller' || prompting.by === 'runtime') return asItIs(input, prompting);
    return render([{ role: 'user', content: input }], prompting, options);
  }
  if (Array.isArray(input)) return render(checkMessages(input), prompting, options);
  if (typeof input === 'object' && input !== null) {
    if ('prompt' in input) return rawPrompt(onlyKey(input, 'prompt').prompt, prompting);
    if ('tokenIds' in input) return tokenPrompt(onlyKey(input, 'tokenIds').tokenIds, capabilities);
  }
  throw invalidInput(`The input is ${describe(input)}.`);
}

function render(messages: readonly ChatMessage[], prompting: Prompting, options: RenderOptions): RunInput {
  if (prompting.by === 'nobody') throw templateUnknown(prompting.lookedAt);
  if (prompting.by !== 'library') {
    throw templateUnknown(`it was loaded with template: '${prompting.by === 'runtime' ? 'runtime' : 'none'}'`);
  }
  const { template } = prompting;
  for (const { role, content } of messages) if (role === 'user') refuseApplied(content, template);
  return { type: 'text', text: template.render(messages, options) };
}

/**
 * Checks what numbers are to be computed from. It is used as it is.
 *
 * @throws RkllmError `RKLLM_INVALID_INPUT`, `RKLLM_EMPTY_PROMPT`, `RKLLM_UNSUPPORTED_OPTION`.
 */
export function toComputeInput(input: unknown, capabilities: Capabilities): RunInput {
  if (typeof input === 'object' && input !== null) {
    if ('tokenIds' in input) return tokenPrompt(onlyKey(input, 'tokenIds').tokenIds, capabilities);
    if ('prompt' in input) return rawPrompt(onlyKey(input, 'prompt').prompt, { by: 'caller' });
  }
  throw new RkllmError('RKLLM_INVALID_INPUT', `logits() cannot compute from ${describe(input)}.`, {
    hint: 'Pass { prompt: string } or { tokenIds: integers from 0 }: a prompt as it is, with no chat template around it.',
  });
}

/** Nothing of this library's stands around it. */
function asItIs(text: string, prompting: Prompting): RunInput {
  if (prompting.by === 'runtime') refuseApplied(text);
  return { type: 'text', text };
}

/** @throws RkllmError `RKLLM_INVALID_INPUT` or `RKLLM_EMPTY_PROMPT`. */
export function checkMessages(messages: readonly unknown[]): readonly ChatMessage[] {
  // Array.from: map() would skip the holes of a sparse array.
  const checked = Array.from(messages, (message, index) => checkMessage(message, index));
  const last = checked.at(-1);
  if (last === undefined) throw emptyPrompt('The conversation has no messages.');
  if (last.role !== 'tool' && last.content.trim() === '')
    throw emptyPrompt('The last message of the conversation is empty.');
  return checked;
}

/** @throws RkllmError `RKLLM_INVALID_INPUT`. */
export function checkMessage(message: unknown, index: number): ChatMessage {
  if (typeof message === 'object' && message !== null && 'role' in message && 'content' in message) {
    const { role, content } = message;
    if (typeof role === 'string' && roles.includes(role) && typeof content === 'string') {
      return { role: role as ChatMessage['role'], content, ...toolPartsOf(role, message, index) };
    }
  }
  throw invalidInput(`Message ${String(index)} of the conversation is not one.`);
}

/** What only messages about tools have. */
function toolPartsOf(role: string, message: object, index: number): Omit<ChatMessage, 'role' | 'content'> {
  const { toolCalls, toolCallId, toolName } = message as Readonly<Record<string, unknown>>;
  const which = `Message ${String(index)} of the conversation`;
  if (role === 'tool') {
    if (typeof toolCallId === 'string' && typeof toolName === 'string') return { toolCallId, toolName };
    throw invalidInput(`${which} has the role 'tool', but no toolCallId and toolName.`);
  }
  if (toolCallId !== undefined || toolName !== undefined) throw invalidInput(`${which} is no result of a tool.`);
  if (toolCalls === undefined) return {};
  if (role !== 'assistant') throw invalidInput(`${which} has tool calls, and its role is '${role}'.`);
  if (!Array.isArray(toolCalls)) throw invalidInput(`${which} has ${describe(toolCalls)} as its tool calls.`);
  const calls = Array.from<unknown, ToolCall>(toolCalls, (call, at) => {
    if (isToolCall(call)) return { id: call.id, name: call.name, arguments: call.arguments };
    throw invalidInput(`${which} has ${describe(call)} as its tool call ${String(at)}.`);
  });
  return calls.length === 0 ? {} : { toolCalls: calls };
}

/** What stands beside the prompt, such as an option, would be overlooked. */
function onlyKey<T extends object>(input: T, name: string): T {
  const other = Object.keys(input).find((key) => key !== name);
  if (other === undefined) return input;
  throw new RkllmError('RKLLM_INVALID_INPUT', `A model cannot be asked this. '${other}' stands beside ${name}.`, {
    hint: 'Pass options as the second argument: generate({ prompt }, { maxNewTokens: 100 }).',
    details: { key: other },
  });
}

function rawPrompt(prompt: unknown, prompting: Prompting): RunInput {
  if (typeof prompt !== 'string') throw invalidInput(`prompt is ${describe(prompt)}.`);
  if (prompt === '') throw emptyPrompt('The prompt is empty.');
  return asItIs(prompt, prompting);
}

function tokenPrompt(tokenIds: unknown, capabilities: Capabilities): RunInput {
  if (!capabilities.tokenInput) {
    throw new RkllmError('RKLLM_UNSUPPORTED_OPTION', 'This model does not take token ids.', {
      hint: 'Pass the prompt as text: { prompt }.',
    });
  }
  const isList = Array.isArray(tokenIds) || Object.prototype.toString.call(tokenIds) === '[object Int32Array]';
  if (!isList) throw invalidInput(`tokenIds is ${describe(tokenIds)}.`);
  const ids = Array.from(tokenIds as ArrayLike<unknown>);
  if (ids.length === 0) throw emptyPrompt('The prompt has no tokens.');
  const wrong = ids.findIndex((id) => !isTokenId(id));
  if (wrong >= 0) throw invalidInput(`tokenIds contains ${describe(ids[wrong])}.`);
  return { type: 'tokens', tokenIds: Int32Array.from(ids as number[]) };
}

function emptyPrompt(message: string): RkllmError {
  return new RkllmError('RKLLM_EMPTY_PROMPT', message, { hint: 'Give the model at least one word to answer.' });
}

function invalidInput(found: string): RkllmError {
  return new RkllmError('RKLLM_INVALID_INPUT', `A model cannot be asked this. ${found}`, {
    hint:
      "Pass a string, a list of messages { role: 'system' | 'user' | 'assistant' | 'tool', content: string }, " +
      '{ prompt: string } or { tokenIds: integers from 0 }.',
  });
}
