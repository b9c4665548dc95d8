import { mkdirSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { buildPhi3, type Phi3GraphOptions } from './phi3-graph.js';
import { randomWeights, type Phi3Config, type Phi3Weights } from './phi3-weights.js';
import { tinyTokenizer, type TinyTokenizer } from './tiny-tokenizer.js';

/** Size and seed of a random model, and the form of its graph. The same seed and size give the same weights in every form. */
export interface RandomModelOptions extends Omit<Phi3GraphOptions, 'externalFiles'> {
  readonly seed?: number;
  readonly contextLength?: number;
  readonly layers?: number;
  readonly hiddenSize?: number;
}

export interface RandomModel {
  readonly config: Phi3Config;
  readonly weights: Phi3Weights;
  readonly tokenizer: TinyTokenizer;
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

export function makeRandomModel(options: RandomModelOptions): RandomModel {
  const contextLength = options.contextLength ?? 512;
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
  return { config, weights: randomWeights(config, options.seed ?? 1, tokenizer.controlTokenIds), tokenizer };
}

/** Writes the graph and its external files. */
export function writeGraph(
  directory: string,
  modelFile: string,
  { config, weights }: RandomModel,
  options: Phi3GraphOptions,
): void {
  const { model, external } = buildPhi3(config, weights, options);
  mkdirSync(directory, { recursive: true });
  writeFileSync(path.join(directory, modelFile), model);
  for (const [name, bytes] of external) writeFileSync(path.join(directory, name), bytes);
}

export function writeTokenizer(directory: string, { tokenizer, config }: TinyTokenizer): void {
  writeJson(directory, 'tokenizer.json', tokenizer);
  writeJson(directory, 'tokenizer_config.json', config);
}

export function writeJson(directory: string, file: string, content: unknown): void {
  writeFileSync(path.join(directory, file), JSON.stringify(content, undefined, 1));
}

export function describe(directory: string, modelFile: string, { config, tokenizer }: RandomModel): WrittenModel {
  const { vocabularySize, contextLength } = config;
  return { directory, modelFile, vocabularySize, contextLength, tokenizer };
}
