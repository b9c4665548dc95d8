import { closeSync, fstatSync, openSync } from 'node:fs';
import { isRkllmError, RkllmError, type RkllmErrorInit } from '../../errors.js';
import { readAt } from './file-bytes.js';
import { parseModelName, shortNameOf } from './model-name.js';

/** What can be known of a `.rkllm` file without the runtime. */
export interface ModelFile {
  /** The file's name without its extension. */
  readonly name: string;
  /** As the name says it, such as `w8a8_g128`. */
  readonly quantization: string | undefined;
  /** Size of the file. */
  readonly bytes: number;
  /**
   * The release of the toolkit that converted it, such as `'1.3.1'`, which the toolkit writes at the end of the file. That
   * has been seen of 1.3.1; whether those before do so is not known. Undefined: it is not there.
   */
  readonly toolkitVersion: string | undefined;
}

/**
 * Looks at a model's file before the runtime does, which only says that its "magic" is wrong.
 *
 * @param expectedBytes - its size, where it is known.
 * @throws RkllmError `RKLLM_MODEL_NOT_FOUND` or `RKLLM_MODEL_INVALID`.
 */
export function inspectModelFile(file: string | undefined, expectedBytes?: number): ModelFile {
  if (file === undefined || file === '' || file.includes('\0')) {
    throw new RkllmError('RKLLM_MODEL_NOT_FOUND', 'The rkllm backend needs the path of a .rkllm file.', {
      hint: 'Pass it as the first argument of loadModel().',
      details: { path: file },
    });
  }
  const { start, end, size } = readEnds(file);
  if (start === '') throw invalid(file, 'is empty', downloadAgain);
  if (start.startsWith('version https://git-lfs')) {
    throw invalid(file, 'is a Git LFS pointer, not the model itself', 'Fetch it with git lfs pull.');
  }
  if (/^\s*<(?:!doctype html|html)/iu.test(start)) throw invalid(file, 'is a web page, not a model', downloadAgain);
  if (expectedBytes !== undefined && size !== expectedBytes) {
    throw invalid(file, `has ${size} bytes and should have ${expectedBytes}`, downloadAgain);
  }
  const toolkitVersion = /rkllm-toolkit version: (\d+\.\d+\.\d+[a-z\d]*)/u.exec(end)?.[1];
  return { name: shortNameOf(file), quantization: parseModelName(file).quantization, bytes: size, toolkitVersion };
}

const downloadAgain = 'Download it again, as the raw file; compare its size with the one shown where it comes from.';
const startBytes = 64;
/** More than the text and what may be written behind it. */
const endBytes = 256;

function readEnds(file: string): { readonly start: string; readonly end: string; readonly size: number } {
  try {
    const descriptor = openSync(file, 'r');
    try {
      const stats = fstatSync(descriptor);
      const { size } = stats;
      if (!stats.isFile()) {
        throw invalid(file, 'is not a regular file', 'Pass the .rkllm file itself, not the directory it is in.');
      }
      const read = (position: number, length: number): string =>
        readAt(descriptor, position, length).toString('latin1');
      return { start: read(0, startBytes), end: read(Math.max(0, size - endBytes), endBytes), size };
    } finally {
      closeSync(descriptor);
    }
  } catch (error) {
    throw isRkllmError(error) ? error : cannotRead(file, error as NodeJS.ErrnoException);
  }
}

function cannotRead(file: string, cause: NodeJS.ErrnoException): RkllmError {
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
