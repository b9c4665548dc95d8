import { createContext, Script, type Context } from 'node:vm';
import { types } from 'node:util';

interface Sandbox extends Context {
  work?: () => unknown;
}

let sandbox: Sandbox | undefined;

/**
 * Does something that might never end, on this thread.
 *
 * @throws Error when it has been stopped, and what `work` throws.
 */
export function withinTime<T>(limitMs: number, work: () => T): T {
  sandbox ??= createContext({}) as Sandbox;
  let result: { readonly value: T } | undefined;
  sandbox.work = () => void (result = { value: work() });
  try {
    new Script('work()').runInContext(sandbox, { timeout: limitMs });
  } catch (error) {
    if (types.isNativeError(error) && 'code' in error && error.code === 'ERR_SCRIPT_EXECUTION_TIMEOUT') {
      throw new Error(`it did not end within ${limitMs} ms`, { cause: error });
    }
    throw error;
  } finally {
    delete sandbox.work;
  }
  if (result === undefined) throw new TypeError('the work was not done');
  return result.value;
}
