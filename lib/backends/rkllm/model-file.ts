import { closeSync, fstatSync, openSync, readSync } from 'node:fs';
import path from 'node:path';
import { RkllmError, type RkllmErrorInit } from '../../errors.js';

/** What can be known of a `.rkllm` file without the runtime. */
export interface ModelFile {
  /** The file's name without its extension. */
  readonly name: string;
  /** As the name says it, such as `w8a8_g128`. */
  readonly quantization: string | undefined;
  /** Size of the file. */
  readonly bytes: number;
}

/**
 * Looks at a model's file before the runtime does, which only says that its "magic" is wrong.
 *
 * @throws RkllmError `RKLLM_MODEL_NOT_FOUND` or `RKLLM_MODEL_INVALID`.
 */
export function inspectModelFile(file: string | undefined): ModelFile {
  if (file === undefined || file === '' || file.includes('\0')) {
    throw new RkllmError('RKLLM_MODEL_NOT_FOUND', 'The rkllm backend needs the path of a .rkllm file.', {
      hint: 'Pass it as the first argument of loadModel().',
      details: { path: file },
    });
  }
  const { head, bytes } = readStart(file);
  const start = head.toString('latin1');
  if (start === '') throw invalid(file, 'is empty', downloadAgain);
  if (start.startsWith('version https://git-lfs')) {
    throw invalid(file, 'is a Git LFS pointer, not the model itself', 'Fetch it with git lfs pull.');
  }
  if (/^\s*<(?:!doctype html|html)/iu.test(start)) throw invalid(file, 'is a web page, not a model', downloadAgain);
  const name = path.basename(file).replace(/\.rkllm$/iu, '');
  return { name, quantization: quantizationIn(name), bytes };
}

const downloadAgain = 'Download it again, as the raw file; compare its size with the one shown where it comes from.';
const startBytes = 64;

function readStart(file: string): { readonly head: Buffer; readonly bytes: number } {
  let descriptor: number;
  try {
    descriptor = openSync(file, 'r');
  } catch (error) {
    throw cannotOpen(file, error as NodeJS.ErrnoException);
  }
  try {
    const stats = fstatSync(descriptor);
    if (!stats.isFile()) {
      throw invalid(file, 'is not a regular file', 'Pass the .rkllm file itself, not the directory it is in.');
    }
    const head = Buffer.alloc(startBytes);
    return { head: head.subarray(0, readSync(descriptor, head, 0, startBytes, 0)), bytes: stats.size };
  } finally {
    closeSync(descriptor);
  }
}

function cannotOpen(file: string, cause: NodeJS.ErrnoException): RkllmError {
  if (cause.code === 'ENOENT' || cause.code === 'ENOTDIR') {
    return new RkllmError('RKLLM_MODEL_NOT_FOUND', `There is no model at ${file}.`, {
      hint: 'Check the path.',
      details: { path: file },
      cause,
    });
  }
  return invalid(file, `cannot be read (${cause.code ?? cause.message})`, 'Make it readable for this user.', cause);
}

function invalid(file: string, what: string, hint: string, cause?: unknown): RkllmError {
  const init: RkllmErrorInit = { hint, details: { path: file }, cause };
  return new RkllmError('RKLLM_MODEL_INVALID', `${file} ${what}.`, init);
}

/** Converters write it into the name in many ways: `-w8a8_g128`, `_W8A8_RK3588`, `-w4a16-g64`. */
function quantizationIn(name: string): string | undefined {
  const match = /(?<![a-z\d])(w\d+a\d+)(?:[-_](g\d+))?(?![a-z\d])/iu.exec(name);
  if (match === null) return undefined;
  return match.slice(1).filter(Boolean).join('_').toLowerCase();
}
