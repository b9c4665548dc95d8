import { hermes, type PlainMessage } from '../tools/dialect.js';
import { withoutReasoning, type Family } from './family.js';

function turn({ role, content }: PlainMessage): string {
  return `<|im_start|>${role}\n${content}<|im_end|>\n`;
}

const opening = '<|im_start|>assistant\n';

function turns(messages: readonly PlainMessage[]): string {
  return messages.map(turn).join('') + opening;
}

const common = {
  turnEnd: '<|im_end|>',
  otherEnds: ['<|endoftext|>', '<|im_start|>'],
  controlTokens: ['<s>', '</s>', '<unk>'],
} as const;

/** ChatML as it is, without a default system message: MiniCPM 3 and 4, and many others. */
export const chatml: Family = {
  ...common,
  name: 'chatml',
  toolDialect: hermes,
  write: turns,
};

/** Qwen 1.5 and 2, which were trained on no one format of calls. */
export const qwen2: Family = {
  ...common,
  name: 'qwen2',
  defaultSystem: 'You are a helpful assistant.',
  write: turns,
};

/** Qwen 2.5. */
export const qwen25: Family = {
  ...chatml,
  name: 'qwen2.5',
  defaultSystem: 'You are Qwen, created by Alibaba Cloud. You are a helpful assistant.',
};

/** Qwen 3: it thinks first unless it is given an empty reasoning. Earlier reasoning is left out. */
export const qwen3: Family = {
  ...common,
  name: 'qwen3',
  toolDialect: hermes,
  switchesThinking: true,
  write: (messages, { thinking }) => {
    const written = messages.map((message) => turn(message.role === 'assistant' ? withoutThoughts(message) : message));
    return written.join('') + opening + (thinking === false ? '<think>\n\n</think>\n\n' : '');
  },
};

function withoutThoughts({ role, content }: PlainMessage): PlainMessage {
  return content.includes('</think>')
    ? { role, content: withoutReasoning(content).replace(/^\n+/u, '') }
    : { role, content };
}

/** InternLM 2 and 2.5: ChatML behind a beginning of text. */
export const internlm2: Family = {
  ...common,
  write: turns,
  name: 'internlm2',
  bos: '<s>',
  otherEnds: ['</s>', '<|im_start|>'],
};
