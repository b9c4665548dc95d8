import { readdir, stat } from 'node:fs/promises';
import path from 'node:path';
import { RkllmError } from '../../errors.js';
import { cannotRead, isMissing, readJsonFile, type JsonObject } from '../json-file.js';

/** Names of the graph's inputs and outputs; `%d` stands for the layer. */
interface GraphNames {
  readonly inputIds: string;
  readonly attentionMask: string;
  readonly positionIds: string;
  readonly logits: string;
  readonly pastKey: string;
  readonly pastValue: string;
  readonly presentKey: string;
  readonly presentValue: string;
}

/** How the model's maker wants tokens chosen. */
export interface SearchDefaults {
  readonly doSample: boolean;
  readonly temperature: number | undefined;
  /** 0: no limit. */
  readonly topK: number | undefined;
  readonly topP: number | undefined;
  readonly repeatPenalty: number | undefined;
}

/** What the files of a model directory say, whatever their layout. */
export interface ModelLayout {
  readonly name: string;
  readonly directory: string;
  /** Absolute path. Never resolved further: ONNX Runtime looks for external data next to the path it is given. */
  readonly modelFile: string;
  readonly modelBytes: number;
  /** Prompt plus output, in tokens. */
  readonly contextLength: number;
  readonly eosTokenIds: readonly number[];
  readonly names: GraphNames;
  readonly headSize: number | undefined;
  readonly search: SearchDefaults;
  readonly quantization: string | undefined;
}

const configFile = 'genai_config.json';

/** Reads the layout of the model at `location`: a directory, or the .onnx file in one. */
export async function readLayout(location: string): Promise<ModelLayout> {
  const { directory, chosenFile } = await locate(location);
  const config = await readJsonFile(path.join(directory, configFile), 'RKLLM_MODEL_CONFIG_INVALID');
  if (config === undefined) throw await notRecognized(directory);
  const model = required(config, 'model', config.object('model'));
  const decoder = required(model, 'decoder', model.object('decoder'));
  const modelFile = chosenFile ?? fileIn(directory, decoder);
  const generation = await readJsonFile(path.join(directory, 'generation_config.json'), 'RKLLM_MODEL_CONFIG_INVALID');
  return {
    name: path.basename(directory),
    directory,
    modelFile,
    modelBytes: await modelBytes(modelFile),
    contextLength: await contextLength(model, directory),
    eosTokenIds: [...model.tokenIds('eos_token_id'), ...(generation?.tokenIds('eos_token_id') ?? [])],
    names: graphNames(decoder),
    headSize: decoder.integer('head_size', 1),
    search: searchDefaults(config.object('search')),
    quantization: quantization(modelFile),
  };
}

async function locate(location: string): Promise<{ directory: string; chosenFile: string | undefined }> {
  let isDirectory: boolean;
  try {
    isDirectory = (await stat(location)).isDirectory();
  } catch (cause) {
    if (!isMissing(cause)) throw cannotRead(location, 'RKLLM_MODEL_INVALID', cause);
    throw new RkllmError('RKLLM_MODEL_NOT_FOUND', `There is no model at ${location}.`, {
      hint: 'Check the path; a relative path is resolved against the current directory.',
      details: { path: location },
      cause,
    });
  }
  if (isDirectory) return { directory: location, chosenFile: undefined };
  if (/\.onnx$/i.test(location)) return { directory: path.dirname(location), chosenFile: location };
  throw new RkllmError('RKLLM_MODEL_NOT_RECOGNIZED', `${location} is not an ONNX model.`, {
    hint: `Pass the directory that holds ${configFile}, or the .onnx file in it.`,
    details: { path: location, lookedFor: ['.onnx'] },
  });
}

/** A configuration from elsewhere does not choose files outside of its directory. */
function fileIn(directory: string, decoder: JsonObject): string {
  const name = required(decoder, 'filename', decoder.string('filename'));
  const relative = path.relative(directory, path.resolve(directory, name));
  const isInside = relative !== '' && relative.split(path.sep)[0] !== '..' && !path.isAbsolute(relative);
  if (!isInside || path.isAbsolute(name)) {
    throw decoder.invalid('filename', 'the name of a file in the model’s directory');
  }
  return path.join(directory, name);
}

async function notRecognized(directory: string): Promise<RkllmError> {
  const found = (await readdir(directory)).sort().slice(0, 50);
  const list =
    found.length === 0 ? 'is empty' : `has ${found.slice(0, 10).join(', ')}${found.length > 10 ? ', …' : ''}`;
  return new RkllmError(
    'RKLLM_MODEL_NOT_RECOGNIZED',
    `There is no ONNX model in ${directory}: looked for ${configFile}, but the directory ${list}.`,
    {
      hint: 'Pass the directory of a model in the layout of onnxruntime-genai, such as the cpu_and_mobile folder of a Phi-3 ONNX model.',
      details: { path: directory, lookedFor: [configFile], found },
    },
  );
}

async function modelBytes(modelFile: string): Promise<number> {
  const sizeOf = async (file: string): Promise<number | undefined> => {
    try {
      const found = await stat(file);
      if (!found.isFile()) throw new Error('it is not a file');
      return found.size;
    } catch (cause) {
      if (isMissing(cause)) return undefined;
      throw cannotRead(file, 'RKLLM_MODEL_INVALID', cause);
    }
  };
  const graph = await sizeOf(modelFile);
  if (graph === undefined) {
    throw new RkllmError('RKLLM_MODEL_NOT_FOUND', `${configFile} names ${modelFile}, but there is no such file.`, {
      hint: 'Download the complete model: the .onnx file and, if there is one, the .onnx.data file next to it.',
      details: { path: modelFile },
    });
  }
  return graph + ((await sizeOf(`${modelFile}.data`)) ?? 0);
}

/**
 * Phi-3's long-context models switch to other rotary factors once a text is longer than the original context; keys
 * computed before are wrong from then on. The context ends there.
 */
async function contextLength(model: JsonObject, directory: string): Promise<number> {
  const stated = required(model, 'context_length', model.integer('context_length', 1));
  const config = await readJsonFile(path.join(directory, 'config.json'), 'RKLLM_MODEL_CONFIG_INVALID');
  const original = config?.integer('original_max_position_embeddings', 1);
  if (original !== undefined) return Math.min(stated, original);
  return model.string('type') === 'phi3' ? Math.min(stated, 4096) : stated;
}

function graphNames(decoder: JsonObject): GraphNames {
  const inputs = decoder.object('inputs');
  const outputs = decoder.object('outputs');
  return {
    inputIds: inputs?.string('input_ids') ?? 'input_ids',
    attentionMask: inputs?.string('attention_mask') ?? 'attention_mask',
    positionIds: inputs?.string('position_ids') ?? 'position_ids',
    logits: outputs?.string('logits') ?? 'logits',
    pastKey: layerNames(inputs, 'past_key_names') ?? 'past_key_values.%d.key',
    pastValue: layerNames(inputs, 'past_value_names') ?? 'past_key_values.%d.value',
    presentKey: layerNames(outputs, 'present_key_names') ?? 'present.%d.key',
    presentValue: layerNames(outputs, 'present_value_names') ?? 'present.%d.value',
  };
}

/** Without a place for the number every layer would have the same name, and there would be no last one. */
function layerNames(section: JsonObject | undefined, key: string): string | undefined {
  const pattern = section?.string(key);
  if (section === undefined || pattern === undefined) return undefined;
  if (!pattern.includes('%d')) throw section.invalid(key, 'a name with %d for the layer');
  return pattern;
}

function searchDefaults(search: JsonObject | undefined): SearchDefaults {
  return {
    doSample: search?.boolean('do_sample') ?? false,
    temperature: search?.number('temperature', 0),
    topK: search?.integer('top_k', 0),
    topP: search?.number('top_p', 0),
    repeatPenalty: search?.number('repetition_penalty', Number.MIN_VALUE),
  };
}

/** Makers put the quantization into the name of the file or its directory. */
function quantization(modelFile: string): string | undefined {
  const name = path.join(path.basename(path.dirname(modelFile)), path.basename(modelFile));
  return /(?<![a-z0-9])(?:u?int[48]|fp16|fp32|q4f16|q[48])(?![a-z0-9])/i.exec(name)?.[0].toLowerCase();
}

function required<T>(parent: JsonObject, key: string, value: T | undefined): T {
  if (value === undefined) throw parent.invalid(key, 'present');
  return value;
}
