import { OnnxGraph } from './onnx-writer.js';
import type { FloatWriter } from './phi3-floats.js';
import type { Phi3Config } from './phi3-weights.js';

/** LongRoPE: one factor for each pair of a head's columns, for short texts and for long ones. */
export interface LongRope {
  /** Texts of more tokens than this are long. */
  readonly threshold: number;
  readonly shortFactor: readonly number[];
  readonly longFactor: readonly number[];
  /** All cosines and sines are multiplied by it. */
  readonly scale: number;
}

/** What transformers computes it from. */
export function longRopeScale(contextLength: number, threshold: number): number {
  return Math.sqrt(1 + Math.log(contextLength / threshold) / Math.log(threshold));
}

/** Adds `cos_cache` and `sin_cache`, `[tokens, head size / 2]`; by the length of the mask where there are two sets. */
export function addRopeTables(
  graph: OnnxGraph,
  config: Phi3Config,
  floats: FloatWriter,
  longRope: LongRope | undefined,
  totalLength: string,
): void {
  const tokens = config.contextLength;
  const dims = [tokens, config.headSize / 2];
  if (longRope === undefined) {
    graph.initializer('cos_cache', floats.format, dims, floats.bits(ropeTable(config, tokens, Math.cos)));
    graph.initializer('sin_cache', floats.format, dims, floats.bits(ropeTable(config, tokens, Math.sin)));
    return;
  }
  const { threshold, shortFactor, longFactor, scale } = longRope;
  graph.initializer('rope_threshold', 'int64', [], BigInt64Array.of(BigInt(threshold)));
  graph.node('Greater', [totalLength, 'rope_threshold'], ['is_long']);
  const branch = (name: string, length: number, factors: readonly number[]): OnnxGraph => {
    const inner = new OnnxGraph();
    for (const [table, wave] of [
      ['cos', Math.cos],
      ['sin', Math.sin],
    ] as const) {
      const data = floats.bits(ropeTable(config, length, wave, factors, scale));
      const value = { tensor: { type: floats.format, dims: [length, config.headSize / 2], data } };
      inner.node('Constant', [], [`${table}_cache_${name}`], { value });
      inner.output(`${table}_cache_${name}`, floats.format, [length, config.headSize / 2]);
    }
    return inner;
  };
  graph.node('If', ['is_long'], ['cos_cache', 'sin_cache'], {
    then_branch: { graph: branch('long', tokens, longFactor) },
    else_branch: { graph: branch('short', threshold, shortFactor) },
  });
}

function ropeTable(
  { headSize, ropeTheta }: Phi3Config,
  tokens: number,
  wave: (angle: number) => number,
  factors: readonly number[] = [],
  scale = 1,
): Float32Array {
  const half = headSize / 2;
  return Float32Array.from({ length: tokens * half }, (_, i) => {
    const frequency = ropeTheta ** (-(2 * (i % half)) / headSize) / (factors[i % half] ?? 1);
    return scale * wave(Math.floor(i / half) * frequency);
  });
}
