import { readdir } from 'node:fs/promises';
import path from 'node:path';
import { RkllmError } from '../../errors.js';
import { readJsonFile } from '../json-file.js';
import { usualNames } from './graph-names.js';
import { searchDefaults } from './layout-genai.js';
import type { LayoutFacts } from './layout.js';
import { ropeThreshold } from './rope-threshold.js';

/**
 * Which of several files is taken, by the end of its name: small and fast on a CPU first. Others are taken when they are
 * named.
 */
const preferred = ['_q4', '_quantized', '_int8', '_uint8', '_q4f16', '_fp16', '', '_bnb4'];

/** Of models that do not state it. */
const usualContext = 4096;

/**
 * Reads the layout of transformers.js and Optimum: `config.json`, `generation_config.json`, and the graphs in `onnx/` or next
 * to them.
 *
 * @returns undefined when there is none.
 */
export async function readHuggingFaceFacts(
  directory: string,
  chosenFile: string | undefined,
): Promise<LayoutFacts | undefined> {
  const code = 'RKLLM_MODEL_CONFIG_INVALID';
  const config = await readJsonFile(path.join(directory, 'config.json'), code);
  const modelFile = chosenFile ?? (await findModelFile(directory));
  if (config === undefined || modelFile === undefined) return undefined;
  const generation = await readJsonFile(path.join(directory, 'generation_config.json'), code);
  const contextLength = config.integer('max_position_embeddings', 1) ?? usualContext;
  return {
    modelFile,
    contextLength,
    ropeThreshold: ropeThreshold(config, contextLength, undefined),
    eosTokenIds: [...config.tokenIds('eos_token_id'), ...(generation?.tokenIds('eos_token_id') ?? [])],
    names: usualNames,
    headSize: config.integer('head_dim', 1),
    search: searchDefaults(generation),
    mayShareBuffers: true,
  };
}

async function findModelFile(directory: string): Promise<string | undefined> {
  for (const folder of [path.join(directory, 'onnx'), directory]) {
    const files = (await readdir(folder).catch((): string[] => [])).filter((name) => /\.onnx$/i.test(name));
    const byPreference = preferred.map((ending) => files.find((name) => name === `model${ending}.onnx`));
    const chosen = byPreference.find((name) => name !== undefined) ?? (files.length === 1 ? files[0] : undefined);
    if (chosen !== undefined) return path.join(folder, chosen);
    if (files.length > 1) throw ambiguous(folder, files.sort());
  }
  return undefined;
}

function ambiguous(folder: string, files: readonly string[]): RkllmError {
  return new RkllmError(
    'RKLLM_MODEL_NOT_RECOGNIZED',
    `${folder} has several .onnx files, and none with a name that says which to take: ${files.slice(0, 10).join(', ')}.`,
    {
      hint: 'Pass the .onnx file itself. A model in several parts (encoder, embeddings, decoder) cannot be used.',
      details: { path: folder, found: files.slice(0, 50) },
    },
  );
}
