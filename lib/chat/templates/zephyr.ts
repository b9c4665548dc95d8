import type { Family } from './family.js';

/** Zephyr and TinyLlama: markers that are no tokens of their own, and `</s>` behind every message. */
export const zephyr: Family = {
  name: 'zephyr',
  turnEnd: '</s>',
  otherEnds: ['<|user|>', '<|system|>', '<|assistant|>'],
  controlTokens: ['<s>', '</s>', '<unk>'],
  write: (messages) =>
    `${messages.map(({ role, content }) => `<|${role}|>\n${content}</s>\n`).join('')}<|assistant|>\n`,
};
