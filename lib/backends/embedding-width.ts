import { RkllmError } from '../errors.js';
import type { RuntimeControls } from './runtime-controls.js';

/**
 * How many floats the vendor's runtime reads for each embedding. It is not told how many there are, so that others than
 * these would make it read beyond their end.
 *
 * @throws RkllmError `RKLLM_INVALID_INPUT` when it is not known.
 */
export function knownEmbeddingWidth(runtime: Pick<RuntimeControls, 'embeddingWidth'> | undefined): number {
  const width = runtime?.embeddingWidth;
  if (width !== undefined) return width;
  throw new RkllmError('RKLLM_INVALID_INPUT', "The width of the model's embeddings is not known.", {
    hint:
      'Load the model with { embeddingWidth }, its hidden size (3072 for Phi-3-mini), or let it show: ' +
      "await model.runtime.hiddenStates({ prompt: 'a' }).",
  });
}
