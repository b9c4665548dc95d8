import { mkdirSync } from 'node:fs';
import path from 'node:path';
import type { Phi3GraphOptions } from './phi3-graph.js';
import type { LongRope } from './phi3-rope.js';
import type { Phi3Config } from './phi3-weights.js';
import {
  describe,
  makeRandomModel,
  writeGraph,
  writeJson,
  writeTokenizer,
  type RandomModelOptions,
  type WrittenModel,
} from './random-model.js';

/** One file of the model. */
export interface Variant extends Omit<Phi3GraphOptions, 'externalFiles' | 'longRope'> {
  /** How many `_data` files take the large tensors. Default 0. */
  readonly dataFiles?: number;
}

export interface HuggingFaceModelOptions extends RandomModelOptions {
  /** By the name of the file, without its ending. */
  readonly variants: Readonly<Record<string, Variant>>;
  /** Where the graphs are. Default `onnx`, as in transformers.js; an empty string as Optimum writes them. */
  readonly folder?: string;
}

/** Writes a complete model directory with random weights, as transformers.js and Optimum lay it out. */
export function writeHuggingFaceModel(directory: string, options: HuggingFaceModelOptions): WrittenModel {
  const random = makeRandomModel(options);
  const folder = path.join(directory, options.folder ?? 'onnx');
  mkdirSync(folder, { recursive: true });
  const { longRope } = options;
  for (const [name, { dataFiles = 0, ...variant }] of Object.entries(options.variants)) {
    const externalFiles = Array.from({ length: dataFiles }, (_, i) => `${name}.onnx_data${i === 0 ? '' : `_${i}`}`);
    const form: Phi3GraphOptions = { attention: 'plain', ...variant, externalFiles, longRope };
    writeGraph(folder, `${name}.onnx`, random, form);
  }
  writeTokenizer(directory, random.tokenizer);
  const [eosTokenId] = random.tokenizer.eosTokenIds;
  writeJson(directory, 'config.json', { ...transformersConfig(random.config, longRope), eos_token_id: eosTokenId });
  writeJson(directory, 'generation_config.json', { bos_token_id: 1, eos_token_id: random.tokenizer.eosTokenIds });
  return describe(directory, '', random);
}

/** The content of transformers' `config.json`. */
export function transformersConfig(
  config: Phi3Config,
  longRope: LongRope | undefined,
): Readonly<Record<string, unknown>> {
  return {
    architectures: ['Phi3ForCausalLM'],
    model_type: 'phi3',
    vocab_size: config.vocabularySize,
    hidden_size: config.hiddenSize,
    intermediate_size: config.feedForwardSize,
    num_hidden_layers: config.layers,
    num_attention_heads: config.heads,
    num_key_value_heads: config.kvHeads,
    max_position_embeddings: config.contextLength,
    original_max_position_embeddings: longRope?.threshold ?? config.contextLength,
    rms_norm_eps: config.normEpsilon,
    rope_theta: config.ropeTheta,
    rope_scaling:
      longRope === undefined
        ? null
        : { type: 'longrope', short_factor: longRope.shortFactor, long_factor: longRope.longFactor },
    bos_token_id: 1,
    tie_word_embeddings: false,
  };
}
