import type { Logger } from '../observe/logger.js';

/** Whether a value is an AbortSignal, also one of another realm (a test runner's sandbox, a worker). */
export function isAbortSignal(value: unknown): value is AbortSignal {
  return (
    typeof value === 'object' &&
    value !== null &&
    'aborted' in value &&
    typeof value.aborted === 'boolean' &&
    'addEventListener' in value &&
    typeof value.addEventListener === 'function' &&
    'throwIfAborted' in value &&
    typeof value.throwIfAborted === 'function'
  );
}

/** Whether a value has the methods of a {@link Logger}. */
export function isLogger(value: unknown): value is Logger {
  if (typeof value !== 'object' || value === null) return false;
  const methods = value as Readonly<Record<string, unknown>>;
  return ['debug', 'info', 'warn', 'error'].every((level) => typeof methods[level] === 'function');
}

/** Whether a value has the names and values of environment variables. */
export function isEnvironment(value: unknown): value is Readonly<Record<string, string>> {
  // Of any realm, and no array, Map or Date.
  if (typeof value !== 'object' || value === null || Object.prototype.toString.call(value) !== '[object Object]')
    return false;
  return Object.entries(value).every(([name, text]) => /^[^=\0]+$/u.test(name) && isText(text));
}

/** An adapter as it is given. */
interface AdapterShape {
  readonly name: string;
  readonly path: string;
  readonly scale?: number | undefined;
}

/** Whether a value is a list of adapters with different names. */
export function isAdapterList(value: unknown): value is readonly AdapterShape[] {
  if (!Array.isArray(value)) return false;
  const isAdapter = (item: unknown): item is AdapterShape => {
    if (typeof item !== 'object' || item === null || !('name' in item) || !('path' in item)) return false;
    const { name, path, scale, ...others } = item as Record<string, unknown>;
    const isScale = scale === undefined || (typeof scale === 'number' && Math.abs(scale) <= 1000);
    return isName(name) && isName(path) && isScale && Object.keys(others).length === 0;
  };
  const items = Array.from<unknown>(value);
  return items.every(isAdapter) && new Set(items.map(({ name }) => name)).size === items.length;
}

function isName(value: unknown): value is string {
  return isText(value) && value !== '';
}

/** Whether a value is a list of CPUs as the vendor's runtime numbers them. */
export function isCpuList(value: unknown): value is readonly number[] {
  if (!Array.isArray(value) || value.length === 0 || new Set(value).size !== value.length) return false;
  return Array.from<unknown>(value).every((cpu) => typeof cpu === 'number' && [0, 1, 2, 3, 4, 5, 6, 7].includes(cpu));
}

/** What `generateBatch()` tells of a piece of an answer: its row, the text, and the ids of its tokens. */
export type BatchListener = (row: number, text: string, tokenIds: readonly number[]) => void;

/** Whether a value is a function; what it takes cannot be seen. */
export function isBatchListener(value: unknown): value is BatchListener {
  return typeof value === 'function';
}

/** Whether a value can be the id of a token. */
export function isTokenId(id: unknown): id is number {
  return typeof id === 'number' && Number.isInteger(id) && id >= 0 && id <= 0x7fffffff;
}

/** Whether a value is a list of texts that can be looked for. */
export function isStopList(value: unknown): value is readonly string[] {
  // Array.from: every() would skip the holes of a sparse array.
  return Array.isArray(value) && Array.from<unknown>(value).every((item) => typeof item === 'string' && item !== '');
}

/** Whether a value is a list of ids that tokens can have. */
export function isTokenIdList(value: unknown): value is readonly number[] {
  return Array.isArray(value) && Array.from<unknown>(value).every(isTokenId);
}

/** Whether a value is a text that C takes as a whole; it may be empty. */
export function isText(value: unknown): value is string {
  return typeof value === 'string' && !value.includes('\0');
}

/** Of any realm. */
export function isFloats(value: unknown): value is Float32Array {
  return Object.prototype.toString.call(value) === '[object Float32Array]';
}

/** Of any realm. */
export function isTokenIdArray(value: unknown): value is Int32Array {
  return Object.prototype.toString.call(value) === '[object Int32Array]';
}

/** Whether a value is a list of ranges, whatever is in them. */
export function isKvRangeList(value: unknown): value is readonly { readonly from: number; readonly to: number }[] {
  const isRange = (range: unknown): boolean =>
    typeof range === 'object' && range !== null && 'from' in range && 'to' in range && Object.keys(range).length === 2;
  return Array.isArray(value) && Array.from<unknown>(value).every(isRange);
}
