import path from 'node:path';
import { readJsonFile } from '../json-file.js';
import type { GraphNames } from './graph-names.js';
import { genaiFile, readGenaiFacts } from './layout-genai.js';
import { readHuggingFaceFacts } from './layout-huggingface.js';
import { describeModelFile, locateModel, notRecognized } from './model-files.js';

/** How the model's maker wants tokens chosen. */
export interface SearchDefaults {
  readonly doSample: boolean;
  readonly temperature: number | undefined;
  /** 0: no limit. */
  readonly topK: number | undefined;
  readonly topP: number | undefined;
  readonly repeatPenalty: number | undefined;
}

/** What the configuration of a model says, whatever its layout. */
export interface LayoutFacts {
  /** Absolute path. Never resolved further: ONNX Runtime looks for external data next to the path it is given. */
  readonly modelFile: string;
  /** Prompt plus output, in tokens. */
  readonly contextLength: number;
  /**
   * LongRoPE: texts of more tokens than this are computed with other rotary factors, from their first token on. Undefined:
   * the model has one set of them.
   */
  readonly ropeThreshold: number | undefined;
  readonly eosTokenIds: readonly number[];
  readonly names: GraphNames;
  /** For graphs that do not state it. */
  readonly headSize: number | undefined;
  readonly search: SearchDefaults;
  /** False: the configuration says that past and present must not be one buffer. */
  readonly mayShareBuffers: boolean;
}

/** What the files of a model say. */
export interface ModelLayout extends LayoutFacts {
  readonly name: string;
  /** Where its tokenizer is. */
  readonly directory: string;
  /** Of the graph and its external data. */
  readonly modelBytes: number;
  /** The keys and values of a layer may be its past and its present in one buffer. */
  readonly sharesBuffers: boolean;
  readonly quantization: string | undefined;
}

/** Reads the layout of the model at `location`: a directory, or a .onnx file in one or in its folder `onnx`. */
export async function readLayout(location: string): Promise<ModelLayout> {
  const { directory, chosenFile } = await locateModel(location);
  const genai = await readJsonFile(path.join(directory, genaiFile), 'RKLLM_MODEL_CONFIG_INVALID');
  const facts =
    genai === undefined
      ? await readHuggingFaceFacts(directory, chosenFile)
      : await readGenaiFacts(directory, chosenFile, genai);
  if (facts === undefined) throw await notRecognized(directory);
  const { bytes, operators } = await describeModelFile(facts.modelFile, genai === undefined ? undefined : genaiFile);
  return {
    ...facts,
    name: path.basename(directory),
    directory,
    modelBytes: bytes,
    // Other attention operators give their past and what is new in a buffer of its own.
    sharesBuffers: facts.mayShareBuffers && operators.has('GroupQueryAttention'),
    quantization: quantization(directory, facts.modelFile),
  };
}

/** Makers put the quantization into the name of the file or its directory. */
function quantization(directory: string, modelFile: string): string | undefined {
  const name = path.join(path.basename(directory), path.basename(modelFile));
  return /(?<![a-z0-9])(?:u?int[48]|bnb4|fp16|fp32|q4f16|q[48])(?![a-z0-9])/i.exec(name)?.[0].toLowerCase();
}
