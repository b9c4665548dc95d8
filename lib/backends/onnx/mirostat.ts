import { topTokens } from './candidates.js';
import { draw, notNumbers, weigh, type Drawn } from './draw.js';
import { totalWeight, weight } from './weights.js';

/** How Mirostat is set. */
export interface MirostatSettings {
  readonly version: 1 | 2;
  /** The surprise that is aimed at, in bits. */
  readonly tau: number;
  /** How much of the last error is corrected. */
  readonly eta: number;
}

/** Tokens whose falling probabilities version 1 looks at. */
const observed = 100;

/**
 * Mirostat (Basu et al., 2021) holds the surprise of an answer's tokens near a target: it keeps as many of the most likely tokens as
 * the target needs, and corrects the bound by the surprise of what was drawn. Version 1 finds the number of tokens from an
 * estimate of how fast their probabilities fall, version 2 leaves out the tokens whose surprise is above the bound.
 */
export class Mirostat {
  readonly #settings: MirostatSettings;
  readonly #random: () => number;
  /** The bound of the surprise, in bits. */
  #bound: number;

  constructor(settings: MirostatSettings, random: () => number) {
    this.#settings = settings;
    this.#random = random;
    this.#bound = 2 * settings.tau;
  }

  /** @param max - the largest of the logits. */
  next(logits: Float32Array, max: number, temperature: number): number {
    const ids =
      this.#settings.version === 1
        ? this.#mostLikely(logits, max, temperature)
        : this.#withinBound(logits, max, temperature);
    const drawn: Drawn = draw(this.#random, ids, weigh(ids, logits, max, temperature), Infinity);
    this.#bound -= this.#settings.eta * (-Math.log2(drawn.share) - this.#settings.tau);
    return drawn.id;
  }

  #mostLikely(logits: Float32Array, max: number, temperature: number): Uint32Array {
    const slope = zipfExponent(logits, max, temperature);
    const excess = slope - 1;
    // The estimate has no value for a slope of exactly 1; next to it, it has the limit.
    const near = Math.abs(excess) < 1e-6 ? 1e-6 : excess;
    const count = ((near * 2 ** this.#bound) / (1 - logits.length ** -near)) ** (1 / slope);
    const k = Number.isNaN(count) ? 1 : Math.min(logits.length, Math.max(1, Math.round(count)));
    return topTokens(logits, k);
  }

  /** The most likely token, whose weight is 1, is always kept. */
  #withinBound(logits: Float32Array, max: number, temperature: number): Uint32Array {
    const total = totalWeight(logits, max, temperature);
    if (Number.isNaN(total)) throw notNumbers();
    const least = Math.min(1, total * 2 ** -this.#bound);
    const ids: number[] = [];
    for (let id = 0; id < logits.length; id++) {
      if (weight(logits[id] ?? NaN, max, temperature) >= least) ids.push(id);
    }
    return Uint32Array.from(ids);
  }
}

/** The exponent of the power law that fits the probabilities of the most likely tokens best, by least squares. */
function zipfExponent(logits: Float32Array, max: number, temperature: number): number {
  const weights = weigh(topTokens(logits, Math.min(observed, logits.length)), logits, max, temperature);
  let products = 0;
  let squares = 0;
  for (let i = 0; i + 1 < weights.length; i++) {
    const [one, next] = [weights[i] ?? 0, weights[i + 1] ?? 0];
    if (next === 0) break; // masked tokens
    const distance = Math.log((i + 2) / (i + 1));
    products += distance * Math.log(one / next);
    squares += distance * distance;
  }
  return squares === 0 ? Infinity : products / squares;
}
