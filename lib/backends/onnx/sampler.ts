import { RkllmError } from '../../errors.js';
import { argmax, nucleus, topTokens, totalWeight, weight } from './candidates.js';
import { seededRandom } from './random.js';
import type { SamplerSettings } from './sampling-settings.js';

/** Chooses the tokens of one run: penalties, then temperature, then top-k, then top-p among what is left. */
export class Sampler {
  readonly #settings: SamplerSettings;
  readonly #random: () => number;
  /** Ids of the prompt and the output, each once, in the order of their first occurrence. */
  readonly #seen = new Set<number>();
  /** How often each id was generated. */
  readonly #generated = new Map<number, number>();

  constructor(settings: SamplerSettings, prompt: Int32Array) {
    this.#settings = settings;
    this.#random = seededRandom(settings.seed);
    if (settings.repeatPenalty !== 1) for (const id of prompt) this.#seen.add(id);
  }

  /** @param logits - of all tokens; penalties are applied in place. */
  next(logits: Float32Array): number {
    this.#penalize(logits);
    const id = this.#choose(logits);
    if (this.#settings.repeatPenalty !== 1) this.#seen.add(id);
    if (this.#settings.frequencyPenalty !== 0 || this.#settings.presencePenalty !== 0) {
      this.#generated.set(id, (this.#generated.get(id) ?? 0) + 1);
    }
    return id;
  }

  #penalize(logits: Float32Array): void {
    const { repeatPenalty, frequencyPenalty, presencePenalty } = this.#settings;
    for (const id of this.#seen) {
      const value = logits[id];
      if (value !== undefined) logits[id] = value > 0 ? value / repeatPenalty : value * repeatPenalty;
    }
    for (const [id, count] of this.#generated) {
      const value = logits[id];
      if (value !== undefined) logits[id] = value - frequencyPenalty * count - presencePenalty;
    }
  }

  #choose(logits: Float32Array): number {
    const { temperature, topK, topP } = this.#settings;
    const best = argmax(logits);
    const max = logits[best];
    if (max === undefined || max === Infinity) throw notNumbers();
    if (temperature === 0 || topK === 1) return best;
    if (topK > 0 && topK < logits.length) {
      const ids = topTokens(logits, topK);
      const weights = weigh(ids, logits, max, temperature);
      return this.#draw(ids, weights, topP * weights.reduce((sum, weight) => sum + weight, 0));
    }
    if (topP < 1) {
      const total = totalWeight(logits, max, temperature);
      const ids = nucleus(logits, max, temperature, topP * total);
      return this.#draw(ids, weigh(ids, logits, max, temperature), topP * total);
    }
    return this.#drawFromAll(logits, max, temperature);
  }

  /**
   * Draws by weight from the most likely tokens: as many as it takes to reach the weight `wanted`, and at least one.
   *
   * @param ids - most likely first, in the order of `weights`.
   */
  #draw(ids: Uint32Array, weights: Float64Array, wanted: number): number {
    let kept = 0;
    let mass = 0;
    while (kept < weights.length && (kept === 0 || mass < wanted)) {
      mass += weights[kept] ?? 0;
      kept++;
    }
    if (Number.isNaN(mass + wanted)) throw notNumbers();
    let rest = this.#random() * mass;
    let chosen = 0;
    for (let i = 0; i < kept && rest >= 0; i++) {
      const share = weights[i] ?? 0;
      if (share > 0) chosen = ids[i] ?? 0; // rounding may leave a rest after the last one
      rest -= share;
    }
    return chosen;
  }

  /** Draws by weight from all tokens. Two passes over the vocabulary are cheaper than keeping the weights. */
  #drawFromAll(logits: Float32Array, max: number, temperature: number): number {
    const mass = totalWeight(logits, max, temperature);
    if (Number.isNaN(mass)) throw notNumbers();
    let rest = this.#random() * mass;
    let chosen = 0;
    for (let id = 0; id < logits.length && rest >= 0; id++) {
      const share = weight(logits[id] ?? NaN, max, temperature);
      if (share > 0) chosen = id;
      rest -= share;
    }
    return chosen;
  }
}

function weigh(ids: Uint32Array, logits: Float32Array, max: number, temperature: number): Float64Array {
  const weights = new Float64Array(ids.length);
  for (const [i, id] of ids.entries()) weights[i] = weight(logits[id] ?? NaN, max, temperature);
  return weights;
}

function notNumbers(): RkllmError {
  return new RkllmError('RKLLM_RUN_FAILED', 'The model computed values that are not numbers.', {
    hint: 'The weights of the model are damaged, or its format computes wrongly on this CPU: try another export of it.',
  });
}
