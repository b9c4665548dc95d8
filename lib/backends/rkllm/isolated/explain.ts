import {
  diagnose,
  initFailedSilently,
  runFailedSilently,
  type Diagnosis,
  type DiagnosisContext,
} from '../diagnosis/index.js';
import { factsIn } from '../diagnosis/runtime-facts.js';
import type { DriverEvent } from '../driver.js';
import type { LastLines } from '../runtime-log/last-lines.js';
import { formatLogLine, type RuntimeLogLine } from '../runtime-log/line.js';
import type { HostReport } from './messages.js';

export type ReportedEvent = Extract<HostReport, { type: 'event' }>['event'];

/** What is known of the board and the model before the runtime says anything. */
export type Known = Omit<DiagnosisContext, 'phase'>;

/** Explains what happens by what the runtime has printed about it. */
export class Explainer {
  /** Printed since the runtime was last idle. */
  readonly #lines: LastLines;
  /** The load adds what it says of the board and the model. */
  #known: Known;

  constructor(lines: LastLines, known: Known) {
    this.#lines = lines;
    this.#known = known;
  }

  event(event: ReportedEvent): DriverEvent {
    const lines = this.#lines.list();
    switch (event.type) {
      case 'loaded':
        this.#known = { ...this.#known, facts: { ...this.#known.facts, ...factsIn(lines) } };
        return event.generation === '1.1' && initFailedSilently(lines) ? this.#silentLoadFailure() : event;
      case 'failed':
        return event.code === 'RKLLM_INIT_FAILED' ? { ...event, ...this.#explanation('load') } : event;
      case 'ended':
        if (event.outcome === 'failed') return { ...event, ...this.#explanation('run') };
        return event.outcome !== 'aborted' && runFailedSilently(lines) ? this.#silentRunFailure(event) : event;
      case 'performed':
        return event.returned === 0 ? event : { ...event, ...this.#explanation('run') };
      default:
        return event;
    }
  }

  diagnosis(phase: 'load' | 'run'): Diagnosis | undefined {
    return diagnose(this.#lines.list(), { ...this.#known, phase });
  }

  #explanation(phase: 'load' | 'run'): { lastLines: readonly string[]; diagnosis: Diagnosis | undefined } {
    return { lastLines: printable(this.#lines.list()), diagnosis: this.diagnosis(phase) };
  }

  /** Releases before 1.2.0 may say that they have loaded what they have not, and crash when it is used. */
  #silentLoadFailure(): DriverEvent {
    const { lastLines, diagnosis } = this.#explanation('load');
    return {
      type: 'failed',
      code: 'RKLLM_INIT_FAILED',
      message: 'The runtime has said that the model is loaded, but has printed that it is not.',
      details: { returned: '0' },
      lastLines,
      diagnosis: diagnosis && {
        ...diagnosis,
        code: 'RKLLM_INIT_FAILED',
        details: { ...diagnosis.details, cause: diagnosis.code },
      },
    };
  }

  /** What it has written is nonsense. */
  #silentRunFailure(event: Extract<ReportedEvent, { type: 'ended' }>): DriverEvent {
    const message = 'The runtime has said that the run is complete, but has printed that it has failed.';
    return { ...event, outcome: 'failed', message, ...this.#explanation('run') };
  }
}

/** As the runtime has printed them. */
export function printable(lines: readonly RuntimeLogLine[]): string[] {
  return lines.map(formatLogLine);
}
