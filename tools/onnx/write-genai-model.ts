import { mkdirSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { buildPhi3, defaultNames, type Phi3Names, type WeightFormat } from './phi3-graph.js';
import { randomWeights, type Phi3Config } from './phi3-weights.js';
import { tinyTokenizer, type TinyTokenizer } from './tiny-tokenizer.js';

/** Choices for a random model; every one has a default that makes a model of a few hundred kilobytes. */
export interface GenaiModelOptions {
  readonly seed?: number;
  readonly format?: WeightFormat;
  readonly contextLength?: number;
  readonly layers?: number;
  readonly hiddenSize?: number;
  readonly names?: Phi3Names;
  /** Name of the model file; genai's own are rarely called model.onnx. */
  readonly modelFile?: string;
  /** Put the large tensors into a `.data` file next to the model file. */
  readonly externalData?: boolean;
  /** Value of `model.eos_token_id`; defaults to the tokenizer's. A random model never chooses those by itself. */
  readonly eosTokenIds?: number | readonly number[];
  /** The `search` section of genai_config.json. */
  readonly search?: Readonly<Record<string, unknown>>;
}

/** What was written, for tests to compare with. */
export interface WrittenModel {
  readonly directory: string;
  readonly modelFile: string;
  /** Width of the logits: more than the tokenizer has, as in Phi-3. */
  readonly vocabularySize: number;
  readonly contextLength: number;
  readonly tokenizer: TinyTokenizer;
}

/** Ids that the model can choose and the tokenizer does not know. */
const idsPastTheTokenizer = 5;

/** Writes a complete model directory with random weights, as onnxruntime-genai lays it out. Takes a fraction of a second. */
export function writeGenaiModel(directory: string, options: GenaiModelOptions = {}): WrittenModel {
  const contextLength = options.contextLength ?? 512;
  const modelFile = options.modelFile ?? 'tiny-random-cpu.onnx';
  const names = options.names ?? defaultNames;
  const tokenizer = tinyTokenizer(contextLength);
  const config: Phi3Config = {
    vocabularySize: tokenizer.size + idsPastTheTokenizer,
    hiddenSize: options.hiddenSize ?? 64,
    layers: options.layers ?? 2,
    heads: 4,
    kvHeads: 2,
    headSize: 16,
    feedForwardSize: 128,
    contextLength,
    ropeTheta: 10000,
    normEpsilon: 1e-5,
  };
  const weights = randomWeights(config, options.seed ?? 1, tokenizer.controlTokenIds);
  const { model, external } = buildPhi3(config, weights, {
    format: options.format ?? 'fp32',
    names,
    externalFile: options.externalData === true ? `${modelFile}.data` : undefined,
  });
  mkdirSync(directory, { recursive: true });
  writeFileSync(path.join(directory, modelFile), model);
  if (external !== undefined) writeFileSync(path.join(directory, `${modelFile}.data`), external);
  const writeJson = (file: string, content: unknown): void => {
    writeFileSync(path.join(directory, file), JSON.stringify(content, undefined, 1));
  };
  const eosTokenIds = options.eosTokenIds ?? tokenizer.eosTokenIds;
  writeJson('genai_config.json', genaiConfig(config, names, modelFile, eosTokenIds, options.search));
  writeJson('tokenizer.json', tokenizer.tokenizer);
  writeJson('tokenizer_config.json', tokenizer.config);
  return { directory, modelFile, vocabularySize: config.vocabularySize, contextLength, tokenizer };
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
