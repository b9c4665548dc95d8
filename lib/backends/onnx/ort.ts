import { open } from 'node:fs/promises';
import type * as Ort from 'onnxruntime-node';
import { RkllmError } from '../../errors.js';
import { compareReleases } from '../../releases.js';
import type { ModelLayout } from './layout.js';
import { findOrtPackage, installOrt, oldestOrt, ortPlatforms } from './ort-package.js';

export type OrtModule = typeof Ort;

/** Nothing but what ends the process. What fails is thrown as well, and told from there. */
const fatalOnly = 4;

/**
 * Loads ONNX Runtime. An optional peer dependency: only whoever loads an ONNX model needs it.
 *
 * @throws RkllmError `RKLLM_ONNX_NOT_INSTALLED`, `RKLLM_ONNX_LOAD_FAILED`.
 */
export function requireOrt(): OrtModule {
  const found = findOrtPackage();
  // What an old one lacks would come to light in the middle of a load, as something else.
  if (found !== undefined && compareReleases(found.version, oldestOrt) < 0) throw tooOld(found.version);
  try {
    // From Node.js 24 on there are arrays of half floats, and onnxruntime-node takes them for empty ones. It asks once
    // whether they exist; this thread or process is its own.
    Reflect.deleteProperty(globalThis, 'Float16Array');
    // eslint-disable-next-line @typescript-eslint/no-require-imports -- it may be missing, and must not load earlier
    const ort = require('onnxruntime-node') as OrtModule;
    ort.env.logLevel = 'fatal';
    return ort;
  } catch (cause) {
    throw isNotInstalled(cause) ? notInstalled(cause) : loadFailed(cause, found?.version);
  }
}

function notInstalled(cause: unknown): RkllmError {
  return new RkllmError(
    'RKLLM_ONNX_NOT_INSTALLED',
    'Running an ONNX model needs the package onnxruntime-node, which is not installed.',
    {
      hint: `Run: ${installOrt()} (GPU libraries that its install script downloads on x64 Linux are not used; the variable ONNXRUNTIME_NODE_INSTALL=skip, or npm's --ignore-scripts, also lets it install behind a firewall).`,
      details: { install: installOrt() },
      cause,
    },
  );
}

function loadFailed(cause: unknown, version: string | undefined): RkllmError {
  const reason = cause instanceof Error ? (cause.message.split('\n')[0] ?? '') : String(cause);
  return new RkllmError(
    'RKLLM_ONNX_LOAD_FAILED',
    `The package onnxruntime-node is installed but cannot be loaded: ${reason}`,
    {
      hint: `It has binaries for ${ortPlatforms}; not for Alpine Linux. On one of these, install it again: ${installOrt()}`,
      details: { version, platform: process.platform, arch: process.arch, install: installOrt() },
      cause,
    },
  );
}

function tooOld(version: string): RkllmError {
  return new RkllmError(
    'RKLLM_ONNX_LOAD_FAILED',
    `The package onnxruntime-node ${version} is too old: ${oldestOrt} or newer is needed.`,
    { hint: `Run: ${installOrt()}`, details: { version, oldest: oldestOrt, install: installOrt() } },
  );
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
