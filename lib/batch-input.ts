import { checkEmbeddings } from './backends/embedding-width.js';
import type { RuntimeControls, RuntimeInput } from './backends/runtime-controls.js';
import { RkllmError } from './errors.js';
import { describe } from './options/describe.js';
import { isFloats, isTokenIdArray } from './options/shapes.js';

/**
 * Checks the prompts of a batch and copies them: what they are made of is the caller's, and they may wait.
 *
 * @throws RkllmError `RKLLM_INVALID_INPUT`.
 */
export function toBatchRows(
  inputs: unknown,
  batchSize: number,
  runtime: RuntimeControls | undefined,
): readonly RuntimeInput[] {
  if (!Array.isArray(inputs)) throw invalid(`The inputs are ${describe(inputs)}, not a list.`);
  if (inputs.length !== batchSize) {
    throw new RkllmError(
      'RKLLM_INVALID_INPUT',
      `A batch of this model has ${String(batchSize)} inputs, not ${String(inputs.length)}.`,
      {
        hint: 'Pass as many as the model was loaded for with batchSize, or load it with another one.',
        details: { batchSize, inputs: inputs.length },
      },
    );
  }
  // Array.from: map() would skip the holes of a sparse array.
  const rows = Array.from<unknown, RuntimeInput>(inputs, (input, row) => toRuntimeInput(input, `Input ${String(row)}`));
  for (const row of rows) if ('embeddings' in row) checkEmbeddings(row, runtime);
  return rows;
}

/**
 * Checks what the runtime is to compute from, and copies it.
 *
 * @param where - what it is, for messages.
 * @throws RkllmError `RKLLM_INVALID_INPUT`.
 */
export function toRuntimeInput(input: unknown, where: string): RuntimeInput {
  if (typeof input !== 'object' || input === null) throw invalid(`${where} is ${describe(input)}.`);
  const { prompt, tokenIds, embeddings, tokens, ...others } = input as Record<string, unknown>;
  const kinds = [prompt, tokenIds, embeddings].filter((value) => value !== undefined).length;
  const [other] = Object.keys(others);
  if (other !== undefined) throw invalid(`${where} has ${describe(other)}.`);
  if (kinds !== 1) throw invalid(`${where} has ${kinds === 0 ? 'no prompt' : 'several prompts'}.`);
  if (prompt !== undefined) {
    if (typeof prompt === 'string' && prompt !== '' && !prompt.includes('\0')) return { prompt };
    throw invalid(`prompt of ${where} is ${describe(prompt)}.`);
  }
  if (tokenIds !== undefined) {
    if (isTokenIdArray(tokenIds) && tokenIds.length > 0 && tokenIds.every((id) => id >= 0))
      return { tokenIds: Int32Array.from(tokenIds) };
    throw invalid(`tokenIds of ${where} is ${describe(tokenIds)}.`);
  }
  const isWhole = typeof tokens === 'number' && Number.isSafeInteger(tokens) && tokens > 0;
  if (isFloats(embeddings) && isWhole) return { embeddings: Float32Array.from(embeddings), tokens };
  throw invalid(`${where} has ${describe(embeddings)} for ${describe(tokens)} tokens.`);
}

function invalid(found: string): RkllmError {
  return new RkllmError('RKLLM_INVALID_INPUT', `The runtime cannot compute from this. ${found}`, {
    hint:
      'An input is { prompt: a text without U+0000 }, { tokenIds: an Int32Array of ids from 0 } or { embeddings: a ' +
      'Float32Array, tokens: how many vectors it holds }.',
  });
}
