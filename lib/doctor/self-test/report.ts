import type { ModelName } from '../../backends/rkllm/model-name.js';
import type { RuntimeEvidence } from '../../backends/model-info.js';
import type { Clock } from '../../board/clocks.js';

/** Figures and words; undefined: not known. */
export type Measured = Readonly<Record<string, number | string | boolean | undefined>>;

/**
 * `'running'` in a report means that the process ended in that step. `'timed-out'`: it took longer than it may.
 * `'skipped'`: it makes no sense with this model, or after what went before.
 */
export type StepOutcome = 'running' | 'passed' | 'failed' | 'timed-out' | 'skipped';

/** One step of the script. */
export interface SelfTestStep {
  readonly id: string;
  readonly title: string;
  readonly outcome: StepOutcome;
  /** Milliseconds; undefined while it runs. */
  readonly durationMs: number | undefined;
  /** Why it was not passed. */
  readonly reason?: string;
  readonly measured: Measured;
  readonly error?: {
    readonly code: string;
    readonly message: string;
    readonly hint: string;
    /** What the runtime had printed by then; absent where that is not known. */
    readonly lastLines?: readonly string[];
  };
}

/** Plain values: it survives `JSON.stringify`. Prompts and answers are not part of it. */
export interface SelfTestReport {
  /** Of this layout. */
  readonly format: 1;
  /** Of this package. */
  readonly version: string;
  /** Such as `2026-01-31`. */
  readonly date: string;
  /** It came to its end, and no step has failed or timed out. */
  readonly ok: boolean;
  /** Something did not end: only the end of the process frees it. */
  readonly leftRunning: boolean;
  readonly machine: {
    readonly platform: string;
    readonly arch: string;
    readonly node: string;
    readonly glibc: string | undefined;
    /** Release of the kernel. */
    readonly kernel: string;
    readonly board: string | undefined;
    readonly chip: string | undefined;
    readonly driver: string | undefined;
    readonly memoryBytes: number | undefined;
    readonly clocks: readonly Clock[];
  };
  readonly model: {
    /** Name of the file or directory, without where it is. */
    readonly file: string | undefined;
    readonly bytes: number | undefined;
    /** What the name says; undefined for models that are not for the NPU. */
    readonly named: ModelName | undefined;
    /** Release of the toolkit, as the file says. */
    readonly toolkit: string | undefined;
  };
  /** As the loaded model says; undefined: it was never loaded. */
  readonly loaded: LoadedFacts | undefined;
  readonly steps: readonly SelfTestStep[];
}

export interface LoadedFacts {
  readonly backend: string;
  readonly embedded: boolean;
  readonly contextLength: number;
  readonly quantization: string | undefined;
  readonly template: string | undefined;
  readonly runtime:
    | {
        readonly version: string | undefined;
        readonly generation: string;
        readonly evidence: readonly RuntimeEvidence[];
      }
    | undefined;
}
