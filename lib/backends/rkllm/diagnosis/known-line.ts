import type { RkllmErrorCode } from '../../../errors.js';
import type { RuntimeFacts } from './runtime-facts.js';

/** What the runtime was doing when the lines were printed. */
export type DiagnosedPhase = 'load' | 'run';

/** What is known besides the lines themselves. */
export interface Circumstances {
  readonly phase: DiagnosedPhase;
  /** What the runtime has said of itself, the board and the model. */
  readonly facts: RuntimeFacts;
  /** The driver's version as the system tells it (`/sys/module/rknpu/version`): then there is a driver. */
  readonly installedDriver?: string | undefined;
}

/** What a line means. */
export interface Explanation {
  /** Only where the circumstances decide; else {@link KnownLine.code}. */
  readonly code?: RkllmErrorCode;
  /** What was found, as a full sentence. */
  readonly summary: string;
  /** The next step, as full sentences. */
  readonly hint: string;
  /** Figures and names that the line has. */
  readonly details?: Readonly<Record<string, unknown>>;
}

/**
 * How much a line explains. A `cause` explains most; a `symptom` is what a cause may look like further on; a `death` says
 * that the process ends; a `consequence` only that what was tried has failed. A `warning` is no failure by itself.
 */
export type Weight = 'cause' | 'symptom' | 'death' | 'consequence' | 'warning';

/** A line that the runtime is known to print. */
export interface KnownLine {
  /** As it was seen, with its mark. */
  readonly example: string;
  /** Fits the text of the line, without its mark. */
  readonly pattern: RegExp;
  readonly code: RkllmErrorCode;
  readonly weight: Weight;
  /** Who prints it has not loaded the model, whatever `rkllm_init` returns. */
  readonly initFailed?: true;
  /** Who prints it has computed nonsense, whatever `rkllm_run` returns. */
  readonly runFailed?: true;
  explain(groups: Readonly<Record<string, string | undefined>>, circumstances: Circumstances): Explanation;
}
