import { onAbort } from '../../abort-listeners.js';
import { RkllmError } from '../../errors.js';
import type { BackendModel, Capabilities, ComputedOutput, Run, RunInput, RunRequest } from '../backend.js';
import type { Matrix } from '../runtime-controls.js';
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
  constrainedJson: true,
  mirostat: true,
  slots: 1,
};

/** What a model that has been loaded can do. */
type LoadedModel = Omit<Extract<FromEngine, { type: 'loaded' }>, 'type'>;

/**
 * The owner's side of one engine, from its start to its exit. All of it runs on the owner's thread. The engine keeps
 * the process alive only while it loads, runs or closes.
 */
class EngineClient {
  readonly #host: EngineHost;
  readonly #loaded = deferred<LoadedModel>();
  readonly #exited = deferred<RkllmError>();
  readonly #failed = deferred<never>();
  #run: ClientRun | undefined;
  #computing: Deferred<Matrix | undefined> | undefined;
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
  async load(init: EngineInit, signal: AbortSignal | undefined): Promise<LoadedModel> {
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

  /** Rejects with the reason of the signal once the engine is idle. */
  async compute(output: ComputedOutput, input: RunInput, signal: AbortSignal): Promise<Matrix> {
    signal.throwIfAborted();
    if (this.#death !== undefined) throw this.#death;
    const computing = deferred<Matrix | undefined>();
    this.#computing = computing;
    this.#host.hold(true);
    this.#host.post({ type: 'compute', output, input });
    const unsubscribe = onAbort(signal, () => this.#host.post({ type: 'abort' }));
    try {
      const matrix = await computing.promise;
      if (matrix !== undefined) return matrix;
      signal.throwIfAborted();
      throw new RkllmError('RKLLM_DISPOSED', 'The model was disposed before this was computed.', {
        hint: 'Await what is being computed before you dispose the model.',
      });
    } finally {
      unsubscribe();
    }
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
    const isIdle = this.#run === undefined && this.#computing === undefined;
    if (isIdle && this.#counts.size === 0) this.#host.hold(false);
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
        this.#loaded.resolve(message);
        break;
      case 'computed':
        this.#takeComputing()?.resolve(message.matrix);
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
        this.#takeComputing()?.reject(error);
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
    this.#takeComputing()?.reject(error);
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

  #takeComputing(): Deferred<Matrix | undefined> | undefined {
    const computing = this.#computing;
    this.#computing = undefined;
    if (computing !== undefined && !this.#closing) this.rest();
    return computing;
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
  let loaded: LoadedModel;
  try {
    loaded = await client.load(init, signal);
  } catch (error) {
    await client.close();
    throw error;
  }
  client.rest();
  return {
    info: loaded.info,
    capabilities: {
      ...capabilities,
      hiddenStates: loaded.gives.includes('hiddenStates'),
      logits: loaded.gives.includes('logits'),
    },
    failed: client.failed,
    recoverable: true, // its worker is gone, and all that it had
    start: (request) => client.start(request),
    countTokens: (input) => client.countTokens(input),
    compute: (output, input, signal) => client.compute(output, input, signal),
    dispose: () => client.close(),
  };
}
