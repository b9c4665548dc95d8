import type { JsonObject } from '../json-file.js';

/** Names of LongRoPE over the years. */
const longRope = new Set(['longrope', 'su']);

/**
 * Where a LongRoPE model changes its rotary factors.
 *
 * @param config - of transformers, as far as it came with the model.
 * @param otherwise - where no file states it; undefined: the model has no LongRoPE then.
 * @returns undefined when the context ends before.
 */
export function ropeThreshold(
  config: JsonObject | undefined,
  contextLength: number,
  otherwise: number | undefined,
): number | undefined {
  const threshold = statedThreshold(config) ?? otherwise;
  return threshold !== undefined && threshold < contextLength ? threshold : undefined;
}

/** Only Phi's configurations have it at the top; in a section it is also the start of factors that never change. */
function statedThreshold(config: JsonObject | undefined): number | undefined {
  const key = 'original_max_position_embeddings';
  const top = config?.integer(key, 1);
  if (top !== undefined) return top;
  const section = config?.object('rope_parameters') ?? config?.object('rope_scaling');
  const type = section?.string('rope_type') ?? section?.string('type');
  return type !== undefined && longRope.has(type) ? section?.integer(key, 1) : undefined;
}
