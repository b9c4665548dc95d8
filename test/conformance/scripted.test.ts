import { scripted, type ScriptedReply } from 'rkllm/testing';
import type { AnswerKind } from './harness.js';
import { describeBackend } from './suite.js';

const bytesOf = (text: string): { text: Uint8Array }[] =>
  Array.from(new TextEncoder().encode(text), (byte) => ({ text: Uint8Array.of(byte) }));

const replies: Record<AnswerKind, ScriptedReply> = {
  short: 'This answer has seven tokens, exactly seven.',
  long: Array.from({ length: 200 }, (_, index) => ` word${index}`),
  unicode: ['At ', ...bytesOf('80 °C 🙂'), ' and é'],
};

describeBackend('scripted', (kind) => ({
  options: { backend: scripted({ reply: replies[kind] }) },
  question: 'How are you?',
}));
