import { templateOf, type Family } from './family.js';
import type { ChatTemplate } from './template.js';

/**
 * Phi-3 and Phi-3.5: each message between its role's marker and `<|end|>`. As with Phi-3.5, a system message without
 * text is left out; Phi-3 would get one without text.
 */
export const phi3: Family = {
  name: 'phi3',
  turnEnd: '<|end|>',
  otherEnds: ['<|endoftext|>', '<|user|>', '<|system|>', '<|assistant|>'],
  controlTokens: ['<s>', '</s>', '<unk>'],
  write: (messages) => {
    const turns = messages.filter(({ role, content }) => role !== 'system' || content !== '');
    return `${turns.map(({ role, content }) => `<|${role}|>\n${content}<|end|>\n`).join('')}<|assistant|>\n`;
  },
};

/** Theirs have less than 700 characters. */
const longestOfMicrosoft = 2000;

/**
 * Whether a Jinja template is Microsoft's, in any of its releases, so that it need not be interpreted. One that says more
 * to the model, such as a system message where nobody has given one, is not.
 */
export function isPhi3(jinja: string): boolean {
  if (jinja.length > longestOfMicrosoft) return false;
  const source = jinja.replaceAll('\n', '\\n');
  // The line break after the role's marker tells Phi-3 and 3.5 from Phi-4-mini, which shares the markers.
  if (!source.includes('<|end|>') || !/<\|user\|>(?:'\s*\+\s*')?\\n/u.test(source)) return false;
  const literals = [...source.matchAll(/'([^']*)'|"([^"]*)"/gu)].map(([, single, double]) => single ?? double ?? '');
  const outside = source.replace(/\{\{.*?\}\}|\{%.*?%\}/gu, '');
  const known = /<\|(?:system|user|assistant|end)\|>|\b(?:system|user|assistant|role|content)\b|\\n|\s/gu;
  return [...literals, outside].join(' ').replace(known, '') === '';
}

/** The template of Phi-3 and Phi-3.5. */
export const phi3Template: ChatTemplate = templateOf(phi3);
