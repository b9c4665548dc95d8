import { RkllmError } from '../../../errors.js';
import type { Diagnosis } from '../diagnosis/index.js';

/** What the runtime was doing. `call` is a call of `model.runtime`. */
export type Phase = 'load' | 'prefill' | 'decode' | 'call' | 'abort' | 'dispose' | 'idle';

/** How the runtime's process ended. */
export interface Death {
  readonly phase: Phase;
  readonly signal: NodeJS.Signals | null;
  readonly exitCode: number | null;
  /** It was ended because what it sent made no sense. */
  readonly nonsense: string | undefined;
  readonly lastLines: readonly string[];
  /** What those lines say about the cause. */
  readonly diagnosis: Diagnosis | undefined;
}

/** The vendor's runtime has taken its process with it. */
export function crashed(death: Death): RkllmError {
  const { phase, signal, exitCode, lastLines, diagnosis } = death;
  const said = lastLines.length === 0 ? 'It printed nothing.' : `It printed last: ${lastLines.slice(-3).join(' | ')}`;
  return new RkllmError('RKLLM_RUNTIME_CRASHED', `The runtime ${howOf(death)} ${whileOf[phase]}. ${said}`, {
    hint: diagnosis === undefined ? hintFor(death) : `${diagnosis.summary} ${diagnosis.hint}`,
    details: { ...diagnosis?.details, phase, signal, exitCode, lastLines: [...lastLines] },
  });
}

const whileOf: Readonly<Record<Phase, string>> = {
  load: 'during the load',
  prefill: 'during a prefill',
  decode: 'during a decode',
  call: 'during a call of model.runtime',
  abort: 'during an abort',
  dispose: 'while it was disposed of',
  idle: 'while it was idle',
};

function howOf({ signal, exitCode, nonsense }: Death): string {
  if (nonsense !== undefined) return `sent what cannot be read (${nonsense}) and was ended`;
  if (signal !== null) return `crashed (${signal})`;
  return `ended its process with exit code ${exitCode ?? 'unknown'}`;
}

function hintFor({ signal, phase }: Death): string {
  if (signal === 'SIGKILL') {
    return 'Something has killed it: most often the system, for want of memory (see dmesg). Use a smaller model or a smaller maxContextLength.';
  }
  if (phase === 'load') {
    return 'The model may be damaged, too large for the memory of the NPU, or made for another SoC or a newer runtime. npx rkllm doctor looks for the cause.';
  }
  return "Load the model again, or load it with onCrash: 'restart'. npx rkllm doctor looks for a cause.";
}
