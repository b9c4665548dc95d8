import type { BatchAnswer } from '../backends/runtime-controls.js';
import type { GenerationResult } from '../generation.js';
import type { GenerateFigures } from './channels.js';

/** What may be told of an answer: nothing of what it says, nor the stop sequence that ended it. */
export function figuresOf({ finishReason, usage, timings }: GenerationResult): GenerateFigures {
  return { finishReasons: [finishReason], usage, timings };
}

export function figuresOfBatch(answers: readonly BatchAnswer[]): GenerateFigures {
  return {
    finishReasons: answers.map(({ finishReason }) => finishReason),
    usage: {
      inputTokens: undefined,
      cachedInputTokens: undefined,
      computedInputTokens: undefined,
      outputTokens: answers.reduce((sum, { tokenIds }) => sum + tokenIds.length, 0),
      totalTokens: undefined,
    },
    timings: undefined,
  };
}
