import type { RkllmErrorInit } from '../errors.js';
import { RkllmError } from '../errors.js';
import type { FinishReason } from '../generation.js';
import { validateJson, type JsonSchema } from './validate.js';

/** What an answer says as JSON: its value, or what is wrong with it. */
export type ReadJson =
  | { readonly isValid: true; readonly text: string; readonly value: unknown }
  | { readonly isValid: false; readonly problems: readonly string[] };

/** White space is read in one way only: an answer that is nothing else behind its fence must not take for ever. */
const fence = /```(?:[^\S\n]*json)?(.*?)```/isu;

/** Reads an answer. What models put around JSON is left out: a fence of code, or words before and after it. */
export function readJson(schema: JsonSchema, answer: string): ReadJson {
  let problem = 'The answer is empty.';
  for (const text of candidatesIn(answer)) {
    let value: unknown;
    try {
      value = JSON.parse(text);
    } catch (error) {
      problem = `The answer is not JSON: ${error instanceof Error ? error.message : String(error)}`;
      continue;
    }
    const problems = validateJson(schema, value);
    return problems.length === 0 ? { isValid: true, text, value } : { isValid: false, problems };
  }
  return { isValid: false, problems: [problem] };
}

/** The texts that may be meant, best first. */
function* candidatesIn(answer: string): Generator<string> {
  const whole = answer.trim();
  if (whole === '') return;
  yield whole;
  const fenced = fence.exec(answer)?.[1]?.trim();
  if (fenced !== undefined && fenced !== '') yield fenced;
  for (const [open, close] of ['{}', '[]']) {
    const from = whole.indexOf(open ?? '');
    const to = whole.lastIndexOf(close ?? '');
    if (from >= 0 && to > from) yield whole.slice(from, to + 1);
  }
}

/** The value of an answer, or why it has none. */
export type JsonReader = (
  text: string,
  finishReason: FinishReason,
) => { readonly value?: unknown; readonly error?: RkllmError };

/** For answers that are held to the schema while they are written: an engine that has not done so is found out. */
export function jsonReader(schema: JsonSchema): JsonReader {
  return (text, finishReason) => {
    if (finishReason === 'abort') return {};
    const read = readJson(schema, text);
    if (read.isValid) return { value: read.value };
    return { error: responseInvalid(text, read.problems, 1, finishReason) };
  };
}

export function responseInvalid(
  text: string,
  problems: readonly string[],
  attempts: number,
  finishReason: FinishReason,
): RkllmError {
  const wasCut = finishReason === 'length';
  const init: RkllmErrorInit = {
    hint: wasCut
      ? 'Raise maxNewTokens, or ask for less.'
      : 'details.text has the answer and details.problems what is wrong with it. A simpler schema, or a larger model, helps.',
    details: { text, problems, attempts, finishReason },
  };
  // The answer's words stay out of the message, which may be logged.
  const why = wasCut ? 'was cut off by its limit' : 'is not what responseFormat asks for';
  return new RkllmError('RKLLM_RESPONSE_INVALID', `The answer ${why} (answers: ${String(attempts)}).`, init);
}
