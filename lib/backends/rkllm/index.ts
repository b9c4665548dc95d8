import { mirostatTable, npuTable } from '../../options/npu.js';
import { notRecoverable } from '../../refusals.js';
import type { Backend, EngineOption } from '../backend.js';
import { loadAfterPreflight } from './preflight.js';
import { RkllmModel } from './rkllm-model.js';

const engineOptions: readonly EngineOption[] = [
  'runtimePath',
  'runtimeTemplate',
  ...(Object.keys(npuTable) as (keyof typeof npuTable)[]),
  ...(Object.keys(mirostatTable) as (keyof typeof mirostatTable)[]),
];

/** Makes the backend that runs `.rkllm` models on the NPU through the vendor's runtime, which is found at load. */
export function createRkllmBackend(): Backend {
  return {
    name: 'rkllm',
    engineOptions,
    load: async (request) => {
      if (request.mustRecover === true && request.npu?.isolation === 'none') throw notRecoverable('rkllm');
      return loadAfterPreflight(request, (seen) => RkllmModel.load(request, seen));
    },
  };
}
