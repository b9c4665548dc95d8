import { onAbort } from '../../abort-listeners.js';
import { RkllmError } from '../../errors.js';
import type { BackendModel, BackendModelInfo, Capabilities, Run, RunInput, RunRequest } from '../backend.js';
import { ClientRun } from './client-run.js';
import { deferred, type Deferred } from '../../deferred.js';
import { startEngine, type EngineHost } from './engine-host.js';
import { fromPlainError, type EngineInit, type FromEngine } from './protocol.js';

const capabilities: Capabilities = {
  perRequestSampling: true,
  seed: true,
  kvReuse: true,
  tokenInput: true,
  countsTokens: true,
  slots: 1,
};

/**
 * The owner's side of one engine, from its start to its exit. All of it runs on the owner's thread. The engine keeps
 * the process alive only while it loads, runs or closes.
 */
class EngineClient {
  readonly #host: EngineHost;
  readonly #loaded = deferred<BackendModelInfo>();
  readonly #exited = deferred<RkllmError>();
  readonly #failed = deferred<never>();
  #run: ClientRun | undefined;
  /** What the engine has been asked to count. */
  readonly #counts = new Map<number, Deferred<number>>();
  #counted = 0;
  /** Set once the engine has exited. */
  #death: RkllmError | undefined;
  #closing = false;

  constructor() {
    // Whether anybody looks at these depends on how the load ends.
    this.#loaded.promise.catch(() => undefined);
    this.#failed.promise.catch(() => undefined);
    this.#host = startEngine({
      message: (message) => {
        this.#receive(message);
      },
      exited: (cause, exitCode) => {
        this.#exit(cause, exitCode);
      },
    });
  }

  get failed(): Promise<never> {
    return this.#failed.promise;
  }

  /** Rejects with the signal's reason when aborted; the engine may still be there then, see {@link close}. */
  async load(init: EngineInit, signal: AbortSignal | undefined): Promise<BackendModelInfo> {
    const unsubscribe = signal && onAbort(signal, () => this.#loaded.reject(signal.reason));
    this.#host.post({ type: 'load', init });
    try {
      return await this.#loaded.promise;
    } finally {
      unsubscribe?.();
    }
  }

  start(request: RunRequest): Run {
    const run = new ClientRun(() => {
      this.#host.post({ type: 'abort' });
    });
    if (this.#death !== undefined) {
      run.fail(this.#death);
      return run;
    }
    this.#run = run;
    this.#host.hold(true);
    this.#host.post({ type: 'run', request });
    return run;
  }

  async countTokens(input: RunInput): Promise<number> {
    if (this.#death !== undefined) throw this.#death;
    const id = this.#counted++;
    const count = deferred<number>();
    this.#counts.set(id, count);
    this.#host.hold(true);
    this.#host.post({ type: 'count', id, input });
    return count.promise;
  }

  /** Lets a process with nothing else to do end, unless the engine is at work. */
  rest(): void {
    if (this.#run === undefined && this.#counts.size === 0) this.#host.hold(false);
  }

  /** Asks the engine to go, and resolves when it is gone. */
  async close(): Promise<void> {
    if (this.#death !== undefined) return;
    this.#closing = true;
    this.#host.hold(true);
    this.#host.post({ type: 'close' });
    await this.#exited.promise;
  }

  #receive(message: FromEngine): void {
    switch (message.type) {
      case 'loaded':
        this.#loaded.resolve(message.info);
        break;
      case 'tokens':
        this.#run?.receive(message.batch);
        break;
      case 'ended':
        this.#takeRun()?.finish(message.end);
        break;
      case 'counted':
        this.#takeCount(message.id)?.resolve(message.tokens);
        break;
      case 'not-counted':
        this.#takeCount(message.id)?.reject(fromPlainError(message.error));
        break;
      case 'failed': {
        const error = fromPlainError(message.error);
        this.#loaded.reject(error); // does nothing once the model is loaded
        this.#takeRun()?.fail(error);
      }
    }
  }

  #exit(cause: Error | undefined, exitCode: number | null): void {
    const reason = cause === undefined ? `exit code ${String(exitCode)}` : cause.message;
    const error = new RkllmError('RKLLM_WORKER_FAILED', `The engine of the ONNX model ended unexpectedly: ${reason}.`, {
      hint: 'Load the model again. If it happens repeatedly, see whether the system is short of memory.',
      details: { exitCode },
      cause,
    });
    this.#death = error;
    this.#exited.resolve(error);
    this.#loaded.reject(error);
    this.#takeRun()?.fail(error);
    for (const count of this.#counts.values()) count.reject(error);
    this.#counts.clear();
    if (!this.#closing) this.#failed.reject(error);
  }

  #takeRun(): ClientRun | undefined {
    const run = this.#run;
    this.#run = undefined;
    if (run !== undefined && !this.#closing) this.rest();
    return run;
  }

  #takeCount(id: number): Deferred<number> | undefined {
    const count = this.#counts.get(id);
    this.#counts.delete(id);
    if (!this.#closing) this.rest();
    return count;
  }
}

/** Starts an engine and loads a model into it. After a rejection no engine is left running. */
export async function loadInEngine(init: EngineInit, signal: AbortSignal | undefined): Promise<BackendModel> {
  signal?.throwIfAborted();
  const client = new EngineClient();
  let info: BackendModelInfo;
  try {
    info = await client.load(init, signal);
  } catch (error) {
    await client.close();
    throw error;
  }
  client.rest();
  return {
    info,
    capabilities,
    failed: client.failed,
    recoverable: true, // its worker is gone, and all that it had
    start: (request) => client.start(request),
    countTokens: (input) => client.countTokens(input),
    dispose: () => client.close(),
  };
}
