import type { PlainMessage } from '../tools/dialect.js';
import { withoutReasoning, type Family } from './family.js';

/**
 * The models distilled from DeepSeek-R1. System messages come before everything else, without a marker. The prompt opens
 * the reasoning, and earlier reasoning is left out.
 */
export const deepseek: Family = {
  name: 'deepseek',
  bos: '<｜begin▁of▁sentence｜>',
  turnEnd: '<｜end▁of▁sentence｜>',
  otherEnds: ['<｜User｜>', '<｜Assistant｜>'],
  controlTokens: [],
  write: (messages) => {
    const system = messages.filter(({ role }) => role === 'system').map(({ content }) => content);
    const turns = messages.filter(({ role }) => role !== 'system').map(turn);
    return `${system.join('\n\n')}${turns.join('')}<｜Assistant｜><think>\n`;
  },
};

function turn({ role, content }: PlainMessage): string {
  return role === 'user' ? `<｜User｜>${content}` : `<｜Assistant｜>${withoutReasoning(content)}<｜end▁of▁sentence｜>`;
}
