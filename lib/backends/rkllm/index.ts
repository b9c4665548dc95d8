import type { Backend } from '../backend.js';
import { InProcessModel } from './in-process-model.js';

/** Makes the backend that runs `.rkllm` models on the NPU through the vendor's runtime, which is found at load. */
export function createRkllmBackend(): Backend {
  return { name: 'rkllm', engineOptions: ['runtimePath'], load: (request) => InProcessModel.load(request) };
}
