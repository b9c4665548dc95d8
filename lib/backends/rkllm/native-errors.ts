import { RkllmError, type RkllmErrorCode } from '../../errors.js';
import { runtimeReleases } from '../../options/npu.js';
import type { Diagnosis } from './diagnosis/index.js';
import type { DriverEvent } from './driver.js';

type EventOf<Type extends DriverEvent['type']> = Extract<DriverEvent, { readonly type: Type }>;

/** What to do about a load that failed in C++. C++ says what was found; the next step is said here. */
export function toLoadError({ code, message, details, evidence, diagnosis, lastLines }: EventOf<'failed'>): RkllmError {
  const facts = withoutUndefined({ ...details, evidence, lastLines });
  if (diagnosis !== undefined) return explained(message, facts, diagnosis);
  return new RkllmError(code, message, { hint: hintFor(code, details, lastLines), details: facts });
}

type Lines = readonly string[] | undefined;

function hintFor(code: RkllmErrorCode, details: Readonly<Record<string, string>>, lastLines: Lines): string {
  if (code === 'RKLLM_RUNTIME_UNSUPPORTED') {
    return (
      `Use librkllmrt.so of a release from ${runtimeReleases[0]} to ${runtimeReleases.at(-1) ?? ''}, with a model that ` +
      'was converted for it. If it is one of those and its file does not say which, name it with the option runtimeVersion.'
    );
  }
  if (code === 'RKLLM_UNSUPPORTED_BY_RUNTIME' && details['since'] === undefined) {
    return 'Name the release with the option runtimeVersion, or leave the option out.';
  }
  if (code === 'RKLLM_UNSUPPORTED_BY_RUNTIME') return 'Leave the option out, or use a newer librkllmrt.so.';
  if (code === 'RKLLM_RUNTIME_INVALID') return hintForLinker(details['dlerror'] ?? '');
  if (code === 'RKLLM_INIT_FAILED') {
    return (
      `${whereItsReasonIs(lastLines)} Usual ones: the model ` +
      'was converted for another SoC or by a newer toolkit, maxContextLength is above what it was converted for, the ' +
      'NPU driver is missing or too old, or there is not enough memory.'
    );
  }
  return 'Load the model again.';
}

function hintForLinker(dlerror: string): string {
  if (dlerror.includes('libgomp.so')) return 'Install OpenMP: sudo apt-get install libgomp1.';
  if (/GLIBC(?:XX)?_/u.test(dlerror)) return 'The library needs a newer system: use a newer image of the board.';
  if (dlerror.includes('cannot open shared object file')) return 'Install the library that the message names.';
  return 'Take librkllmrt.so from the airockchip/rknn-llm release that your model was converted for.';
}

/** A run that was not accepted; the addon threw a plain error, of the realm that it was first loaded in. */
export function toStartError(error: unknown): RkllmError {
  const { message, code } = error as { message: string; code?: string };
  if (code === 'RKLLM_DISPOSED') {
    return new RkllmError('RKLLM_DISPOSED', message, { hint: 'Load the model again.', cause: error });
  }
  return new RkllmError('RKLLM_INVALID_INPUT', `The runtime cannot take this: ${message}.`, {
    hint: 'A prompt is a non-empty string without U+0000, or an Int32Array of token ids from 0; a path is one of those strings.',
    cause: error,
  });
}

/** A run that failed, or one that was aborted because its model goes. */
export function toRunError({ message, returned, outcome, diagnosis, lastLines }: EventOf<'ended'>): RkllmError {
  if (outcome === 'aborted') {
    return new RkllmError('RKLLM_DISPOSED', 'The model was disposed during the run.', {
      hint: 'Dispose it only after the last run.',
    });
  }
  const found = message ?? 'The run failed.';
  const facts = withoutUndefined({ returned, lastLines });
  if (diagnosis !== undefined) return explained(found, facts, diagnosis);
  return new RkllmError('RKLLM_RUN_FAILED', found, {
    hint: `A prompt that is longer than the context is refused without a reason: shorten it or load with a larger maxContextLength. ${whereItsReasonIs(lastLines)}`,
    details: facts,
  });
}

/** A call that the runtime has refused. */
export function toCallError({ function: name, returned, diagnosis, lastLines }: EventOf<'performed'>): RkllmError {
  const found = `${name} returned ${returned}.`;
  const facts = withoutUndefined({ function: name, returned, lastLines });
  if (diagnosis !== undefined) return explained(found, facts, diagnosis);
  return new RkllmError('RKLLM_RUN_FAILED', found, { hint: whereItsReasonIs(lastLines), details: facts });
}

function whereItsReasonIs(lastLines: Lines): string {
  if (lastLines === undefined) {
    return 'The runtime prints its reason on stdout, in lines that start with "E rkllm:" or "E RKNN:".';
  }
  if (lastLines.length > 0) return 'What the runtime has printed is in details.lastLines.';
  return "The runtime has printed nothing; runtimeEnv: { RKLLM_LOG_LEVEL: '1' } makes it say more.";
}

function withoutUndefined(facts: Readonly<Record<string, unknown>>): Readonly<Record<string, unknown>> {
  return Object.fromEntries(Object.entries(facts).filter(([, value]) => value !== undefined));
}

/** What the runtime printed says more than what it returned. */
function explained(found: string, facts: Readonly<Record<string, unknown>>, diagnosis: Diagnosis): RkllmError {
  const { code, summary, hint, details } = diagnosis;
  return new RkllmError(code, `${summary} ${found}`, { hint, details: { ...facts, ...details } });
}

/** What the vendor's library was doing when it was given up. */
export type HungWhile = 'load' | 'prefill' | 'decode' | 'call' | 'abort' | 'dispose';

/** The vendor's library does not come back. */
export function hung(phase: HungWhile, afterMs: number, isolated: boolean): RkllmError {
  const { found, option, cause } = hangs[phase];
  const stuck = isolated
    ? 'Its process was ended: load the model again. If it hangs again, reboot the board.'
    : 'Otherwise it is most likely stuck in the NPU driver: end the process; if that does not help, reboot the board.';
  return new RkllmError('RKLLM_RUNTIME_HUNG', `The runtime ${found} ${afterMs / 1000} s.`, {
    hint: `${cause} may need longer: load with a larger ${option}. ${stuck}`,
    details: { phase, afterMs },
  });
}

interface Hang {
  readonly found: string;
  readonly option: string;
  readonly cause: string;
}

const silent = 'has given no sign of life for';
const stopped = {
  found: 'has not come back from being told to stop within',
  option: 'abortTimeoutMs',
  cause: 'A long prompt',
};
const hangs: Readonly<Record<HungWhile, Hang>> = {
  load: { found: 'has not loaded the model within', option: 'loadTimeoutMs', cause: 'Slow storage' },
  prefill: { found: silent, option: 'stallTimeoutMs', cause: 'A long prompt' },
  decode: { found: silent, option: 'stallTimeoutMs', cause: 'A large model' },
  call: { found: silent, option: 'stallTimeoutMs', cause: 'A large file' },
  abort: stopped,
  dispose: stopped,
};
