import { refuseUnlessAlternating, splitSystem, type Family } from './family.js';

/**
 * MiniCPM 1 and 2; later ones are ChatML. It trims every message, and what it is told first stands before the first
 * user, without a marker. Answers have none either: messages of user and assistant come in turn only.
 */
export const minicpm: Family = {
  name: 'minicpm',
  bos: '<s>',
  turnEnd: '</s>',
  otherEnds: ['<用户>', '<AI>'],
  controlTokens: ['<s>', '</s>', '<unk>', '<用户>', '<AI>'],
  write: (messages) => {
    const { system = '', others } = splitSystem(messages);
    refuseUnlessAlternating('minicpm', others);
    const turns = others.map(({ role, content }) => (role === 'user' ? `<用户>${content.trim()}<AI>` : content.trim()));
    return system.trim() + turns.join('');
  },
};
