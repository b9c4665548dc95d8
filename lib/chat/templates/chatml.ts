import type { ChatMessage } from '../message.js';
import type { FamilyName } from './choice.js';
import { withoutReasoning, type Family } from './family.js';

function turn({ role, content }: ChatMessage): string {
  return `<|im_start|>${role}\n${content}<|im_end|>\n`;
}

const opening = '<|im_start|>assistant\n';

const common = {
  turnEnd: '<|im_end|>',
  otherEnds: ['<|endoftext|>', '<|im_start|>'],
  controlTokens: ['<s>', '</s>', '<unk>'],
} as const;

/** What is said to the model where nobody has said anything. */
function withDefaultSystem(name: FamilyName, system: string): Family {
  return {
    ...common,
    name,
    write: (messages) => {
      const told =
        messages[0]?.role === 'system' ? messages : [{ role: 'system', content: system } as const, ...messages];
      return told.map(turn).join('') + opening;
    },
  };
}

/** ChatML as it is, without a default system message: MiniCPM 3 and 4, and many others. */
export const chatml: Family = {
  ...common,
  name: 'chatml',
  write: (messages) => messages.map(turn).join('') + opening,
};

/** Qwen 1.5 and 2. */
export const qwen2 = withDefaultSystem('qwen2', 'You are a helpful assistant.');

/** Qwen 2.5. */
export const qwen25 = withDefaultSystem(
  'qwen2.5',
  'You are Qwen, created by Alibaba Cloud. You are a helpful assistant.',
);

/** Qwen 3: it thinks first unless it is given an empty reasoning. Earlier reasoning is left out. */
export const qwen3: Family = {
  ...common,
  name: 'qwen3',
  switchesThinking: true,
  write: (messages, { thinking }) => {
    const turns = messages.map((message) => turn(message.role === 'assistant' ? withoutThoughts(message) : message));
    return turns.join('') + opening + (thinking === false ? '<think>\n\n</think>\n\n' : '');
  },
};

function withoutThoughts({ role, content }: ChatMessage): ChatMessage {
  return content.includes('</think>')
    ? { role, content: withoutReasoning(content).replace(/^\n+/u, '') }
    : { role, content };
}

/** InternLM 2 and 2.5: ChatML behind a beginning of text. */
export const internlm2: Family = {
  ...chatml,
  name: 'internlm2',
  bos: '<s>',
  otherEnds: ['</s>', '<|im_start|>'],
};
