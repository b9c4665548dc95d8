import { deferred } from '../../deferred.js';
import type { RkllmError } from '../../errors.js';
import type { BackendModel, Capabilities, LoadRequest, RunInput, RunRequest } from '../backend.js';
import type { BackendModelInfo } from '../model-info.js';
import type { Clock } from '../clock.js';
import { wordsOf } from './answer.js';
import { promptOf, ScriptedRun } from './run.js';
import type { CheckedScript } from './script.js';

/** What a model shares with the backend that loaded it. */
export interface ModelContext {
  readonly script: CheckedScript;
  readonly clock: Clock;
  /** Keeps the record of a run; returns how many came before it. */
  readonly onStart: (start: (index: number) => ScriptedRun) => ScriptedRun;
  readonly onDispose: () => void;
}

export class ScriptedModel implements BackendModel {
  readonly info: BackendModelInfo;
  readonly capabilities: Capabilities;
  readonly failed: Promise<never>;
  readonly recoverable = true;
  readonly #context: ModelContext;
  readonly #running = new Set<ScriptedRun>();
  readonly #died = deferred<never>();
  #disposed = false;

  constructor(request: LoadRequest, context: ModelContext) {
    const { script } = context;
    this.#context = context;
    this.info = {
      name: script.name ?? 'scripted',
      contextLength: Math.min(script.contextLength ?? 4096, request.maxContextLength ?? Infinity),
      quantization: undefined,
      chatTemplate: "{{'<|user|>\\n' + message['content'] + '<|end|>\\n'}}",
      bosToken: undefined,
      eosToken: undefined,
      ...(request.pace && { pace: request.pace }),
      runtime: undefined,
    };
    this.capabilities = {
      perRequestSampling: true,
      seed: true,
      kvReuse: false,
      tokenInput: true,
      countsTokens: true,
      slots: 1,
      ...script.capabilities,
    };
    this.failed = this.#died.promise;
  }

  start(request: RunRequest): ScriptedRun {
    const { script, clock, onStart } = this.#context;
    const crash = (error: RkllmError): void => this.die(error);
    const run = onStart(
      (index) =>
        new ScriptedRun(request, {
          script,
          clock,
          contextLength: this.info.contextLength,
          pace: this.info.pace,
          index,
          crash,
        }),
    );
    this.#running.add(run);
    const forget = (): void => void this.#running.delete(run);
    run.ended.then(forget, forget);
    return run;
  }

  countTokens(input: RunInput): Promise<number> {
    return Promise.resolve(wordsOf(promptOf(input)).length);
  }

  /** As the death of a worker: what runs fails, and then the model. Nothing happens to one that was disposed. */
  die(error: RkllmError): void {
    if (this.#disposed) return;
    for (const run of this.#running) run.die(error);
    this.#died.reject(error);
  }

  dispose(): Promise<void> {
    this.#disposed = true;
    this.#context.onDispose();
    return Promise.resolve();
  }
}
