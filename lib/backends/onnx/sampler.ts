import { argmax, nucleus, topTokens } from './candidates.js';
import { draw, notNumbers, weigh } from './draw.js';
import { Mirostat } from './mirostat.js';
import { seededRandom } from './random.js';
import type { SamplerSettings } from './sampling-settings.js';
import { totalWeight, weight } from './weights.js';

/** Chooses the tokens of one run: penalties, then temperature, then top-k, then top-p among what is left; or
 * Mirostat in place of both. */
export class Sampler {
  readonly #settings: SamplerSettings;
  readonly #random: () => number;
  readonly #mirostat: Mirostat | undefined;
  /** Ids of the prompt and the output, each once, in the order of their first occurrence. */
  readonly #seen = new Set<number>();
  /** How often each id was generated. */
  readonly #generated = new Map<number, number>();

  constructor(settings: SamplerSettings, prompt: Int32Array) {
    this.#settings = settings;
    this.#random = seededRandom(settings.seed);
    this.#mirostat = settings.mirostat && new Mirostat(settings.mirostat, this.#random);
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
    if (temperature === 0) return best;
    if (this.#mirostat !== undefined) return this.#mirostat.next(logits, max, temperature);
    if (topK === 1) return best;
    if (topK > 0 && topK < logits.length) {
      const ids = topTokens(logits, topK);
      const weights = weigh(ids, logits, max, temperature);
      return draw(this.#random, ids, weights, topP * weights.reduce((sum, weight) => sum + weight, 0)).id;
    }
    if (topP < 1) {
      const { ids, wanted } = nucleus(logits, max, temperature, topP);
      return draw(this.#random, ids, weigh(ids, logits, max, temperature), wanted).id;
    }
    return this.#drawFromAll(logits, max, temperature);
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
