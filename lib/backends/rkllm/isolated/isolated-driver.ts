import type { ModelHandle, NativeLoadOptions, QuestionHandle, RunHandle } from '../addon.js';
import type { Driver, DriverEvent } from '../driver.js';
import { HostSession, type RemoteQuestionHandle, type Surroundings } from './host-session.js';
import type { RemoteRun } from './remote-run.js';

/** What stands for a model here. Forgotten, it takes the process with it. */
class RemoteModel {
  readonly session: HostSession;

  constructor(session: HostSession) {
    this.session = session;
  }
}

/**
 * The process keeps its session while it lives. What this refers to strongly would stay as long as the model, and a session
 * may refer to it: its last error does, by its stack, when a load was stopped.
 */
const forgotten = new FinalizationRegistry<WeakRef<HostSession>>((session) => session.deref()?.close());

/** Drives the vendor's library in a process of its own, one for each model. */
export class IsolatedDriver implements Driver {
  readonly isolated = true;
  readonly #surroundings: Surroundings;

  constructor(surroundings: Surroundings) {
    this.#surroundings = surroundings;
  }

  /** @throws RkllmError `RKLLM_WORKER_FAILED`. */
  load(options: NativeLoadOptions, onEvent: (event: DriverEvent) => void): ModelHandle {
    const session = new HostSession(options, this.#surroundings, onEvent);
    const model = new RemoteModel(session);
    forgotten.register(model, new WeakRef(session));
    return model as unknown as ModelHandle;
  }

  start(model: ModelHandle, id: number, ...input: StartArguments): RunHandle {
    return sessionOf(model).start(id, ...input) as unknown as RunHandle;
  }

  perform(model: ModelHandle, id: number, operation: Parameters<HostSession['perform']>[1]): void {
    sessionOf(model).perform(id, operation);
  }

  drain(run: RunHandle): ReturnType<RemoteRun['drain']> {
    return runOf(run).drain();
  }

  arm(run: RunHandle): boolean {
    return runOf(run).arm();
  }

  /** Always heard: the other process asks again where that is needed. */
  abort(model: ModelHandle, run: RunHandle): boolean {
    sessionOf(model).abort(runOf(run));
    return true;
  }

  answer(question: QuestionHandle, values: Int32Array | Float32Array | undefined): boolean {
    const { session, number } = question as unknown as RemoteQuestionHandle;
    return session.answer(number, values);
  }

  dispose(model: ModelHandle): void {
    sessionOf(model).dispose();
  }

  abandon(model: ModelHandle): void {
    sessionOf(model).abandon();
  }

  left(model: ModelHandle): Promise<unknown> {
    return sessionOf(model).left;
  }
}

type StartArguments = Parameters<HostSession['start']> extends [number, ...infer Rest] ? Rest : never;

// The handles of a driver are opaque: nobody else looks into them.

function sessionOf(model: ModelHandle): HostSession {
  return (model as unknown as RemoteModel).session;
}

function runOf(run: RunHandle): RemoteRun {
  return run as unknown as RemoteRun;
}
