import type { FinishReason } from '../generation.js';
import type { ModelInfo } from '../model.js';
import type { Timings, Usage } from '../usage.js';

const endings: Readonly<Record<FinishReason, string>> = {
  stop: 'the answer was complete',
  'tool-calls': 'it wants tools to be called',
  'stop-sequence': 'a stop sequence came up',
  length: 'the token limit was reached',
  abort: 'it was interrupted',
};

/** One line that says what ran and how fast. Figures that are not known are left out. */
export function figuresLine(
  info: ModelInfo,
  { finishReason, usage, timings }: { finishReason: FinishReason; usage: Usage; timings: Timings },
): string {
  const { inputTokens, outputTokens } = usage;
  const { timeToFirstTokenMs, decodeTokensPerSecond } = timings;
  return [
    `${info.backend} · ${info.name}`,
    ...(inputTokens === undefined ? [] : [`${String(inputTokens)} prompt tokens`]),
    `${String(outputTokens)} output tokens`,
    ...(timeToFirstTokenMs === undefined ? [] : [`first token after ${timeToFirstTokenMs.toFixed(0)} ms`]),
    ...(decodeTokensPerSecond === undefined ? [] : [`${decodeTokensPerSecond.toFixed(0)} tokens/s`]),
    `stopped because ${endings[finishReason]}`,
  ].join(' · ');
}
