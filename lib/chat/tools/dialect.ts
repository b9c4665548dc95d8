import type { ChatMessage } from '../message.js';
import { neutralizeTags } from '../templates/control-tokens.js';
import type { ToolCall } from '../tool-call.js';
import { pythonJson } from './python-json.js';
import type { ShownTool } from './tool-set.js';

/** A message as a template writes it: what tools have to do with it is part of its text. */
export interface PlainMessage {
  /** `'ipython'` is how Llama 3.1 names results. */
  readonly role: 'system' | 'user' | 'assistant' | 'ipython';
  readonly content: string;
}

/** How the models of a family are told of tools, write calls, and read results. */
export interface ToolDialect {
  /** A call may stand at the beginning of an answer without tags around it. */
  readonly bareCalls: boolean;
  /** The conversation without tools, calls and results of its own. */
  lower(messages: readonly ChatMessage[], tools: readonly ShownTool[]): readonly PlainMessage[];
}

/**
 * Qwen 2.5 and 3, and what was trained like Hermes: definitions in the system message, calls and results between tags,
 * results in a turn of the user.
 */
export const hermes: ToolDialect = {
  bareCalls: false,
  lower: (messages, tools) => taggedTurns(withSystem(messages, tools, hermesText)),
};

/** For models that were trained on no format: it says in words what to write, with the same tags. */
export const protocol: ToolDialect = {
  bareCalls: false,
  lower: (messages, tools) => joinUsers(taggedTurns(withSystem(messages, tools, protocolText))),
};

/** Llama 3.1 to 3.3: definitions before the first words of the user, calls as bare JSON, results in turns of their own. */
export const llamaJson: ToolDialect = {
  bareCalls: true,
  lower: (messages, tools) => {
    const first = messages.findIndex(({ role }) => role === 'user');
    return messages.map((message, index): PlainMessage => {
      const { role, content, toolCalls = [] } = message;
      if (role === 'tool') return { role: 'ipython', content: neutralizeTags(content) };
      if (role === 'user' && index === first && tools.length > 0) return { role, content: llamaText(tools) + content };
      return { role, content: [content, ...toolCalls.map(bareCall)].filter((text) => text !== '').join('\n') };
    });
  },
};

/** The words that Qwen's and Hermes' models were trained on. */
function hermesText(tools: readonly ShownTool[]): string {
  return (
    '# Tools\n\nYou may call one or more functions to assist with the user query.\n\n' +
    'You are provided with function signatures within <tools></tools> XML tags:\n<tools>\n' +
    tools.map((tool) => neutralizeTags(pythonJson(asFunction(tool)))).join('\n') +
    '\n</tools>\n\nFor each function call, return a json object with function name and arguments within ' +
    '<tool_call></tool_call> XML tags:\n<tool_call>\n{"name": <function-name>, "arguments": <args-json-object>}\n</tool_call>'
  );
}

/** Ours: short, since small models have little room, and with the one thing to write shown as it is to be written. */
function protocolText(tools: readonly ShownTool[]): string {
  return (
    'You can call these functions; each line is one, with its parameters as JSON Schema:\n' +
    tools.map((tool) => neutralizeTags(pythonJson(tool))).join('\n') +
    '\nTo call one, answer with nothing but\n<tool_call>\n{"name": "NAME", "arguments": {}}\n</tool_call>\n' +
    'and fill in its name and arguments. The next message has the result between <tool_response> and </tool_response>. ' +
    'Then, or when no function helps, answer in words.'
  );
}

/** The words that Llama 3.1 was trained on. */
function llamaText(tools: readonly ShownTool[]): string {
  return (
    'Given the following functions, please respond with a JSON for a function call with its proper arguments that best ' +
    'answers the given prompt.\n\nRespond in the format {"name": function name, "parameters": dictionary of argument ' +
    'name and its value}.Do not use variables.\n\n' +
    tools.map((tool) => `${neutralizeTags(pythonJson(asFunction(tool), 4))}\n\n`).join('')
  );
}

/** A definition in the form that OpenAI's interface has given all of them. */
export function asFunction({ name, description, parameters }: ShownTool): object {
  return { type: 'function', function: { name, description, parameters } };
}

/** The call between tags, as the model is shown it again in a conversation. */
function taggedCall({ name, arguments: given }: ToolCall): string {
  return `<tool_call>\n${pythonJson({ name, arguments: given })}\n</tool_call>`;
}

function bareCall({ name, arguments: given }: ToolCall): string {
  return pythonJson({ name, parameters: given });
}

function withSystem(
  messages: readonly ChatMessage[],
  tools: readonly ShownTool[],
  text: (tools: readonly ShownTool[]) => string,
): readonly ChatMessage[] {
  if (tools.length === 0) return messages;
  const [first, ...others] = messages;
  if (first?.role !== 'system') return [{ role: 'system', content: text(tools) }, ...messages];
  const content = first.content === '' ? text(tools) : `${first.content}\n\n${text(tools)}`;
  return [{ role: 'system', content }, ...others];
}

/** Results that follow each other share a turn of the user. */
function taggedTurns(messages: readonly ChatMessage[]): readonly PlainMessage[] {
  const plain: PlainMessage[] = [];
  messages.forEach(({ role, content, toolCalls = [] }, index) => {
    if (role !== 'tool') {
      // What stands before the first call ends its line.
      const before = toolCalls.length === 0 || content === '' || content.endsWith('\n') ? content : `${content}\n`;
      plain.push({ role, content: before + toolCalls.map(taggedCall).join('\n') });
      return;
    }
    const result = `<tool_response>\n${neutralizeTags(content)}\n</tool_response>`;
    const last = messages[index - 1]?.role === 'tool' ? plain.pop() : undefined;
    plain.push({ role: 'user', content: last === undefined ? result : `${last.content}\n${result}` });
  });
  return plain;
}

/** Many templates take user and assistant in turn only: words of the user that follow a result join its turn. */
function joinUsers(messages: readonly PlainMessage[]): readonly PlainMessage[] {
  const joined: PlainMessage[] = [];
  for (const message of messages) {
    const last = joined.at(-1);
    if (message.role === 'user' && last?.role === 'user' && last.content.endsWith('</tool_response>')) {
      joined[joined.length - 1] = { role: 'user', content: `${last.content}\n\n${message.content}` };
    } else {
      joined.push(message);
    }
  }
  return joined;
}
