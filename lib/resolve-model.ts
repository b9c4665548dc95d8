import { existsSync, statSync } from 'node:fs';
import path from 'node:path';
import { absolutePath, currentDirectory } from './absolute-path.js';
import type { Backend } from './backends/backend.js';
import { createOnnxBackend } from './backends/onnx/index.js';
import { createRkllmBackend } from './backends/rkllm/index.js';
import { RkllmError } from './errors.js';
import type { BackendName } from './options/load.js';

/** What will be loaded, and by what. */
export interface ResolvedModel {
  readonly backend: Backend;
  readonly path: string | undefined;
  readonly embedded: boolean;
  readonly substituteFor: string | undefined;
}

type BuiltIn = Exclude<BackendName, 'auto'>;

/** This file is one level below the package's root, in `lib/` as in `dist/`. */
const embeddedModel = path.join(__dirname, '..', 'models', 'tiny-phi3');

const creators: Readonly<Record<BuiltIn, () => Backend>> = { onnx: createOnnxBackend, rkllm: createRkllmBackend };

/**
 * Decides what `loadModel()` loads. Without a path that is `RKLLM_MODEL`, else the embedded model. `RKLLM_BACKEND=onnx`
 * lets an app that names a `.rkllm` file run unchanged where there is no NPU.
 *
 * @throws RkllmError `RKLLM_MODEL_NOT_FOUND`, `RKLLM_MODEL_NOT_RECOGNIZED`, `RKLLM_BACKEND_UNKNOWN`, `RKLLM_INVALID_INPUT`.
 */
export function resolveModel(
  givenPath: string | undefined,
  givenBackend: BackendName | Backend | undefined,
  env: NodeJS.ProcessEnv,
): ResolvedModel {
  if (typeof givenBackend === 'object') {
    const chosen = givenPath === undefined ? undefined : absolutePath(givenPath);
    return { backend: givenBackend, path: chosen, embedded: false, substituteFor: undefined };
  }
  const asked = givenPath ?? nonEmpty(env['RKLLM_MODEL']);
  const forced = givenBackend === undefined ? backendFromEnvironment(env) : undefined;
  const name = givenBackend ?? forced ?? 'auto';
  if (asked === undefined) return name === 'rkllm' ? refuseNoModel() : embedded('onnx', undefined);
  if (forced === 'onnx' && isRkllmFile(asked)) return substitute(asked, env);
  const absolute = absolutePath(asked);
  if (!existsSync(absolute)) throw notFound(absolute);
  const builtIn = name === 'auto' ? backendFor(absolute) : name;
  return {
    backend: creators[builtIn](),
    path: absolute,
    embedded: absolute === embeddedModel,
    substituteFor: undefined,
  };
}

function backendFromEnvironment(env: NodeJS.ProcessEnv): BackendName | undefined {
  const value = nonEmpty(env['RKLLM_BACKEND']);
  if (value === undefined || value === 'auto' || value === 'onnx' || value === 'rkllm') return value;
  throw new RkllmError('RKLLM_BACKEND_UNKNOWN', `The environment variable RKLLM_BACKEND is '${value}'.`, {
    hint: "Set it to 'auto', 'onnx' or 'rkllm', or unset it.",
    details: { value },
  });
}

function embedded(backend: BuiltIn, substituteFor: string | undefined): ResolvedModel {
  return { backend: creators[backend](), path: embeddedModel, embedded: true, substituteFor };
}

function substitute(asked: string, env: NodeJS.ProcessEnv): ResolvedModel {
  const replacement = nonEmpty(env['RKLLM_MODEL']);
  if (replacement === undefined || isRkllmFile(replacement)) return embedded('onnx', asked);
  return { ...resolveModel(replacement, 'onnx', {}), substituteFor: asked };
}

/** By what it looks like from outside; whether it can be loaded, the backend finds out. */
function backendFor(absolute: string): BuiltIn {
  if (statSync(absolute).isDirectory() || /\.onnx$/iu.test(absolute)) return 'onnx';
  if (isRkllmFile(absolute)) return 'rkllm';
  throw new RkllmError(
    'RKLLM_MODEL_NOT_RECOGNIZED',
    `${absolute} is neither a .rkllm file, a .onnx file nor a directory.`,
    {
      hint: "Pass a converted .rkllm file or an ONNX model's directory, or say what it is with { backend: … }.",
      details: { path: absolute },
    },
  );
}

function isRkllmFile(file: string): boolean {
  return /\.rkllm$/iu.test(file);
}

function notFound(absolute: string): RkllmError {
  return new RkllmError('RKLLM_MODEL_NOT_FOUND', `There is no model at ${absolute}.`, {
    hint: 'Check the path; a relative one starts at the current directory. Without a path the embedded model is loaded.',
    details: { path: absolute, cwd: currentDirectory() },
  });
}

function refuseNoModel(): never {
  throw new RkllmError('RKLLM_MODEL_NOT_FOUND', 'The rkllm backend was asked for without a model.', {
    hint: 'Pass the path of a .rkllm file to loadModel(), or set RKLLM_MODEL.',
  });
}

function nonEmpty(value: string | undefined): string | undefined {
  return value === '' ? undefined : value;
}
