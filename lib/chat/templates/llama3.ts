import { llamaJson, type PlainMessage } from '../tools/dialect.js';
import { splitSystem, type Family } from './family.js';

function turn(role: string, content: string): string {
  return `<|start_header_id|>${role}<|end_header_id|>\n\n${content.trim()}<|eot_id|>`;
}

function conversation(messages: readonly PlainMessage[]): string {
  const turns = messages.map(({ role, content }) => turn(role, content));
  return `${turns.join('')}<|start_header_id|>assistant<|end_header_id|>\n\n`;
}

/** Llama 3. It trims every message. */
export const llama3: Family = {
  name: 'llama3',
  bos: '<|begin_of_text|>',
  turnEnd: '<|eot_id|>',
  otherEnds: ['<|end_of_text|>', '<|eom_id|>', '<|start_header_id|>'],
  controlTokens: [],
  write: conversation,
};

/**
 * Llama 3.1 to 3.3, whose system message begins with dates. That of today is the one that the models' own template has
 * where it knows no other, so that prompts do not change at midnight.
 */
export const llama31: Family = {
  ...llama3,
  name: 'llama3.1',
  toolDialect: llamaJson,
  write: (messages, { tools = [] }) => {
    const { system = '', others } = splitSystem(messages);
    const environment = tools.length === 0 ? '' : 'Environment: ipython\n';
    const dates = 'Cutting Knowledge Date: December 2023\nToday Date: 26 Jul 2024\n\n';
    // Not trimmed as a whole: without a text the line breaks stay.
    const first = `<|start_header_id|>system<|end_header_id|>\n\n${environment}${dates}${system.trim()}<|eot_id|>`;
    return first + conversation(others);
  },
};
