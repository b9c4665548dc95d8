import { diagnose, initFailedSilently } from '../diagnosis/index.js';
import type { DriverEvent } from '../driver.js';
import type { LastLines } from '../runtime-log/last-lines.js';
import type { HostReport } from './messages.js';

type ReportedEvent = Extract<HostReport, { type: 'event' }>['event'];

/** What happened, with what the runtime has printed about it. */
export function explainEvent(event: ReportedEvent, lines: LastLines): DriverEvent {
  switch (event.type) {
    case 'loaded':
      return event.generation === '1.1' && initFailedSilently(lines.list()) ? silentFailure(lines) : event;
    case 'failed':
      return event.code === 'RKLLM_INIT_FAILED'
        ? { ...event, diagnosis: diagnose(lines.list(), { phase: 'load' }) }
        : event;
    case 'ended':
      return event.outcome === 'failed' ? { ...event, diagnosis: diagnose(lines.list(), { phase: 'run' }) } : event;
    case 'performed':
      return event.returned === 0 ? event : { ...event, diagnosis: diagnose(lines.list(), { phase: 'run' }) };
    default:
      return event;
  }
}

/** Releases before 1.2.0 may say that they have loaded what they have not, and crash when it is used. */
function silentFailure(lines: LastLines): DriverEvent {
  const diagnosis = diagnose(lines.list(), { phase: 'load' });
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
