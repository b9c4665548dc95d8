import { loadModel, type LoadModelOptions, type Model } from 'rkllm';
import { scripted, type Script } from 'rkllm/testing';
import { ManualBackend, type ManualChoices } from './manual-backend.js';

/** A model that answers by itself. */
export function scriptedModel(script: Script = {}, options: LoadModelOptions = {}): Promise<Model> {
  return loadModel(undefined, { ...options, backend: scripted(script) });
}

/** A model that does what the test says. */
export async function manualModel(
  choices: ManualChoices = {},
  options: LoadModelOptions = {},
): Promise<{ model: Model; backend: ManualBackend }> {
  const backend = new ManualBackend(choices);
  return { model: await loadModel(undefined, { ...options, backend }), backend };
}
