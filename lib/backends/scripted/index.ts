import type { Backend, BackendModel, LoadRequest } from '../backend.js';
import { checkScript } from './answer.js';
import { realClock } from './clock.js';
import { crash, scriptedFailure } from './failures.js';
import { ScriptedModel, type ModelContext } from './model.js';
import type { ScriptedRequest, ScriptedRun } from './run.js';
import type { CheckedScript, Script } from './script.js';

export { manualClock, type Clock, type ManualClock } from './clock.js';
export type { ScriptedRequest } from './run.js';
export type {
  Replier,
  Script,
  ScriptedAnswer,
  ScriptedFailure,
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
   * `RKLLM_WORKER_FAILED`, and `model.state` is `'failed'`.
   */
  crash(): void;
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

  constructor(script: CheckedScript) {
    this.#script = script;
  }

  /** Its own: backends are made of others by spreading them. */
  readonly load = async (request: LoadRequest): Promise<BackendModel> => {
    const { loadMs = 0, failLoad, clock = realClock } = this.#script;
    const { signal, onPhase } = request;
    this.loads.push(request);
    onPhase?.('load');
    if (loadMs > 0) {
      await clock.sleep(loadMs, signal).catch((error: unknown) => {
        // An AbortSignal of Node's timers rejects with an error of their own; the load rejects with the reason.
        signal?.throwIfAborted();
        throw error;
      });
    }
    signal?.throwIfAborted();
    if (failLoad !== undefined) throw scriptedFailure('RKLLM_INIT_FAILED', 'of the load', failLoad);
    const model = new ScriptedModel(request, this.#context(clock));
    this.#models.push(model);
    return model;
  };

  readonly crash = (): void => {
    const error = crash('because the test lets it');
    for (const model of this.#models) model.die(error);
  };

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
