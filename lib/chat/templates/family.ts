import { RkllmError } from '../../errors.js';
import type { ChatMessage } from '../message.js';
import { protocol, type PlainMessage, type ToolDialect } from '../tools/dialect.js';
import { isWrapped } from './applied.js';
import type { FamilyName } from './choice.js';
import { ControlTokens } from './control-tokens.js';
import type { ChatTemplate, RenderOptions } from './template.js';

/** A template that is built in, as the models of a family share it. */
export interface Family {
  readonly name: FamilyName;
  /** What every prompt begins with, where the engine does not put it there by itself. */
  readonly bos?: string;
  /** The token that ends a turn: a tokenizer without it is of another family. */
  readonly turnEnd: string;
  /** What else means that an answer is over. */
  readonly otherEnds: readonly string[];
  /** Control tokens besides those of the form `<|…|>`. */
  readonly controlTokens: readonly string[];
  readonly switchesThinking?: boolean;
  /** What its models are told where nobody has told them anything. Absent: nothing. */
  readonly defaultSystem?: string;
  /** How its models were trained to call functions. Absent: they were not, and are told in words. */
  readonly toolDialect?: ToolDialect;
  /** Writes messages in which control tokens have been taken apart, and what makes the model answer. */
  write(messages: readonly PlainMessage[], options: RenderOptions): string;
}

/** @param addsBos - the engine puts the first token there by itself. */
export function templateOf(family: Family, addsBos = false): ChatTemplate {
  const {
    name,
    bos = '',
    turnEnd,
    otherEnds,
    controlTokens,
    switchesThinking = false,
    toolDialect = protocol,
  } = family;
  const tokens = new ControlTokens(controlTokens);
  const plain = (messages: readonly ChatMessage[], { tools = [] }: RenderOptions): readonly PlainMessage[] =>
    toolDialect
      .lower(opened(messages, family), tools)
      .map(({ role, content }) => ({ role, content: tokens.neutralize(content) }));
  const ending = endingOf(family);
  return {
    name,
    endMarkers: [turnEnd, ...otherEnds],
    switchesThinking,
    bareCalls: toolDialect.bareCalls,
    render: (messages, options = {}) => (addsBos ? '' : bos) + family.write(plain(messages, options), options),
    isApplied: (text) => isWrapped(text, tokens, ending),
  };
}

function opened(messages: readonly ChatMessage[], { defaultSystem }: Family): readonly ChatMessage[] {
  if (defaultSystem === undefined || messages[0]?.role === 'system') return messages;
  return [{ role: 'system', content: defaultSystem }, ...messages];
}

function endingOf(family: Family): string {
  const question = 'question';
  const prompt = family.write([{ role: 'user', content: question }], {});
  return prompt.slice(prompt.lastIndexOf(question) + question.length);
}

/** For templates that know users and answers in turn only. */
export function refuseUnlessAlternating(name: FamilyName, messages: readonly PlainMessage[]): void {
  const wrong = messages.findIndex(({ role }, index) => role !== (index % 2 === 0 ? 'user' : 'assistant'));
  if (wrong < 0) return;
  const role = messages[wrong]?.role;
  throw new RkllmError(
    'RKLLM_TEMPLATE_FAILED',
    `The template ${name} takes messages of user and assistant in turn; out of turn is one of role '${String(role)}'.`,
    {
      hint: 'Join messages that follow each other with the same role; a system message comes first.',
      details: { template: name, role },
    },
  );
}

/** The system message that comes first, and the others. */
export function splitSystem(messages: readonly PlainMessage[]): {
  readonly system: string | undefined;
  readonly others: readonly PlainMessage[];
} {
  const [first, ...others] = messages;
  return first?.role === 'system' ? { system: first.content, others } : { system: undefined, others: messages };
}

/** An answer without what was thought before it, which models are not shown again. */
export function withoutReasoning(content: string): string {
  return content.split('</think>').at(-1) ?? content;
}
