import { diagnose, initFailedSilently, runFailedSilently, type Diagnosis } from '../diagnosis/index.js';
import { factsIn, type RuntimeFacts } from '../diagnosis/runtime-facts.js';
import type { DriverEvent } from '../driver.js';
import type { LastLines } from '../runtime-log/last-lines.js';
import type { RuntimeLogLine } from '../runtime-log/line.js';
import type { HostReport } from './messages.js';

export type ReportedEvent = Extract<HostReport, { type: 'event' }>['event'];

/** Explains what happens by what the runtime has printed about it. */
export class Explainer {
  /** Printed since the runtime was last idle. */
  readonly #lines: LastLines;
  /** What the load has said of the board and the model. */
  #facts: RuntimeFacts = {};

  constructor(lines: LastLines) {
    this.#lines = lines;
  }

  event(event: ReportedEvent): DriverEvent {
    const lines = this.#lines.list();
    switch (event.type) {
      case 'loaded':
        this.#facts = factsIn(lines);
        return event.generation === '1.1' && initFailedSilently(lines) ? this.#silentLoadFailure(lines) : event;
      case 'failed':
        return event.code === 'RKLLM_INIT_FAILED' ? { ...event, diagnosis: this.diagnosis('load') } : event;
      case 'ended':
        if (event.outcome === 'failed') return { ...event, diagnosis: this.diagnosis('run') };
        return event.outcome !== 'aborted' && runFailedSilently(lines) ? this.#silentRunFailure(event) : event;
      case 'performed':
        return event.returned === 0 ? event : { ...event, diagnosis: this.diagnosis('run') };
      default:
        return event;
    }
  }

  diagnosis(phase: 'load' | 'run'): Diagnosis | undefined {
    return diagnose(this.#lines.list(), { phase, facts: this.#facts });
  }

  /** Releases before 1.2.0 may say that they have loaded what they have not, and crash when it is used. */
  #silentLoadFailure(lines: readonly RuntimeLogLine[]): DriverEvent {
    const diagnosis = diagnose(lines, { phase: 'load' });
    return {
      type: 'failed',
      code: 'RKLLM_INIT_FAILED',
      message: 'The runtime has said that the model is loaded, but has printed that it is not.',
      details: { returned: '0' },
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
    return { ...event, outcome: 'failed', message, diagnosis: this.diagnosis('run') };
  }
}
