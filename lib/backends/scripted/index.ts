import { setTimeout as sleep } from 'node:timers/promises';
import { RkllmError } from '../../errors.js';
import type { Backend, BackendModel, LoadRequest } from '../backend.js';
import { ScriptedRun } from './run.js';
import type { Script } from './script.js';

export type { Script, ScriptedReply, ScriptedToken } from './script.js';

/**
 * A backend for tests: no model, no native code, the same answer every time.
 *
 * @example
 * const model = await loadModel(undefined, { backend: scripted({ reply: 'Hello world' }) });
 */
export function scripted(script: Script = {}): Backend {
  return { name: 'scripted', load: (request) => load(script, request) };
}

async function load(script: Script, request: LoadRequest): Promise<BackendModel> {
  const { signal } = request;
  if (script.loadMs !== undefined) {
    await sleep(script.loadMs, undefined, signal === undefined ? undefined : { signal }).catch(() => undefined);
  }
  signal?.throwIfAborted();
  if (script.failLoad) {
    throw new RkllmError('RKLLM_INIT_FAILED', 'The script makes loading fail.', {
      hint: 'Remove failLoad from the script.',
    });
  }
  const contextLength = Math.min(script.contextLength ?? 4096, request.maxContextLength ?? Infinity);
  return {
    info: {
      name: script.name ?? 'scripted',
      contextLength,
      quantization: undefined,
      chatTemplate: "{{'<|user|>\\n' + message['content'] + '<|end|>\\n'}}",
      bosToken: undefined,
      eosToken: undefined,
      runtime: undefined,
    },
    capabilities: {
      perRequestSampling: true,
      seed: true,
      kvReuse: false,
      tokenInput: true,
      countsTokens: true,
      slots: 1,
      ...script.capabilities,
    },
    start: (run) => new ScriptedRun(script, run, contextLength),
    failed: new Promise<never>(() => undefined),
    dispose: () => Promise.resolve(),
  };
}
