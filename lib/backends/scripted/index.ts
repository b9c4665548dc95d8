import { onAbort } from '../../abort-listeners.js';
import { checkOptions } from '../../options/check.js';
import type { Backend, BackendModel, LoadRequest } from '../backend.js';
import { checkScript } from './answer.js';
import { realClock } from '../clock.js';
import { crash, scriptedFailure } from './failures.js';
import { ScriptedModel, type ModelContext } from './model.js';
import type { ScriptedRequest, ScriptedRun } from './run.js';
import { failureTable, type CheckedScript, type Script, type ScriptedFailure } from './script.js';

export type { Clock } from '../clock.js';
export { manualClock, type ManualClock } from './clock.js';
export type { ScriptedRequest } from './run.js';
export type {
  Replier,
  Script,
  ScriptedAnswer,
  ScriptedFailure,
  ScriptedLoad,
  ScriptedReply,
  ScriptedToken,
  ScriptedTokens,
} from './script.js';

/** A scripted backend, with the record of what it was asked. */
export interface ScriptedBackend extends Backend {
  /** What was asked to be loaded, also where that failed. */
  readonly loads: readonly LoadRequest[];
  /** The generations that reached the engine, of all its models, in the order of their start. */
  readonly requests: readonly ScriptedRequest[];
  /** How many of its models were freed. */
  readonly disposals: number;
  /**
   * Lets all its models die now, as the death of a worker or process does: what runs and what waits fails with
   * `RKLLM_WORKER_FAILED`, and `model.state` is `'failed'`; with `onCrash: 'restart'` they are loaded again. What is being
   * loaded dies, too.
   *
   * @param failure - what they die of. Its code is by default `RKLLM_WORKER_FAILED`.
   * @throws RkllmError `RKLLM_INVALID_OPTION`, `RKLLM_UNKNOWN_OPTION`.
   */
  crash(failure?: ScriptedFailure): void;
}

/**
 * A backend for tests: no model, no native code, the same answer every time.
 *
 * @param script - what the model writes, when, and what goes wrong.
 * @throws RkllmError `RKLLM_INVALID_OPTION`, `RKLLM_UNKNOWN_OPTION`. What a `reply` function returns is checked when it
 * is used: the generation then fails with these.
 *
 * @example
 * const backend = scripted({ reply: 'Hello world' });
 * const model = await loadModel(undefined, { backend });
 * await model.generate('Hi'); // text: 'Hello world'
 * backend.requests[0].prompt; // '<|user|>\nHi<|end|>\n<|assistant|>\n'
 */
export function scripted(script: Script = {}): ScriptedBackend {
  return new RecordingBackend(checkScript(script));
}

class RecordingBackend implements ScriptedBackend {
  readonly name = 'scripted';
  readonly loads: LoadRequest[] = [];
  readonly requests: ScriptedRun[] = [];
  disposals = 0;
  readonly #script: CheckedScript;
  readonly #models: ScriptedModel[] = [];
  readonly #loading = new Set<AbortController>();

  constructor(script: CheckedScript) {
    this.#script = script;
  }

  /** Its own: backends are made of others by spreading them. */
  readonly load = async (request: LoadRequest): Promise<BackendModel> => {
    const { failLoad, clock = realClock } = this.#script;
    const failure = failLoad[Math.min(this.loads.length, failLoad.length - 1)];
    this.loads.push(request);
    request.onPhase?.('load');
    await this.#take(request.signal);
    if (failure !== undefined) throw scriptedFailure('RKLLM_INIT_FAILED', 'of the load', failure);
    const model = new ScriptedModel(request, this.#context(clock));
    this.#models.push(model);
    return model;
  };

  readonly crash = (failure?: ScriptedFailure): void => {
    const error = crash('because the test lets it', checkOptions('crash()', failureTable, failure));
    for (const load of this.#loading) load.abort(error);
    for (const model of this.#models) model.die(error);
  };

  /** The time that a load takes. */
  async #take(signal: AbortSignal | undefined): Promise<void> {
    const { loadMs = 0, clock = realClock } = this.#script;
    const stop = new AbortController();
    signal?.throwIfAborted();
    const unsubscribe = signal && onAbort(signal, () => stop.abort(signal.reason));
    this.#loading.add(stop);
    try {
      if (loadMs > 0) await clock.sleep(loadMs, stop.signal);
    } catch (error) {
      // A signal makes Node's timers reject with an error of their own; the load rejects with the reason.
      stop.signal.throwIfAborted();
      throw error;
    } finally {
      this.#loading.delete(stop);
      unsubscribe?.();
    }
    stop.signal.throwIfAborted();
  }

  #context(clock: ModelContext['clock']): ModelContext {
    return {
      script: this.#script,
      clock,
      onStart: (start) => {
        const run = start(this.requests.length);
        this.requests.push(run);
        return run;
      },
      onDispose: () => this.disposals++,
    };
  }
}
