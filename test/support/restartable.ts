import { setImmediate as turn } from 'node:timers/promises';
import { RkllmError, loadModel, type Backend, type LoadModelOptions, type LoadRequest, type Model } from 'rkllm';
import { deferred } from '../../lib/deferred.js';
import { ManualBackend, type ManualChoices } from './manual-backend.js';

export const died = new RkllmError('RKLLM_RUNTIME_CRASHED', 'The runtime died.', { hint: 'Load the model again.' });

export interface RestartChoices extends ManualChoices {
  /** Comes before each load but the first; what it throws, the load rejects with. */
  readonly onReload?: (request: LoadRequest) => void | Promise<void>;
}

export interface Restartable {
  readonly model: Model;
  readonly engine: ManualBackend;
  /** The engine dies, and with it what runs. */
  crash(error?: Error): Promise<void>;
}

/** A model that is loaded again when its engine dies. With fake timers the pauses before that are the test's to end. */
export async function restartable(options: LoadModelOptions = {}, choices: RestartChoices = {}): Promise<Restartable> {
  const engine = new ManualBackend({ recoverable: true, endsOnAbort: false, ...choices });
  const backend: Backend = {
    name: 'restartable',
    load: async (request) => {
      if (engine.loads.length > 0) await choices.onReload?.(request);
      return engine.load(request);
    },
  };
  const model = await loadModel(undefined, { onCrash: 'restart', ...options, backend });
  const crash = async (error: Error = died): Promise<void> => {
    for (const run of engine.runs) run.fail(error);
    engine.die(error);
    await settle();
  };
  return { model, engine, crash };
}

/** Fakes what pauses are made of, and nothing else. */
export function fakePauses(): void {
  jest.useFakeTimers({ doNotFake: ['setImmediate', 'nextTick', 'queueMicrotask'] });
}

/** Lets everything come that needs no time. */
export async function settle(): Promise<void> {
  for (let turns = 0; turns < 5; turns++) await turn();
}

export async function pass(ms: number): Promise<void> {
  jest.advanceTimersByTime(ms);
  await settle();
}

/** A load that goes on until the test ends it. */
export function heldLoad(): {
  readonly onReload: (request: LoadRequest) => Promise<void>;
  end(error?: Error): Promise<void>;
} {
  let held = deferred<undefined>();
  return {
    onReload: async ({ signal }) => {
      held = deferred();
      signal?.addEventListener('abort', () => held.reject(signal.reason));
      await held.promise;
    },
    end: async (error) => {
      if (error === undefined) held.resolve(undefined);
      else held.reject(error);
      await settle();
    },
  };
}
