import { mulberry32 } from './random.js';

/** Shape of a Phi-3 decoder. */
export interface Phi3Config {
  readonly vocabularySize: number;
  readonly hiddenSize: number;
  readonly layers: number;
  readonly heads: number;
  readonly kvHeads: number;
  readonly headSize: number;
  readonly feedForwardSize: number;
  readonly contextLength: number;
  readonly ropeTheta: number;
  readonly normEpsilon: number;
}

/** Matrices are stored as PyTorch does: row-major `[outputs, inputs]`. */
export interface Phi3LayerWeights {
  readonly inputNorm: Float32Array;
  /** Rows of the query heads, then the key heads, then the value heads. */
  readonly qkv: Float32Array;
  readonly attentionOutput: Float32Array;
  readonly postAttentionNorm: Float32Array;
  readonly gate: Float32Array;
  readonly up: Float32Array;
  readonly down: Float32Array;
}

export interface Phi3Weights {
  readonly embedding: Float32Array;
  readonly layers: readonly Phi3LayerWeights[];
  readonly finalNorm: Float32Array;
  /** `[vocabulary, hidden]`; the embedding itself when the head is tied. */
  readonly head: Float32Array;
}

/**
 * Random weights that make varied text.
 *
 * @param mutedTokenIds - tokens whose logit is always 0, so that they are never the most likely one.
 */
export function randomWeights(config: Phi3Config, seed: number, mutedTokenIds: readonly number[] = []): Phi3Weights {
  const { hiddenSize, headSize, feedForwardSize } = config;
  const random = mulberry32(seed);
  const matrix = (outputs: number, inputs: number, deviation = 1 / Math.sqrt(inputs)): Float32Array =>
    Float32Array.from({ length: outputs * inputs }, () => deviation * gaussian(random));
  const norm = (): Float32Array => Float32Array.from({ length: hiddenSize }, () => 0.95 + 0.1 * random());
  const head = matrix(config.vocabularySize, hiddenSize, 0.5);
  for (const id of mutedTokenIds) head.fill(0, id * hiddenSize, (id + 1) * hiddenSize);
  return {
    embedding: matrix(config.vocabularySize, hiddenSize, 0.5),
    layers: Array.from({ length: config.layers }, () => ({
      inputNorm: norm(),
      qkv: matrix((config.heads + 2 * config.kvHeads) * headSize, hiddenSize),
      attentionOutput: matrix(hiddenSize, config.heads * headSize),
      postAttentionNorm: norm(),
      gate: matrix(feedForwardSize, hiddenSize),
      up: matrix(feedForwardSize, hiddenSize),
      down: matrix(hiddenSize, feedForwardSize),
    })),
    finalNorm: norm(),
    head,
  };
}

function gaussian(random: () => number): number {
  return Math.sqrt(-2 * Math.log(1 - random())) * Math.cos(2 * Math.PI * random());
}
