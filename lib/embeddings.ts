import type { Matrix } from './backends/runtime-controls.js';
import { RkllmError } from './errors.js';
import { describe } from './options/describe.js';

/** Vectors of texts. */
export interface Embeddings {
  /** One for each text, in their order. */
  readonly vectors: readonly Float32Array[];
  /** Floats in each of them: the hidden size of the model. */
  readonly dimensions: number;
}

/** How a text's rows become its vector. */
export interface Pooling {
  readonly pooling: 'last' | 'mean';
  readonly normalize: boolean;
}

/** @throws RkllmError `RKLLM_INVALID_INPUT` or `RKLLM_EMPTY_PROMPT`. */
export function checkTexts(texts: unknown): readonly string[] {
  const list: unknown[] = Array.isArray(texts) ? Array.from<unknown>(texts) : [texts];
  for (const [index, text] of list.entries()) {
    if (typeof text !== 'string' || text.includes('\0')) throw invalid(`Text ${String(index)} is ${describe(text)}.`);
    if (text.trim() !== '') continue;
    throw new RkllmError('RKLLM_EMPTY_PROMPT', `embed(): text ${String(index)} is empty.`, {
      hint: 'Leave empty texts out: they have no vector.',
      details: { index },
    });
  }
  return list as string[];
}

/** @throws RkllmError `RKLLM_RUN_FAILED` for what is no vector, or one of another length than those before. */
export function toVector(
  { values, rows, columns }: Matrix,
  how: Pooling,
  before: Float32Array | undefined,
): Float32Array {
  if (rows < 1 || columns < 1 || values.length !== rows * columns) {
    throw wrongShape(`${String(values.length)} numbers for ${String(rows)} rows of ${String(columns)}`);
  }
  if (before !== undefined && before.length !== columns) {
    throw wrongShape(`${String(columns)} numbers, and ${String(before.length)} for the text before`);
  }
  const vector = how.pooling === 'last' ? values.slice(-columns) : meanOf(values, rows, columns);
  const length = Math.sqrt(vector.reduce((sum, value) => sum + value * value, 0));
  if (!Number.isFinite(length)) throw wrongShape('values that are not numbers');
  return how.normalize && length > 0 ? vector.map((value) => value / length) : vector;
}

function meanOf(values: Float32Array, rows: number, columns: number): Float32Array {
  const sums = new Float64Array(columns);
  for (let row = 0; row < rows; row++) {
    for (let column = 0; column < columns; column++)
      sums[column] = (sums[column] ?? 0) + (values[row * columns + column] ?? 0);
  }
  return Float32Array.from(sums, (sum) => sum / rows);
}

function wrongShape(found: string): RkllmError {
  return new RkllmError('RKLLM_RUN_FAILED', `embed(): the model gave no vector that can be used: ${found}.`, {
    hint: 'Try another conversion of the model, or another release of the runtime.',
  });
}

function invalid(found: string): RkllmError {
  return new RkllmError('RKLLM_INVALID_INPUT', `embed() takes a text or a list of texts. ${found}`, {
    hint: "Pass 'a text' or ['a text', 'another one'], without U+0000.",
  });
}
