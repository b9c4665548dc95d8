import { RkllmError } from '../../errors.js';
import { weight } from './weights.js';

/** A drawn token, and its share of those that it was drawn from. */
export interface Drawn {
  readonly id: number;
  readonly share: number;
}

/**
 * Draws by weight from the most likely tokens: as many as it takes to reach the weight `wanted`, and at least one.
 *
 * @param ids - most likely first, in the order of `weights`.
 * @param wanted - Infinity: all of them.
 */
export function draw(random: () => number, ids: Uint32Array, weights: Float64Array, wanted: number): Drawn {
  let kept = 0;
  let mass = 0;
  while (kept < weights.length && (kept === 0 || mass < wanted)) {
    mass += weights[kept] ?? 0;
    kept++;
  }
  if (Number.isNaN(mass + wanted)) throw notNumbers();
  let rest = random() * mass;
  let chosen = 0;
  for (let i = 0; i < kept && rest >= 0; i++) {
    const share = weights[i] ?? 0;
    if (share > 0) chosen = i; // rounding may leave a rest after the last one
    rest -= share;
  }
  return { id: ids[chosen] ?? 0, share: (weights[chosen] ?? 0) / mass };
}

export function weigh(ids: Uint32Array, logits: Float32Array, max: number, temperature: number): Float64Array {
  const weights = new Float64Array(ids.length);
  for (let i = 0; i < ids.length; i++) weights[i] = weight(logits[ids[i] ?? 0] ?? NaN, max, temperature);
  return weights;
}

export function notNumbers(): RkllmError {
  return new RkllmError('RKLLM_RUN_FAILED', 'The model computed values that are not numbers.', {
    hint: 'The weights of the model are damaged, or its format computes wrongly on this CPU: try another export of it.',
  });
}
