import { dataTypes, OnnxGraph, type ExternalFiles, type ExternalSink } from './onnx-writer.js';
import { attend, declareAttention, type AttentionForm } from './phi3-attention.js';
import { FloatWriter, type FloatFormat } from './phi3-floats.js';
import { defaultNames, layerName, type Phi3Names } from './phi3-names.js';
import { addRopeTables, type LongRope } from './phi3-rope.js';
import { quantizeBlocks, quantizeRows } from './quantize.js';
import type { Phi3Config, Phi3Weights } from './phi3-weights.js';

/** How the matrices are stored. The quantized forms use MatMulNBits with 8-bit arithmetic. */
export type WeightFormat = 'fp32' | 'int8' | 'int4';

/** For which tokens logits are computed: all, the last one, or the last `num_logits_to_keep` ones. */
export type LogitsForm = 'all' | 'last' | 'kept';

export interface Phi3GraphOptions {
  readonly format?: WeightFormat;
  /** What everything is computed in, inputs and outputs too. */
  readonly float?: FloatFormat;
  readonly attention?: AttentionForm;
  readonly logits?: LogitsForm;
  readonly longRope?: LongRope | undefined;
  readonly names?: Phi3Names;
  /** Names of the files that take the large tensors; none: all in the model file. */
  readonly externalFiles?: readonly string[];
  /** Takes the bytes of those files. */
  readonly externalSink?: ExternalSink;
  /** Makes the blocks of a matrix; default: {@link quantizeBlocks}. */
  readonly quantize?: typeof quantizeBlocks;
  /** The version of ONNX that the file claims to be of. */
  readonly opset?: number;
}

const blockSize = 32;
const microsoft = 'com.microsoft';

/** Builds the decoder, as one of the exporters does. */
export function buildPhi3(
  config: Phi3Config,
  weights: Phi3Weights,
  options: Phi3GraphOptions = {},
): { readonly model: Uint8Array; readonly external: ExternalFiles } {
  const graph = new OnnxGraph(options.externalFiles, options.externalSink);
  const builder = new Phi3Builder(graph, config, options);
  builder.declare();
  let { output, residual } = builder.embed(weights);
  weights.layers.forEach((layer, i) => {
    const next = weights.layers[i + 1]?.inputNorm ?? weights.finalNorm;
    ({ output, residual } = builder.layer(i, layer, next, output, residual));
  });
  builder.head(output, weights.head);
  return graph.finish('rkllm-tools', options.opset);
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
  readonly #floats: FloatWriter;
  readonly #attention: AttentionForm;
  readonly #logits: LogitsForm;
  readonly #longRope: LongRope | undefined;
  readonly #quantize: typeof quantizeBlocks;

  constructor(graph: OnnxGraph, config: Phi3Config, options: Phi3GraphOptions) {
    this.#graph = graph;
    this.#config = config;
    this.#format = options.format ?? 'fp32';
    this.#names = options.names ?? defaultNames;
    this.#floats = new FloatWriter(options.float ?? 'float32');
    this.#attention = options.attention ?? 'gqa';
    this.#logits = options.logits ?? 'all';
    this.#longRope = options.longRope;
    this.#quantize = options.quantize ?? quantizeBlocks;
  }

  /** Inputs, outputs and what every layer shares: sequence lengths and RoPE tables. */
  declare(): void {
    const g = this.#graph;
    const { kvHeads, headSize, layers, vocabularySize } = this.#config;
    const names = this.#names;
    const float = this.#floats.format;
    g.input(names.inputIds, 'int64', ['batch_size', 'sequence_length']);
    g.input(names.attentionMask, 'int64', ['batch_size', 'total_sequence_length']);
    if (this.#attention !== 'gqa') g.input(names.positionIds, 'int64', ['batch_size', 'sequence_length']);
    if (this.#logits === 'kept') g.input('num_logits_to_keep', 'int64', []);
    const rows = { all: 'sequence_length', last: 1, kept: 'num_logits_to_keep' }[this.#logits];
    g.output(names.logits, float, ['batch_size', rows, vocabularySize]);
    for (let i = 0; i < layers; i++) {
      for (const [past, present] of [
        [names.pastKey, names.presentKey],
        [names.pastValue, names.presentValue],
      ] as const) {
        g.input(layerName(past, i), float, ['batch_size', kvHeads, 'past_sequence_length', headSize]);
        g.output(layerName(present, i), float, ['batch_size', kvHeads, 'total_sequence_length', headSize]);
      }
    }
    g.initializer('one_scalar', 'int64', [], BigInt64Array.of(1n));
    g.node('Shape', [names.attentionMask], ['mask_shape']);
    g.node('Gather', ['mask_shape', 'one_scalar'], ['total_length'], { axis: 0 });
    addRopeTables(g, this.#config, this.#floats, this.#longRope, 'total_length');
    declareAttention(g, this.#config, names, this.#attention, this.#floats);
  }

  embed(weights: Phi3Weights): Stream {
    const g = this.#graph;
    const { vocabularySize, hiddenSize, normEpsilon } = this.#config;
    let embedded: string;
    if (this.#format === 'fp32') {
      this.#constant('embedding', [vocabularySize, hiddenSize], weights.embedding);
      embedded = g.node('Gather', ['embedding', this.#names.inputIds], ['embedded'], { axis: 0 });
    } else {
      const { values, scales } = quantizeRows(weights.embedding, vocabularySize, hiddenSize);
      g.initializer('embedding.values', 'int8', [vocabularySize, hiddenSize], values);
      this.#constant('embedding.scales', [vocabularySize, 1], scales);
      g.node('Gather', ['embedding.values', this.#names.inputIds], ['embedding.row'], { axis: 0 });
      g.node('Gather', ['embedding.scales', this.#names.inputIds], ['embedding.scale'], { axis: 0 });
      g.node('Cast', ['embedding.row'], ['embedding.float'], { to: dataTypes[this.#floats.format] });
      embedded = g.node('Mul', ['embedding.float', 'embedding.scale'], ['embedded']);
    }
    const first = weights.layers[0]?.inputNorm ?? weights.finalNorm;
    const norm = this.#constant('layers.0.input_norm', [hiddenSize], first);
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
    const at = `layers.${index}`;
    const qkv = this.project(`${at}.qkv`, input, weights.qkv, (heads + 2 * kvHeads) * headSize, hiddenSize);
    const attention = attend(g, this.#config, this.#names, this.#attention, index, qkv);
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

  /** The logits, of the tokens that they are wanted for. */
  head(input: string, matrix: Float32Array): void {
    const g = this.#graph;
    let rows = input;
    if (this.#logits === 'last') {
      g.initializer('last', 'int64', [1], BigInt64Array.of(-1n));
      rows = g.node('Gather', [input, 'last'], ['last_row'], { axis: 1 });
    } else if (this.#logits === 'kept') {
      g.initializer('first_axis', 'int64', [1], BigInt64Array.of(0n));
      g.initializer('row_axis', 'int64', [1], BigInt64Array.of(1n));
      g.initializer('row_end', 'int64', [1], BigInt64Array.of(2n ** 62n));
      g.node('Neg', ['num_logits_to_keep'], ['from_the_end']);
      g.node('Unsqueeze', ['from_the_end', 'first_axis'], ['row_start']);
      rows = g.node('Slice', [input, 'row_start', 'row_end', 'row_axis'], ['kept_rows']);
    }
    const { vocabularySize, hiddenSize } = this.#config;
    this.project('lm_head', rows, matrix, vocabularySize, hiddenSize, this.#names.logits);
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
      this.#constant(`${name}.weight`, [inputs, outputs], transpose(matrix, outputs, inputs));
      return g.node('MatMul', [input, `${name}.weight`], [result]);
    }
    const bits = this.#format === 'int8' ? 8 : 4;
    const { values, scales, blocksPerRow, bytesPerBlock } = this.#quantize(matrix, outputs, inputs, bits, blockSize);
    g.initializer(`${name}.values`, 'uint8', [outputs, blocksPerRow, bytesPerBlock], values);
    this.#constant(`${name}.scales`, [scales.length], scales);
    // Without accuracy_level 4 the 8-bit kernel computes in float32 and is six times slower.
    const attributes = { K: inputs, N: outputs, bits, block_size: blockSize, accuracy_level: 4 };
    return g.node('MatMulNBits', [input, `${name}.values`, `${name}.scales`], [result], attributes, microsoft);
  }

  #addAndNorm(name: string, residual: string, input: string, norm: Float32Array): Stream {
    const g = this.#graph;
    const weight = this.#constant(`${name}.norm`, [norm.length], norm);
    const output = g.node(
      'SkipSimplifiedLayerNormalization',
      [residual, input, weight],
      [`${name}.output`, '', '', `${name}.sum`],
      { epsilon: { float: this.#config.normEpsilon } },
      microsoft,
    );
    return { output, residual: `${name}.sum` };
  }

  #constant(name: string, dims: readonly number[], numbers: Float32Array): string {
    return this.#graph.initializer(name, this.#floats.format, dims, this.#floats.bits(numbers));
  }
}

function transpose(matrix: Float32Array, rows: number, columns: number): Float32Array {
  return Float32Array.from({ length: matrix.length }, (_, i) => {
    return matrix[(i % rows) * columns + Math.floor(i / rows)] ?? 0;
  });
}
