import { randomUUID } from 'node:crypto';
import { deferred } from '../../../deferred.js';
import { RkllmError, type RkllmErrorCode } from '../../../errors.js';
import type { NativeAddon, NativeLoadOptions, QuestionHandle } from '../addon.js';
import type { DriverEvent } from '../driver.js';
import { LastLines } from '../runtime-log/last-lines.js';
import type { RuntimeLogLine } from '../runtime-log/line.js';
import { crashed, type Phase } from './crash.js';
import { Explainer, printable, type Known, type ReportedEvent } from './explain.js';
import type { Frame } from './frames.js';
import { HeldReports } from './held-reports.js';
import { HostProcess, type Exit, type HostListener } from './host-process.js';
import type { HostReport, HostRequest, PlainError, RemoteQuestion } from './messages.js';
import { RemoteRun } from './remote-run.js';

/**
 * `unloaded`: the load has failed, and its process is still there. `stopping`: that process is being ended. `disposed`: it
 * ends by itself. `gone`: no event follows any more.
 */
type State = 'loading' | 'unloaded' | 'loaded' | 'disposing' | 'stopping' | 'disposed' | 'gone';

/** What is around the runtime. */
export interface Surroundings {
  /** Of its process. */
  readonly environment: Readonly<Record<string, string>>;
  readonly known: Known;
}

/** A question of the runtime, as its receiver holds it. */
export interface RemoteQuestionHandle {
  readonly session: HostSession;
  readonly number: number;
}

type Start = Parameters<NativeAddon['start']>;

/** One model in a process of its own, as the addon has it in this one. Each request holds the event loop until it ends. */
export class HostSession implements HostListener {
  readonly #onEvent: (event: DriverEvent) => void;
  readonly #process: HostProcess;
  readonly #runs = new Map<number, RemoteRun>();
  readonly #calls = new Set<number>();
  readonly #held: HeldReports;
  readonly #lastLines = new LastLines();
  /** Printed since the runtime was last idle: what a failure is explained by. */
  readonly #recentLines = new LastLines();
  readonly #explainer: Explainer;
  #state: State = 'loading';
  #question: number | undefined;
  readonly #left = deferred<undefined>();

  /** Resolves when there is no process any more. */
  readonly left: Promise<undefined> = this.#left.promise;

  /** @throws RkllmError `RKLLM_WORKER_FAILED`. */
  constructor(options: NativeLoadOptions, { environment, known }: Surroundings, onEvent: (event: DriverEvent) => void) {
    this.#onEvent = onEvent;
    this.#explainer = new Explainer(this.#recentLines, known);
    const logMark = `rkllm-mark-${randomUUID()}`;
    this.#held = new HeldReports(logMark, (report) => this.#onReport(report));
    this.#process = new HostProcess(environment, this);
    this.#process.hold();
    this.#process.send({ type: 'load', options, logMark });
  }

  /** It waits behind the load. @throws RkllmError `RKLLM_DISPOSED`; so does {@link perform}. */
  start(id: number, input: Start[2], options: Start[3]): RemoteRun {
    this.#request({ type: 'start', run: id, input, options });
    const run = new RemoteRun(id, () => this.#onEvent({ type: 'readable', run: id }));
    this.#runs.set(id, run);
    return run;
  }

  perform(id: number, operation: Parameters<NativeAddon['perform']>[2]): void {
    this.#request({ type: 'perform', call: id, operation });
    this.#calls.add(id);
  }

  abort(run: RemoteRun): void {
    if (this.#runs.get(run.id) !== run || run.aborting) return;
    run.aborting = true;
    this.#process.send({ type: 'abort', run: run.id });
  }

  answer(question: number, values: Parameters<NativeAddon['answer']>[1]): boolean {
    if (this.#question !== question || this.#state === 'gone') return false;
    this.#process.send({ type: 'answer', question, values }); // what cannot be sent is no answer yet
    this.#question = undefined;
    return true;
  }

  /** A load is not waited for: it ends with its process. */
  dispose(): void {
    if (this.#state === 'loaded') {
      this.#state = 'disposing';
      this.#process.hold();
      this.#process.send({ type: 'dispose' });
    } else if (this.#state === 'loading' || this.#state === 'unloaded') {
      this.#stop();
    }
  }

  /** Ends the process, whatever it does; no event follows. */
  abandon(): void {
    this.#state = 'gone';
    this.#process.abandon();
  }

  /** Nobody can ask for anything any more: the runtime leaves, and its process with it. */
  close(): void {
    if (this.#state === 'gone') return;
    this.#state = 'disposed';
    this.#process.close();
  }

  onFrame(frame: Frame): void {
    if (frame.kind === 'tokens') {
      this.#runs.get(frame.run)?.push(frame.batch);
      return;
    }
    const report = frame.clone as HostReport;
    const withMatrix = frame.kind === 'matrix' && report.type === 'event' && report.event.type === 'ended';
    this.#held.take(withMatrix ? { ...report, event: { ...report.event, matrix: frame.matrix } } : report);
  }

  onLine(line: RuntimeLogLine): void {
    if (this.#held.takeMark(line.text)) return;
    this.#lastLines.push(line);
    this.#recentLines.push(line);
    this.#onEvent({ type: 'printed', line });
  }

  onUnstartable(error: RkllmError): void {
    this.#left.resolve(undefined);
    this.#lose(error);
  }

  onExit(exit: Exit): void {
    this.#left.resolve(undefined);
    this.#held.giveAll();
    if (this.#state === 'stopping' || this.#state === 'disposed') {
      this.#state = 'gone';
      this.#onEvent({ type: 'disposed' });
    } else if (this.#state !== 'gone') {
      const phase = this.#phase();
      const lastLines = printable(this.#lastLines.list());
      const diagnosis = this.#explainer.diagnosis(phase === 'load' ? 'load' : 'run');
      this.#lose(crashed({ ...exit, phase, lastLines, diagnosis }));
    }
  }

  #stop(): void {
    const before = this.#state;
    this.#state = 'stopping';
    this.#process.hold();
    this.#process.kill();
    if (before === 'loading') this.#onEvent({ type: 'failed', ...loadStopped });
    for (const run of this.#runs.keys()) this.#onEvent({ type: 'ended', run, outcome: 'aborted', returned: 0 });
    this.#runs.clear();
  }

  #request(request: HostRequest): void {
    if (!['loading', 'unloaded', 'loaded'].includes(this.#state)) throw disposed();
    if (this.#runs.size + this.#calls.size === 0) this.#recentLines.clear();
    this.#process.send(request);
    this.#process.hold();
  }

  #onReport(report: HostReport): void {
    if (this.#state === 'stopping' || this.#state === 'gone') return;
    if (report.type === 'asked') {
      this.#ask(report.event);
    } else if (report.type === 'event') {
      this.#onReportedEvent(report.event);
    } else {
      this.#process.kill();
      this.#lose(toRkllmError(report.error));
    }
  }

  #ask({ question, ...rest }: RemoteQuestion): void {
    this.#question = question;
    const handle: RemoteQuestionHandle = { session: this, number: question };
    this.#onEvent({ ...rest, question: handle as unknown as QuestionHandle });
  }

  #onReportedEvent(event: ReportedEvent): void {
    if (event.type === 'identified') {
      this.#onEvent(event);
      return;
    }
    this.#question = undefined;
    if (event.type === 'disposed') {
      // Its memory is free when the process is gone; that is told then.
      this.#state = 'disposed';
      this.#process.close();
      return;
    }
    if (event.type === 'ended' || (event.type === 'refused' && event.what === 'run')) {
      this.#runs.delete(event.type === 'ended' ? event.run : event.id);
    } else if (event.type === 'performed' || event.type === 'refused') {
      this.#calls.delete(event.type === 'performed' ? event.call : event.id);
    }
    const explained = this.#explainer.event(event);
    if (event.type === 'loaded') this.#state = explained.type === 'loaded' ? 'loaded' : 'unloaded';
    if (event.type === 'failed') this.#state = 'unloaded';
    this.#onEvent(explained);
    this.#process.release();
  }

  #lose(error: RkllmError): void {
    this.#state = 'gone';
    this.#runs.clear();
    this.#calls.clear();
    this.#process.abandon();
    this.#onEvent({ type: 'lost', error });
  }

  #phase(): Phase {
    if (this.#state === 'loading' || this.#state === 'unloaded') return 'load';
    if (this.#state === 'disposing') return 'dispose';
    const [run] = this.#runs.values();
    if (run === undefined) return this.#calls.size > 0 ? 'call' : 'idle';
    if (run.aborting) return 'abort';
    return run.decodes ? 'decode' : 'prefill';
  }
}

const loadStopped = { code: 'RKLLM_DISPOSED', message: 'The load was stopped.', details: {} } as const;

function disposed(): RkllmError {
  return new RkllmError('RKLLM_DISPOSED', 'The model has been disposed.', { hint: 'Load the model again.' });
}

function toRkllmError({ code, message, hint, details }: PlainError): RkllmError {
  return new RkllmError(code as RkllmErrorCode, message, { hint, details });
}
