import type { Answer } from './answer.js';
import type { RunEnd } from './backends/backend.js';
import type { FinishReason } from './generation.js';

/**
 * Why an answer is over.
 *
 * @param isStopped - from outside.
 * @param outputTokens - of the run that ended.
 */
export function finishReasonOf(
  answer: Answer,
  end: RunEnd | undefined,
  isStopped: boolean,
  contextLength: number,
  outputTokens: number,
): Exclude<FinishReason, 'tool-calls'> {
  if (answer.stopSequence !== undefined) return 'stop-sequence';
  if (answer.endedByModel) return 'stop';
  if (isStopped) return 'abort';
  if (end?.reason === 'eos') return 'stop';
  if (answer.reachedLimit) return 'length';
  if (end?.reason === 'aborted') return 'abort';
  return end?.reason === 'length' || filledContext(end, contextLength, outputTokens) ? 'length' : 'stop';
}

/**
 * An engine that got beyond its context has moved it on, so that was not what ended the answer. The last token need
 * not have been taken in.
 */
function filledContext(end: RunEnd | undefined, contextLength: number, outputTokens: number): boolean {
  if (end?.promptTokens === undefined) return false;
  const beyond = end.promptTokens + outputTokens - contextLength;
  return beyond === 0 || beyond === 1;
}
