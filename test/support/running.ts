import { setImmediate as turn } from 'node:timers/promises';
import type { GenerateOptions, Generation, Model } from 'rkllm';
import type { ManualBackend, ManualRun } from './manual-backend.js';
import { manualModel } from './models.js';

export interface Running {
  readonly model: Model;
  readonly backend: ManualBackend;
  readonly generation: Generation;
  readonly run: ManualRun;
}

/** Starts a generation on an engine that has written `a` and stops only when the test says so. */
export async function running(options: GenerateOptions = {}): Promise<Running> {
  const { model, backend } = await manualModel({ endsOnAbort: false });
  const generation = model.generate('Hi', options);
  backend.run.write('a');
  return { model, backend, generation, run: backend.run };
}

/** Whether a promise has settled after one turn of the event loop. */
export function isSettled(promise: Promise<unknown>): Promise<boolean> {
  const settled = (): boolean => true;
  return Promise.race([promise.then(settled, settled), turn(false)]);
}
