import { refuseUnlessAlternating, splitSystem, type Family } from './family.js';

/**
 * Gemma 1 to 3. It trims every message, knows no system message (what it is told first joins the first message of the
 * user, as Gemma 3's own template has it) and takes messages of user and assistant in turn only.
 */
export const gemma: Family = {
  name: 'gemma',
  bos: '<bos>',
  turnEnd: '<end_of_turn>',
  otherEnds: ['<eos>', '<start_of_turn>'],
  controlTokens: [
    ...['<bos>', '<eos>', '<pad>', '<unk>', '<mask>', '<start_of_turn>', '<end_of_turn>'],
    ...['<start_of_image>', '<end_of_image>', '<image_soft_token>'],
  ],
  write: (messages) => {
    const { system, others } = splitSystem(messages);
    refuseUnlessAlternating('gemma', others);
    const turns = others.map(({ role, content }, index) => {
      const told = index === 0 && system !== undefined ? `${system}\n\n` : '';
      return `<start_of_turn>${role === 'assistant' ? 'model' : role}\n${told}${content.trim()}<end_of_turn>\n`;
    });
    return `${turns.join('')}<start_of_turn>model\n`;
  },
};
