import { OnnxGraph } from './onnx-writer.js';
import { quantizeBlocks, quantizeRows } from './quantize.js';
import type { Phi3Config, Phi3Weights } from './phi3-weights.js';

/** How the matrices are stored. The quantized forms use MatMulNBits with 8-bit arithmetic. */
export type WeightFormat = 'fp32' | 'int8' | 'int4';

/** Names of the graph's inputs and outputs; `%d` is the layer. */
export interface Phi3Names {
  readonly inputIds: string;
  readonly attentionMask: string;
  readonly logits: string;
  readonly pastKey: string;
  readonly pastValue: string;
  readonly presentKey: string;
  readonly presentValue: string;
}

/** What onnxruntime-genai's model builder calls them. */
export const defaultNames: Phi3Names = {
  inputIds: 'input_ids',
  attentionMask: 'attention_mask',
  logits: 'logits',
  pastKey: 'past_key_values.%d.key',
  pastValue: 'past_key_values.%d.value',
  presentKey: 'present.%d.key',
  presentValue: 'present.%d.value',
};

export interface Phi3GraphOptions {
  readonly format?: WeightFormat;
  readonly names?: Phi3Names;
  /** Name of the file that takes the large tensors; undefined: all in the model file. */
  readonly externalFile?: string | undefined;
}

const blockSize = 32;
const microsoft = 'com.microsoft';

/** Builds the decoder as onnxruntime-genai's model builder does for the CPU: GroupQueryAttention with RoPE inside. */
export function buildPhi3(
  config: Phi3Config,
  weights: Phi3Weights,
  options: Phi3GraphOptions = {},
): { readonly model: Uint8Array; readonly external: Uint8Array | undefined } {
  const names = options.names ?? defaultNames;
  const graph = new OnnxGraph(options.externalFile);
  const builder = new Phi3Builder(graph, config, options.format ?? 'fp32', names);
  builder.declare();
  let { output, residual } = builder.embed(weights);
  weights.layers.forEach((layer, i) => {
    const next = weights.layers[i + 1]?.inputNorm ?? weights.finalNorm;
    ({ output, residual } = builder.layer(i, layer, next, output, residual));
  });
  builder.project('lm_head', output, weights.head, config.vocabularySize, config.hiddenSize, names.logits);
  return graph.finish('rkllm-tools');
}

/** The running value of the decoder: what the next matmul reads, and the sum that skips it. */
interface Stream {
  readonly output: string;
  readonly residual: string;
}

class Phi3Builder {
  readonly #graph: OnnxGraph;
  readonly #config: Phi3Config;
  readonly #format: WeightFormat;
  readonly #names: Phi3Names;

  constructor(graph: OnnxGraph, config: Phi3Config, format: WeightFormat, names: Phi3Names) {
    this.#graph = graph;
    this.#config = config;
    this.#format = format;
    this.#names = names;
  }

  /** Inputs, outputs and what every layer shares: sequence lengths and RoPE tables. */
  declare(): void {
    const g = this.#graph;
    const { kvHeads, headSize, layers, vocabularySize } = this.#config;
    const names = this.#names;
    g.input(names.inputIds, 'int64', ['batch_size', 'sequence_length']);
    g.input(names.attentionMask, 'int64', ['batch_size', 'total_sequence_length']);
    g.output(names.logits, 'float32', ['batch_size', 'sequence_length', vocabularySize]);
    for (let i = 0; i < layers; i++) {
      for (const [past, present] of [
        [names.pastKey, names.presentKey],
        [names.pastValue, names.presentValue],
      ] as const) {
        g.input(layerName(past, i), 'float32', ['batch_size', kvHeads, 'past_sequence_length', headSize]);
        g.output(layerName(present, i), 'float32', ['batch_size', kvHeads, 'total_sequence_length', headSize]);
      }
    }
    g.initializer('one', 'int64', [1], BigInt64Array.of(1n));
    g.initializer('one_scalar', 'int64', [], BigInt64Array.of(1n));
    g.node('ReduceSum', [names.attentionMask, 'one'], ['mask_sum'], { keepdims: 0 });
    g.node('Sub', ['mask_sum', 'one'], ['last_position']);
    g.node('Cast', ['last_position'], ['seqlens_k'], { to: 6 });
    g.node('Shape', [names.attentionMask], ['mask_shape']);
    g.node('Gather', ['mask_shape', 'one_scalar'], ['total_length'], { axis: 0 });
    g.node('Cast', ['total_length'], ['total_seq_len'], { to: 6 });
    this.#ropeTable('cos_cache', Math.cos);
    this.#ropeTable('sin_cache', Math.sin);
  }

  embed(weights: Phi3Weights): Stream {
    const g = this.#graph;
    const { vocabularySize, hiddenSize, normEpsilon } = this.#config;
    let embedded: string;
    if (this.#format === 'fp32') {
      g.initializer('embedding', 'float32', [vocabularySize, hiddenSize], weights.embedding);
      embedded = g.node('Gather', ['embedding', this.#names.inputIds], ['embedded'], { axis: 0 });
    } else {
      const { values, scales } = quantizeRows(weights.embedding, vocabularySize, hiddenSize);
      g.initializer('embedding.values', 'int8', [vocabularySize, hiddenSize], values);
      g.initializer('embedding.scales', 'float32', [vocabularySize, 1], scales);
      g.node('Gather', ['embedding.values', this.#names.inputIds], ['embedding.row'], { axis: 0 });
      g.node('Gather', ['embedding.scales', this.#names.inputIds], ['embedding.scale'], { axis: 0 });
      g.node('Cast', ['embedding.row'], ['embedding.float'], { to: 1 });
      embedded = g.node('Mul', ['embedding.float', 'embedding.scale'], ['embedded']);
    }
    const first = weights.layers[0]?.inputNorm ?? weights.finalNorm;
    const norm = g.initializer('layers.0.input_norm', 'float32', [hiddenSize], first);
    const attributes = { axis: -1, epsilon: { float: normEpsilon }, stash_type: 1 };
    const output = g.node('SimplifiedLayerNormalization', [embedded, norm], ['layers.0.input'], attributes);
    return { output, residual: embedded };
  }

  /** @param nextNorm - the norm in front of what follows this layer, which one operator fuses with the sum. */
  layer(
    index: number,
    weights: Phi3Weights['layers'][number],
    nextNorm: Float32Array,
    input: string,
    residual: string,
  ): Stream {
    const g = this.#graph;
    const { hiddenSize, heads, kvHeads, headSize, feedForwardSize } = this.#config;
    const names = this.#names;
    const at = `layers.${index}`;
    const qkv = this.project(`${at}.qkv`, input, weights.qkv, (heads + 2 * kvHeads) * headSize, hiddenSize);
    const past = [layerName(names.pastKey, index), layerName(names.pastValue, index)];
    const attention = g.node(
      'GroupQueryAttention',
      [qkv, '', '', ...past, 'seqlens_k', 'total_seq_len', 'cos_cache', 'sin_cache'],
      [`${at}.attention`, layerName(names.presentKey, index), layerName(names.presentValue, index)],
      { num_heads: heads, kv_num_heads: kvHeads, do_rotary: 1, scale: { float: 1 / Math.sqrt(headSize) } },
      microsoft,
    );
    const mixed = this.project(
      `${at}.attention_output`,
      attention,
      weights.attentionOutput,
      hiddenSize,
      heads * headSize,
    );
    const middle = this.#addAndNorm(`${at}.post_attention`, residual, mixed, weights.postAttentionNorm);
    const gate = this.project(`${at}.gate`, middle.output, weights.gate, feedForwardSize, hiddenSize);
    const up = this.project(`${at}.up`, middle.output, weights.up, feedForwardSize, hiddenSize);
    g.node('Sigmoid', [gate], [`${at}.sigmoid`]);
    g.node('Mul', [gate, `${at}.sigmoid`], [`${at}.silu`]);
    const inner = g.node('Mul', [`${at}.silu`, up], [`${at}.inner`]);
    const down = this.project(`${at}.down`, inner, weights.down, hiddenSize, feedForwardSize);
    return this.#addAndNorm(`${at}.end`, middle.residual, down, nextNorm);
  }

  /** Multiplies by a `[outputs, inputs]` matrix in the chosen format. */
  project(
    name: string,
    input: string,
    matrix: Float32Array,
    outputs: number,
    inputs: number,
    result = `${name}.result`,
  ): string {
    const g = this.#graph;
    if (this.#format === 'fp32') {
      g.initializer(`${name}.weight`, 'float32', [inputs, outputs], transpose(matrix, outputs, inputs));
      return g.node('MatMul', [input, `${name}.weight`], [result]);
    }
    const bits = this.#format === 'int8' ? 8 : 4;
    const { values, scales, blocksPerRow, bytesPerBlock } = quantizeBlocks(matrix, outputs, inputs, bits, blockSize);
    g.initializer(`${name}.values`, 'uint8', [outputs, blocksPerRow, bytesPerBlock], values);
    g.initializer(`${name}.scales`, 'float32', [scales.length], scales);
    // Without accuracy_level 4 the 8-bit kernel computes in float32 and is six times slower.
    const attributes = { K: inputs, N: outputs, bits, block_size: blockSize, accuracy_level: 4 };
    return g.node('MatMulNBits', [input, `${name}.values`, `${name}.scales`], [result], attributes, microsoft);
  }

  #addAndNorm(name: string, residual: string, input: string, norm: Float32Array): Stream {
    const g = this.#graph;
    const weight = g.initializer(`${name}.norm`, 'float32', [norm.length], norm);
    const output = g.node(
      'SkipSimplifiedLayerNormalization',
      [residual, input, weight],
      [`${name}.output`, '', '', `${name}.sum`],
      { epsilon: { float: this.#config.normEpsilon } },
      microsoft,
    );
    return { output, residual: `${name}.sum` };
  }

  #ropeTable(name: string, wave: (angle: number) => number): void {
    const { contextLength, headSize, ropeTheta } = this.#config;
    const half = headSize / 2;
    const table = Float32Array.from({ length: contextLength * half }, (_, i) => {
      const frequency = ropeTheta ** (-(2 * (i % half)) / headSize);
      return wave(Math.floor(i / half) * frequency);
    });
    this.#graph.initializer(name, 'float32', [contextLength, half], table);
  }
}

function layerName(pattern: string, layer: number): string {
  return pattern.replace('%d', String(layer));
}

function transpose(matrix: Float32Array, rows: number, columns: number): Float32Array {
  return Float32Array.from({ length: matrix.length }, (_, i) => {
    return matrix[(i % rows) * columns + Math.floor(i / rows)] ?? 0;
  });
}
