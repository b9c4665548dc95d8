import { defaultNames, type Phi3Names } from './phi3-names.js';
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

export type { WrittenModel };

/** Choices for a random model; every one has a default that makes a model of a few hundred kilobytes. */
export interface GenaiModelOptions extends RandomModelOptions {
  /** Name of the model file; genai's own are rarely called model.onnx. */
  readonly modelFile?: string;
  /** Put the large tensors into a `.data` file next to the model file. */
  readonly externalData?: boolean;
  /** Value of `model.eos_token_id`; defaults to the tokenizer's. A random model never chooses those by itself. */
  readonly eosTokenIds?: number | readonly number[];
  /** The `search` section of genai_config.json. */
  readonly search?: Readonly<Record<string, unknown>>;
}

/** Writes a complete model directory with random weights, as onnxruntime-genai lays it out. Takes a fraction of a second. */
export function writeGenaiModel(directory: string, options: GenaiModelOptions = {}): WrittenModel {
  const modelFile = options.modelFile ?? 'tiny-random-cpu.onnx';
  const random = makeRandomModel(options);
  const externalFiles = options.externalData === true ? [`${modelFile}.data`] : [];
  writeGraph(directory, modelFile, random, { ...options, externalFiles });
  writeTokenizer(directory, random.tokenizer);
  const { config, tokenizer } = random;
  const eosTokenIds = options.eosTokenIds ?? tokenizer.eosTokenIds;
  const names = options.names ?? defaultNames;
  writeJson(directory, 'genai_config.json', genaiConfig(config, names, modelFile, eosTokenIds, options.search));
  return describe(directory, modelFile, random);
}

/** The content of `genai_config.json`, also for models whose weights come from elsewhere. */
export function genaiConfig(
  config: Phi3Config,
  names: Phi3Names,
  modelFile: string,
  eosTokenIds: number | readonly number[],
  search: Readonly<Record<string, unknown>> = {},
): Readonly<Record<string, unknown>> {
  return {
    model: {
      type: 'phi3',
      bos_token_id: 1,
      eos_token_id: eosTokenIds,
      pad_token_id: typeof eosTokenIds === 'number' ? eosTokenIds : eosTokenIds[0],
      context_length: config.contextLength,
      vocab_size: config.vocabularySize,
      decoder: {
        session_options: { log_id: 'onnxruntime-genai', provider_options: [] },
        filename: modelFile,
        head_size: config.headSize,
        hidden_size: config.hiddenSize,
        num_attention_heads: config.heads,
        num_hidden_layers: config.layers,
        num_key_value_heads: config.kvHeads,
        inputs: {
          input_ids: names.inputIds,
          attention_mask: names.attentionMask,
          position_ids: names.positionIds,
          past_key_names: names.pastKey,
          past_value_names: names.pastValue,
        },
        outputs: {
          logits: names.logits,
          present_key_names: names.presentKey,
          present_value_names: names.presentValue,
        },
      },
    },
    search: {
      do_sample: false,
      early_stopping: true,
      max_length: config.contextLength,
      min_length: 0,
      num_beams: 1,
      repetition_penalty: 1.0,
      temperature: 1.0,
      top_k: 1,
      top_p: 1.0,
      ...search,
    },
  };
}
