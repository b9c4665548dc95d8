import type { ChatMessage } from '../../../lib/chat/message.js';
import type { FamilyName } from '../../../lib/chat/templates/choice.js';
import { families } from '../../../lib/chat/templates/families.js';
import { templateOf, type Family } from '../../../lib/chat/templates/family.js';

export const user = (content: string): ChatMessage => ({ role: 'user', content });
export const assistant = (content: string): ChatMessage => ({ role: 'assistant', content });
export const system = (content: string): ChatMessage => ({ role: 'system', content });

/** Each built-in template, with its name for `test.each`. */
export const everyFamily = families.map((family) => [family.name, family] as const);

export function named(name: FamilyName): Family {
  const family = families.find((candidate) => candidate.name === name);
  if (family === undefined) throw new Error(name);
  return family;
}

/** As it renders where the engine leaves the first token to it. */
export const render = (name: FamilyName, ...messages: ChatMessage[]): string =>
  templateOf(named(name)).render(messages);

/** What each family's tokenizer makes one token of, as far as it matters. */
export const everyMarker = [
  ...['<|end|>', '<|user|>', '<|system|>', '<|assistant|>', '<|endoftext|>', '<|im_start|>', '<|im_end|>'],
  ...['<|begin_of_text|>', '<|start_header_id|>', '<|end_header_id|>', '<|eot_id|>', '<|eom_id|>', '<|end_of_text|>'],
  ...['<bos>', '<eos>', '<pad>', '<start_of_turn>', '<end_of_turn>', '<start_of_image>', '<s>', '</s>', '<unk>'],
  ...[
    '<｜begin▁of▁sentence｜>',
    '<｜end▁of▁sentence｜>',
    '<｜User｜>',
    '<｜Assistant｜>',
    '<用户>',
    '<AI>',
    '<|plugin|>',
  ],
];

/** How often control tokens of a family stand in a prompt. */
export function countControls(family: Family, prompt: string): number {
  const literal = new Set([family.turnEnd, ...family.otherEnds, ...family.controlTokens]);
  const found = prompt.match(/<[^\s<>]+>/gu) ?? [];
  return found.filter((token) => /^<(?:\|.+\||｜.+｜)>$/u.test(token) || literal.has(token)).length;
}
