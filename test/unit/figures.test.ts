import type { FinishReason, ModelInfo } from 'rkllm';
import { figuresLine } from '../../lib/cli/figures.js';
import { timingsOf, usageOf } from '../../lib/usage.js';
import { endOf } from '../support/manual-backend.js';

const info: ModelInfo = {
  backend: 'onnx',
  name: 'tiny-phi3',
  path: '/models/tiny-phi3',
  embedded: true,
  substituteFor: undefined,
  contextLength: 512,
  quantization: 'int8',
  template: { name: 'phi3', source: 'model', file: undefined },
  pace: undefined,
  runtime: undefined,
};

function line(finishReason: FinishReason, known: boolean): string {
  const end = known ? endOf('eos', { promptTokens: 12, decodeMs: 100 }) : undefined;
  const usage = usageOf(end, known ? 21 : 0, false);
  const moments = known ? { called: 0, started: 5, firstToken: 42, lastToken: 142 } : { called: 0 };
  return figuresLine(info, { finishReason, usage, timings: timingsOf(moments, end, usage, 150) });
}

test('says what ran, how much, how fast and why it stopped', () => {
  expect(line('stop', true)).toBe(
    'onnx · tiny-phi3 · 12 prompt tokens · 21 output tokens · first token after 42 ms · 200 tokens/s · ' +
      'stopped because the answer was complete',
  );
});

test('leaves out what is not known', () => {
  expect(line('abort', false)).toBe('onnx · tiny-phi3 · 0 output tokens · stopped because it was interrupted');
});

test.each<[FinishReason, string]>([
  ['stop-sequence', 'a stop sequence came up'],
  ['length', 'the token limit was reached'],
  ['tool-calls', 'it wants tools to be called'],
])('%s: %s', (reason, words) => {
  expect(line(reason, true)).toContain(`stopped because ${words}`);
});
