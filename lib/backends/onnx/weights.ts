/** Steps and bins are powers of two, so that their numbers are bits of one integer. */
const stepsPerOctave = 256;
const stepsPerBin = 64;
/** Weights below the smallest positive number are 0. */
const octaves = 1075;

/** 2 to the power of minus whole numbers, and of minus parts of one in steps. */
const powers = Float64Array.from({ length: octaves }, (_, i) => 2 ** -i);
const roots = Float64Array.from({ length: stepsPerOctave }, (_, i) => 2 ** (-i / stepsPerOctave));

/** The weight of a token: its probability is its share of the {@link totalWeight}. */
export function weight(logit: number, max: number, temperature: number): number {
  return Math.exp((logit - max) / temperature);
}

export function totalWeight(logits: Float32Array, max: number, temperature: number): number {
  return new WeightProfile(logits, max, temperature).total;
}

/** How much weight the tokens have together, and how it lies below the largest logit. */
export class WeightProfile {
  readonly total: number;
  readonly #temperature: number;
  /** By how far the logits are below the largest: each for a fourth of an octave of weights. */
  readonly #bins: Float64Array;

  constructor(logits: Float32Array, max: number, temperature: number) {
    this.#temperature = temperature;
    this.#bins = binWeights(logits, max, temperature);
    this.total = this.#bins.reduce((sum, mass) => sum + mass, 0);
  }

  /** How far below the largest logit it takes to go to have tokens of the weight `wanted`; at most a bin further. */
  depthOf(wanted: number): number {
    let mass = 0;
    for (let bin = 0; bin < this.#bins.length; bin++) {
      mass += this.#bins[bin] ?? 0;
      // A little more, for the rounding of what lies at the edge.
      if (mass >= wanted) return ((bin + 1.001) * stepsPerBin * Math.LN2 * this.#temperature) / stepsPerOctave;
    }
    return Infinity;
  }
}

/**
 * Weights from tables and a short series, as exact as those of `Math.exp` at less than half of its time: the series is for
 * less than a step, where its fifth term is smaller than the last digit.
 */
function binWeights(logits: Float32Array, max: number, temperature: number): Float64Array {
  const bins = new Float64Array(Math.ceil((octaves * stepsPerOctave) / stepsPerBin));
  // Finite, so that next to no temperature leaves the largest logit its weight.
  const stepsPerUnit = Math.min(stepsPerOctave / (Math.LN2 * temperature), Number.MAX_VALUE);
  let id = logits.length;
  while (id-- > 0) {
    const steps = (max - (logits[id] ?? NaN)) * stepsPerUnit;
    if (steps < octaves * stepsPerOctave) {
      const step = steps | 0;
      const rest = (steps - step) * (Math.LN2 / stepsPerOctave);
      const series = 1 - rest * (1 - rest * (1 / 2 - rest * (1 / 6 - rest * (1 / 24))));
      const scale = (powers[step >> 8] ?? 0) * (roots[step & 255] ?? 0);
      bins[step >> 6] = (bins[step >> 6] ?? 0) + scale * series;
    } else if (Number.isNaN(steps)) bins[0] = NaN;
  }
  return bins;
}
