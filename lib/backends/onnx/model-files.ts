import { existsSync } from 'node:fs';
import { readdir, stat } from 'node:fs/promises';
import path from 'node:path';
import { RkllmError } from '../../errors.js';
import { cannotRead, isMissing } from '../json-file.js';
import { genaiFile } from './layout-genai.js';
import { readOnnxFile } from './onnx-file.js';

/** Finds the model's directory and, when one was named, its file. */
export async function locateModel(location: string): Promise<{ directory: string; chosenFile: string | undefined }> {
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
  if (isDirectory) return { directory: rootOf(location), chosenFile: undefined };
  if (/\.onnx$/i.test(location)) return { directory: rootOf(path.dirname(location)), chosenFile: location };
  throw new RkllmError('RKLLM_MODEL_NOT_RECOGNIZED', `${location} is not an ONNX model.`, {
    hint: `Pass the directory that holds ${genaiFile} or config.json, or a .onnx file of the model.`,
    details: { path: location, lookedFor: ['.onnx'] },
  });
}

/** In the layout of transformers.js the graphs have a folder of their own, and all else is above it. */
function rootOf(directory: string): string {
  const has = (folder: string, name: string): boolean => existsSync(path.join(folder, name));
  const parent = path.dirname(directory);
  const isGraphFolder = path.basename(directory) === 'onnx' && has(parent, 'config.json');
  return isGraphFolder && !has(directory, 'config.json') && !has(directory, genaiFile) ? parent : directory;
}

export async function notRecognized(directory: string): Promise<RkllmError> {
  const found = (await readdir(directory)).sort().slice(0, 50);
  const list =
    found.length === 0 ? 'is empty' : `has ${found.slice(0, 10).join(', ')}${found.length > 10 ? ', …' : ''}`;
  const below = await findBelow(directory);
  const lookedFor = [genaiFile, 'config.json with onnx/model*.onnx or model*.onnx'];
  return new RkllmError(
    'RKLLM_MODEL_NOT_RECOGNIZED',
    `There is no ONNX model in ${directory}: looked for ${lookedFor.join(', and for ')}; the directory ${list}.`,
    {
      hint:
        below.length > 0
          ? `Pass one of the models in it: ${below.join(', ')}. Those for the CPU have cpu in their names.`
          : 'Pass the directory of a model in the layout of onnxruntime-genai, such as the cpu_and_mobile folder of a Phi-3 ONNX model, or of transformers.js.',
      details: { path: directory, lookedFor, found, below },
    },
  );
}

/** Microsoft's repositories hold a model for each kind of device, two folders below the top. */
async function findBelow(directory: string): Promise<string[]> {
  const below: string[] = [];
  const look = async (folder: string, depth: number): Promise<void> => {
    for (const entry of await readdir(path.join(directory, folder), { withFileTypes: true }).catch(() => [])) {
      if (!entry.isDirectory() || below.length >= 10) continue;
      const inner = path.join(folder, entry.name);
      if (existsSync(path.join(directory, inner, genaiFile))) below.push(inner);
      else if (depth > 1) await look(inner, depth - 1);
    }
  };
  await look('', 2);
  return below.sort();
}

/**
 * Looks at the model file and the files that it keeps its weights in.
 *
 * @param namedBy - the configuration that names the file; undefined: it was found.
 */
export async function describeModelFile(
  modelFile: string,
  namedBy: string | undefined,
): Promise<{ readonly bytes: number; readonly operators: ReadonlySet<string> }> {
  const graphBytes = await sizeOf(modelFile);
  if (graphBytes === undefined) {
    const message =
      namedBy === undefined
        ? `${modelFile} is a link to nothing.`
        : `${namedBy} names ${modelFile}, but there is no such file.`;
    throw new RkllmError('RKLLM_MODEL_NOT_FOUND', message, {
      hint: 'Download the complete model: the .onnx file and, if there are any, the files with its weights next to it.',
      details: { path: modelFile },
    });
  }
  const { operators, externalFiles } = readOnnxFile(modelFile) ?? {
    operators: new Set<string>(),
    externalFiles: new Map<string, number>(),
  };
  let bytes = graphBytes;
  for (const [name, needed] of externalFiles) bytes += await checkExternalFile(modelFile, name, needed);
  return { bytes, operators };
}

/** ONNX Runtime names neither the file nor what is missing of it. */
async function checkExternalFile(modelFile: string, name: string, needed: number): Promise<number> {
  const file = path.join(path.dirname(modelFile), name);
  const size = await sizeOf(file);
  if (size !== undefined && size >= needed) return size;
  const found = size === undefined ? 'there is no such file' : `that has only ${size} of the ${needed} bytes`;
  throw new RkllmError(
    'RKLLM_MODEL_INVALID',
    `${modelFile} cannot be loaded: its weights are in ${name}, but ${found}.`,
    {
      hint: `Download ${name} again, completely, next to ${path.basename(modelFile)}, and keep its name.`,
      details: { path: modelFile, file, bytes: size, needed },
    },
  );
}

async function sizeOf(file: string): Promise<number | undefined> {
  try {
    const found = await stat(file);
    if (!found.isFile()) throw new Error('it is not a file');
    return found.size;
  } catch (cause) {
    if (isMissing(cause)) return undefined;
    throw cannotRead(file, 'RKLLM_MODEL_INVALID', cause);
  }
}
