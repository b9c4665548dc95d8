import type { AnswerKind } from './harness.js';
import { describeBackend } from './suite.js';

/** What the embedded model was taught. */
const questions: Record<AnswerKind, string> = {
  short: 'What can you do?',
  long: 'Give me a full walkthrough',
  unicode: 'Can you write an emoji?',
};

describeBackend('onnx', (kind) => ({ options: { backend: 'onnx' }, question: questions[kind] }));
