import { RkllmError, type RkllmErrorCode } from '../../errors.js';
import type { ScriptedFailure } from './script.js';

const hint = 'The script of the scripted backend asks for it; change the script if the test does not want it.';

export function scriptedFailure(
  defaultCode: RkllmErrorCode,
  when: string,
  { code = defaultCode, message = `The script wants a failure ${when}.` }: ScriptedFailure = {},
): RkllmError {
  return new RkllmError(code, message, { hint });
}

/** What a model dies of; unless the script says otherwise, as the death of a worker is reported. */
export function crash(
  when: string,
  { code = 'RKLLM_WORKER_FAILED', message = `The scripted model died ${when}.` }: ScriptedFailure = {},
): RkllmError {
  return new RkllmError(code, message, { hint });
}
