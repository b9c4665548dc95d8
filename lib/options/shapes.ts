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

/** Whether a value is a list of texts that can be looked for. */
export function isStopList(value: unknown): value is readonly string[] {
  // Array.from: every() would skip the holes of a sparse array.
  return Array.isArray(value) && Array.from<unknown>(value).every((item) => typeof item === 'string' && item !== '');
}
