import type { ChatMessage } from '../chat/message.js';
import { RkllmError } from '../errors.js';
import type { generateTable } from '../options/generate.js';
import type { Checked } from '../options/table.js';
import { compileSchema } from './compile.js';
import { plainSchema } from './schema.js';
import type { JsonSchema } from './validate.js';

/** What an answer has to be, checked. */
export interface ResponseFormat {
  /** A copy. */
  readonly schema: JsonSchema;
  readonly maxRepairs: number;
  /** What the model is told of it; undefined: nothing. */
  readonly instruction: string | undefined;
}

/** What JSON mode means elsewhere, too. */
const anyObject: JsonSchema = { type: 'object' };

/**
 * @param owner - who was called, for messages.
 * @param isConstrained - the engine holds answers to the schema.
 * @throws RkllmError `RKLLM_INVALID_OPTION`.
 */
export function responseFormatOf(
  owner: string,
  options: Checked<typeof generateTable>,
  isConstrained: boolean,
): ResponseFormat | undefined {
  const { responseFormat: asked } = options;
  if (asked === undefined) return undefined;
  if (asked.type === undefined) throw invalid(owner, "responseFormat needs a type: 'json'", "Write { type: 'json' }.");
  const cutting = (['stop', 'stopTokenIds'] as const).find((name) => (options[name] ?? []).length > 0);
  if (cutting !== undefined) {
    throw invalid(owner, `${cutting} could cut what responseFormat asks for`, `Leave ${cutting} out.`);
  }
  if (options.toolCalls === 'parse' || options.tools !== undefined) {
    const other = options.tools === undefined ? "toolCalls: 'parse'" : 'tools';
    throw invalid(owner, `${other} and responseFormat exclude each other`, 'Ask for one of them.');
  }
  if (isConstrained && options.reasoning !== undefined && options.reasoning !== 'text') {
    throw invalid(
      owner,
      'this model writes nothing but the JSON that responseFormat asks for, so it cannot think before',
      'Leave reasoning out.',
    );
  }
  const schema = asked.schema === undefined ? anyObject : plainSchema(owner, asked.schema);
  compileSchema(owner, schema);
  const { maxRepairs = 2, instruct = true } = asked;
  return { schema, maxRepairs, instruction: instruct ? instructionFor(schema) : undefined };
}

function instructionFor(schema: JsonSchema): string {
  return `Answer with JSON only, without any other text. The JSON must be valid by this JSON Schema:\n${JSON.stringify(schema)}`;
}

/** Puts what the model is told behind the last message of the user. What is empty stays so, and is refused. */
export function instructed(messages: readonly ChatMessage[], instruction: string | undefined): readonly ChatMessage[] {
  const last = messages.map(({ role }) => role).lastIndexOf('user');
  if (instruction === undefined) return messages;
  return messages.map((message, index) =>
    index === last && message.content.trim() !== ''
      ? { ...message, content: `${message.content}\n\n${instruction}` }
      : message,
  );
}

/** About how many tokens it has, rather too many. */
export function tokensOf(instruction: string | undefined): number {
  return instruction === undefined ? 0 : Math.ceil(instruction.length / 2);
}

/** What the model is asked when its answer was not valid. */
export function repairRequest(problems: readonly string[]): string {
  return `That was not valid:\n${problems.map((problem) => `- ${problem}`).join('\n')}\nAnswer again, with the corrected JSON only.`;
}

function invalid(owner: string, why: string, hint: string): RkllmError {
  return new RkllmError('RKLLM_INVALID_OPTION', `${owner}: ${why}.`, {
    hint,
    details: { owner, option: 'responseFormat' },
  });
}
