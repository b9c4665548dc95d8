import type { ChatMessage } from '../message.js';
import type { ChatTemplate } from './template.js';

/** The template of Phi-3 and Phi-3.5: each message between its role's marker and `<|end|>`. */
export const phi3Template: ChatTemplate = {
  name: 'phi3',
  endMarkers: ['<|end|>', '<|endoftext|>', '<|user|>', '<|system|>', '<|assistant|>'],
  render: (messages) => `${messages.map(renderMessage).join('')}<|assistant|>\n`,
};

function renderMessage({ role, content }: ChatMessage): string {
  return `<|${role}|>\n${neutralized(content)}<|end|>\n`;
}

/** Text that looks like a control token must not become one: a user who types `<|end|>` does not end the turn. */
function neutralized(content: string): string {
  return content.replace(/<(\|\w+\||\/?s|unk)>/gu, '< $1 >');
}
