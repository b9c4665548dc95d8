import { RkllmError } from '../errors.js';
import type { RuntimeControls } from './runtime-controls.js';

/**
 * The vendor's runtime reads as many floats for each embedding as its model is wide, and is not told how many there are:
 * with fewer it would read beyond their end.
 *
 * @throws RkllmError `RKLLM_INVALID_INPUT`.
 */
export function checkEmbeddings(
  { embeddings, tokens }: { readonly embeddings: Float32Array; readonly tokens: number },
  runtime: Pick<RuntimeControls, 'embeddingWidth'> | undefined,
): void {
  const width = knownEmbeddingWidth(runtime);
  if (embeddings.length === tokens * width) return;
  throw new RkllmError(
    'RKLLM_INVALID_INPUT',
    `${embeddings.length} values are not ${tokens} embeddings of ${width} each.`,
    { hint: "Give as many values as tokens times the model's embedding width.", details: { width } },
  );
}

/** @throws RkllmError `RKLLM_INVALID_INPUT` when it is not known. */
export function knownEmbeddingWidth(runtime: Pick<RuntimeControls, 'embeddingWidth'> | undefined): number {
  const width = runtime?.embeddingWidth;
  if (width !== undefined) return width;
  throw new RkllmError('RKLLM_INVALID_INPUT', "The width of the model's embeddings is not known.", {
    hint:
      'Load the model with { embeddingWidth }, its hidden size (3072 for Phi-3-mini), or let it show: ' +
      "await model.runtime.hiddenStates({ prompt: 'a' }).",
  });
}
