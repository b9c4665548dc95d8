import { open } from 'node:fs/promises';
import type * as Ort from 'onnxruntime-node';
import { RkllmError } from '../../errors.js';
import type { ModelLayout } from './layout.js';

export type OrtModule = typeof Ort;

/** Nothing but what ends the process. What fails is thrown as well, and told from there. */
const fatalOnly = 4;

/** Looks for ONNX Runtime. An optional peer dependency: only whoever loads an ONNX model needs it. */
export function requireOrt(): OrtModule {
  try {
    // From Node.js 24 on there are arrays of half floats, and onnxruntime-node takes them for empty ones. It asks once
    // whether they exist; this thread or process is its own.
    Reflect.deleteProperty(globalThis, 'Float16Array');
    // eslint-disable-next-line @typescript-eslint/no-require-imports -- it may be missing, and must not load earlier
    const ort = require('onnxruntime-node') as OrtModule;
    ort.env.logLevel = 'fatal';
    return ort;
  } catch (cause) {
    const missing = isNotInstalled(cause);
    const reason = cause instanceof Error ? (cause.message.split('\n')[0] ?? '') : String(cause);
    throw new RkllmError(
      'RKLLM_ONNXRUNTIME_NOT_FOUND',
      missing
        ? 'Running an ONNX model needs the package onnxruntime-node, which is not installed.'
        : `The package onnxruntime-node is installed but cannot be loaded: ${reason}`,
      {
        hint: missing
          ? 'Run: ONNXRUNTIME_NODE_INSTALL=skip npm install onnxruntime-node (the variable skips a download of GPU libraries that fails behind a firewall and is not needed here).'
          : 'It has binaries for 64-bit Linux with glibc 2.28 or later, Windows, and macOS on Apple silicon; not for Alpine Linux.',
        cause,
      },
    );
  }
}

/** A package without a binary for this platform lacks a module, too: one of its own. */
function isNotInstalled(error: unknown): boolean {
  return (
    error instanceof Error &&
    'code' in error &&
    error.code === 'MODULE_NOT_FOUND' &&
    !/^Cannot find module '(?!onnxruntime-node')/.test(error.message)
  );
}

/** Loads the model file. Blocks the thread in a native call. */
export async function createSession(
  ort: OrtModule,
  layout: ModelLayout,
  threads: number,
): Promise<Ort.InferenceSession> {
  try {
    return await ort.InferenceSession.create(layout.modelFile, {
      executionProviders: ['cpu'],
      intraOpNumThreads: threads,
      logSeverityLevel: fatalOnly,
    });
  } catch (cause) {
    // Whether it can be read at all, the cause says.
    const pointer = await isGitLfsPointer(layout.modelFile).catch(() => false);
    const reason = pointer ? 'it is only a Git LFS pointer' : cause instanceof Error ? cause.message : String(cause);
    throw new RkllmError('RKLLM_MODEL_INVALID', `${layout.modelFile} cannot be loaded: ${reason}`, {
      hint: pointer ? 'Run git lfs pull in the directory of the model.' : loadHint(reason),
      details: { path: layout.modelFile, bytes: layout.modelBytes },
      cause,
    });
  }
}

/** By what ONNX Runtime says. */
function loadHint(reason: string): string {
  if (/opset|IR version/i.test(reason)) {
    return 'The file is of a newer version of ONNX: update onnxruntime-node, or use an export with an older opset.';
  }
  if (/not a registered function|No Op registered|Could not find an implementation|NOT_IMPLEMENTED/i.test(reason)) {
    return 'The graph has operators that this onnxruntime-node cannot compute on a CPU: use an export for the CPU, or a newer onnxruntime-node.';
  }
  return 'The file or its weights are incomplete or damaged: download the model again and compare the sizes.';
}

async function isGitLfsPointer(file: string): Promise<boolean> {
  const start = 'version https://git-lfs';
  const handle = await open(file);
  try {
    const { buffer, bytesRead } = await handle.read(Buffer.alloc(start.length), 0, start.length, 0);
    return buffer.toString('latin1', 0, bytesRead) === start;
  } finally {
    await handle.close();
  }
}
