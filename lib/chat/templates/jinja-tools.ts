import type { ChatMessage } from '../message.js';
import { asFunction } from '../tools/dialect.js';
import type { ShownTool } from '../tools/tool-set.js';
import { neutralizeTags } from './control-tokens.js';

/** A message as Hugging Face's templates read it. */
export interface JinjaMessage {
  readonly role: string;
  readonly content: string;
  readonly tool_calls?: readonly object[];
  readonly tool_call_id?: string;
  readonly name?: string;
}

type Neutralize = (text: string) => string;

/** Messages for a template that writes calls and results itself. */
export function jinjaMessages(messages: readonly ChatMessage[], neutralize: Neutralize): readonly JinjaMessage[] {
  return messages.map(({ role, content, toolCalls = [], toolCallId, toolName }): JinjaMessage => {
    if (role === 'tool') {
      const safe = neutralize(neutralizeTags(content));
      return { role, content: safe, tool_call_id: toolCallId ?? '', name: neutralize(toolName ?? '') };
    }
    if (toolCalls.length === 0) return { role, content: neutralize(content) };
    const calls = toolCalls.map(({ id, name, arguments: given }) => ({
      ...{ id, type: 'function' },
      function: { name: neutralize(name), arguments: neutralized(given, neutralize) },
    }));
    return { role, content: neutralize(content), tool_calls: calls };
  });
}

/** The definition of a tool, with nothing in it that would be a control token. */
export function jinjaTool(tool: ShownTool, neutralize: Neutralize): unknown {
  return neutralized(asFunction(tool), (text) => neutralize(neutralizeTags(text)));
}

/** Of plain values; what JSON does not have is left out. */
function neutralized(value: unknown, neutralize: Neutralize): unknown {
  const plain: unknown = JSON.parse(JSON.stringify(value));
  const walk = (part: unknown): unknown => {
    if (typeof part === 'string') return neutralize(part);
    if (Array.isArray(part)) return part.map(walk);
    if (typeof part !== 'object' || part === null) return part;
    return Object.fromEntries(Object.entries(part).map(([key, item]) => [neutralize(key), walk(item)]));
  };
  return walk(plain);
}
