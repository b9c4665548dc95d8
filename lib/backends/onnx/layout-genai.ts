import path from 'node:path';
import { readJsonFile, type JsonObject } from '../json-file.js';
import { usualNames, type GraphNames } from './graph-names.js';
import type { LayoutFacts, SearchDefaults } from './layout.js';
import { ropeThreshold } from './rope-threshold.js';

/** The configuration of onnxruntime-genai. */
export const genaiFile = 'genai_config.json';

/** Contexts that the long-context models of a type were made from, where no file states it. */
const originalContexts: Readonly<Record<string, number>> = { phi3: 4096, phimoe: 4096, phi3small: 8192 };

/** Reads what `genai_config.json` says, and `config.json` and `generation_config.json` where they came along. */
export async function readGenaiFacts(
  directory: string,
  chosenFile: string | undefined,
  config: JsonObject,
): Promise<LayoutFacts> {
  const model = required(config, 'model', config.object('model'));
  const decoder = required(model, 'decoder', model.object('decoder'));
  const modelFile = chosenFile ?? fileIn(directory, decoder);
  const generation = await readJsonFile(path.join(directory, 'generation_config.json'), 'RKLLM_MODEL_CONFIG_INVALID');
  const original = await readJsonFile(path.join(directory, 'config.json'), 'RKLLM_MODEL_CONFIG_INVALID');
  const contextLength = required(model, 'context_length', model.integer('context_length', 1));
  const search = config.object('search');
  return {
    modelFile,
    contextLength,
    ropeThreshold: ropeThreshold(original, contextLength, originalContexts[model.string('type') ?? '']),
    eosTokenIds: [...model.tokenIds('eos_token_id'), ...(generation?.tokenIds('eos_token_id') ?? [])],
    names: graphNames(decoder),
    headSize: decoder.integer('head_size', 1),
    search: searchDefaults(search),
    mayShareBuffers: search?.boolean('past_present_share_buffer') ?? true,
  };
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

function graphNames(decoder: JsonObject): GraphNames {
  const inputs = decoder.object('inputs');
  const outputs = decoder.object('outputs');
  return {
    inputIds: inputs?.string('input_ids') ?? usualNames.inputIds,
    attentionMask: inputs?.string('attention_mask') ?? usualNames.attentionMask,
    positionIds: inputs?.string('position_ids') ?? usualNames.positionIds,
    logits: outputs?.string('logits') ?? usualNames.logits,
    hiddenStates: outputs?.string('hidden_states') ?? usualNames.hiddenStates,
    pastKey: layerNames(inputs, 'past_key_names') ?? usualNames.pastKey,
    pastValue: layerNames(inputs, 'past_value_names') ?? usualNames.pastValue,
    presentKey: layerNames(outputs, 'present_key_names') ?? usualNames.presentKey,
    presentValue: layerNames(outputs, 'present_value_names') ?? usualNames.presentValue,
  };
}

/** Without a place for the number every layer would have the same name, and there would be no last one. */
function layerNames(section: JsonObject | undefined, key: string): string | undefined {
  const pattern = section?.string(key);
  if (section === undefined || pattern === undefined) return undefined;
  if (!pattern.includes('%d')) throw section.invalid(key, 'a name with %d for the layer');
  return pattern;
}

/** The names are the same in `generation_config.json`. */
export function searchDefaults(search: JsonObject | undefined): SearchDefaults {
  return {
    doSample: search?.boolean('do_sample') ?? false,
    temperature: search?.number('temperature', 0),
    topK: search?.integer('top_k', 0),
    topP: search?.number('top_p', 0),
    repeatPenalty: search?.number('repetition_penalty', Number.MIN_VALUE),
  };
}

function required<T>(parent: JsonObject, key: string, value: T | undefined): T {
  if (value === undefined) throw parent.invalid(key, 'present');
  return value;
}
