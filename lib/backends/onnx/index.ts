import { RkllmError } from '../../errors.js';
import type { Backend } from '../backend.js';
import { loadInEngine } from './client.js';

/** What can be tuned for a backend as a whole. */
export interface OnnxBackendOptions {
  /** Memory that can be had, in bytes. Default: what the system says, each time. */
  readonly freeMemory?: number;
}

/** Makes the backend that runs ONNX models on the CPU. ONNX Runtime itself is looked for when a model is loaded. */
export function createOnnxBackend(options: OnnxBackendOptions = {}): Backend {
  const { freeMemory } = options;
  return {
    name: 'onnx',
    engineOptions: ['threads', 'prefillChunk', 'pace', 'mirostat', 'mirostatTau', 'mirostatEta'],
    load: async ({ path, maxContextLength, sampling, threads, prefillChunk, pace, signal, onPhase }) => {
      if (path === undefined) {
        throw new RkllmError('RKLLM_MODEL_NOT_FOUND', 'The ONNX backend needs the path of a model.', {
          hint: 'Pass the directory that holds genai_config.json as the first argument of loadModel().',
        });
      }
      onPhase?.('load');
      return loadInEngine({ path, maxContextLength, sampling, threads, prefillChunk, pace, freeMemory }, signal);
    },
  };
}
