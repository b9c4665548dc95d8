import { readFile, stat } from 'node:fs/promises';
import path from 'node:path';
import { types } from 'node:util';
import { RkllmError, type RkllmErrorCode } from '../errors.js';

type Values = Readonly<Record<string, unknown>>;

/** An object in a JSON file that somebody else wrote: every value is checked when it is read. */
export class JsonObject {
  readonly values: Values;
  readonly #file: string;
  /** Where in the file, such as `model.decoder`; empty for the whole. */
  readonly #place: string;
  readonly #code: RkllmErrorCode;

  constructor(file: string, place: string, values: Values, code: RkllmErrorCode) {
    this.#file = file;
    this.#place = place;
    this.values = values;
    this.#code = code;
  }

  object(key: string): JsonObject | undefined {
    const value = this.#get(key);
    if (value === undefined) return undefined;
    if (!isRecord(value)) throw this.invalid(key, 'an object');
    return this.#child(key, value);
  }

  /** The members of an array of objects; an absent array is empty. */
  objects(key: string): JsonObject[] {
    const value = this.#get(key);
    if (value === undefined) return [];
    if (!Array.isArray(value)) throw this.invalid(key, 'an array of objects');
    return value.map((member: unknown, i) => {
      if (!isRecord(member)) throw this.invalid(key, 'an array of objects');
      return this.#child(`${key}[${i}]`, member);
    });
  }

  string(key: string): string | undefined {
    const value = this.#get(key);
    if (value !== undefined && typeof value !== 'string') throw this.invalid(key, 'a string');
    return value;
  }

  boolean(key: string): boolean | undefined {
    const value = this.#get(key);
    if (value !== undefined && typeof value !== 'boolean') throw this.invalid(key, 'true or false');
    return value;
  }

  /** A finite number of at least `min`. */
  number(key: string, min: number): number | undefined {
    const value = this.#get(key);
    if (value === undefined) return undefined;
    // 1e999 is valid JSON.
    if (typeof value !== 'number' || value < min || value === Infinity) {
      throw this.invalid(key, `a finite number, at least ${min}`);
    }
    return value;
  }

  /** An integer of at least `min`. */
  integer(key: string, min: number): number | undefined {
    const value = this.#get(key);
    if (value === undefined) return undefined;
    if (!isInteger(value, min)) throw this.invalid(key, `an integer, at least ${min}`);
    return value;
  }

  /** A token id or an array of them; absent is empty. */
  tokenIds(key: string): readonly number[] {
    const value = this.#get(key);
    if (value === undefined) return [];
    const ids: readonly unknown[] = Array.isArray(value) ? value : [value];
    return ids.map((id) => {
      if (!isInteger(id, 0)) throw this.invalid(key, 'a token id or an array of token ids');
      return id;
    });
  }

  /** Reports that the value of `key` is not what was expected. */
  invalid(key: string, expected: string): RkllmError {
    const where = this.#place === '' ? key : `${this.#place}.${key}`;
    const found = key in this.values ? JSON.stringify(this.values[key]) : 'nothing';
    const shown = found.length > 80 ? `${found.slice(0, 80)}…` : found;
    return new RkllmError(
      this.#code,
      `${path.basename(this.#file)}: ${where} must be ${expected}, but it is ${shown}.`,
      { hint: restoreHint(this.#file), details: { file: this.#file, key: where } },
    );
  }

  #get(key: string): unknown {
    const value = Object.hasOwn(this.values, key) ? this.values[key] : undefined;
    return value ?? undefined; // these files write null for what is not set
  }

  #child(key: string, values: Values): JsonObject {
    return new JsonObject(this.#file, this.#place === '' ? key : `${this.#place}.${key}`, values, this.#code);
  }
}

/**
 * Reads a file that must hold a JSON object.
 *
 * @param code - of the error when it does not.
 * @returns undefined when there is no such file.
 */
export async function readJsonFile(file: string, code: RkllmErrorCode): Promise<JsonObject | undefined> {
  const text = await readTextFile(file, code);
  if (text === undefined) return undefined;
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch (cause) {
    const message = cause instanceof Error ? cause.message : String(cause);
    const place = placeOfMistake(message, text);
    const shown = place === undefined ? file : `${file}:${place.line}:${place.column}`;
    throw new RkllmError(code, `${shown} is not valid JSON: ${message}.`, {
      hint: restoreHint(file),
      details: { file, ...place },
      cause,
    });
  }
  if (!isRecord(value)) {
    throw new RkllmError(code, `${file} must hold a JSON object.`, { hint: restoreHint(file), details: { file } });
  }
  return new JsonObject(file, '', value, code);
}

/** V8 tells the position of some mistakes, and of others only what is around them. */
function placeOfMistake(message: string, text: string): { line: number; column: number } | undefined {
  const stated = /position (\d+)/.exec(message)?.[1];
  if (stated === undefined && !message.includes('end of JSON')) return undefined;
  const before = text.slice(0, stated === undefined ? undefined : Number(stated)).split('\n');
  return { line: before.length, column: (before.at(-1)?.length ?? 0) + 1 };
}

/** @returns undefined when there is no such file. */
export async function readTextFile(file: string, code: RkllmErrorCode): Promise<string | undefined> {
  try {
    // Reading a pipe or a device might never end.
    if (!(await stat(file)).isFile()) throw new Error('it is not a file');
    const text = await readFile(file, 'utf8');
    return text.startsWith('\uFEFF') ? text.slice(1) : text;
  } catch (cause) {
    if (isMissing(cause)) return undefined;
    throw cannotRead(file, code, cause);
  }
}

export function cannotRead(file: string, code: RkllmErrorCode, cause: unknown): RkllmError {
  const reason = cause instanceof Error ? cause.message : String(cause);
  return new RkllmError(code, `${file} cannot be read: ${reason}.`, {
    hint: 'Check the name and the permissions of the file.',
    details: { file },
    cause,
  });
}

/** Under a test runner the file system's errors are of another realm than this code. */
export function isMissing(error: unknown): boolean {
  return (
    types.isNativeError(error) &&
    'code' in error &&
    (error.code === 'ENOENT' || error.code === 'ENOTDIR' || error.code === 'ELOOP')
  );
}

export function isRecord(value: unknown): value is Values {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

export function isInteger(value: unknown, min: number): value is number {
  return typeof value === 'number' && Number.isSafeInteger(value) && value >= min;
}

function restoreHint(file: string): string {
  return `Restore ${path.basename(file)} from where the model was downloaded.`;
}
