import { RkllmError } from './errors.js';

export function unsupported(owner: string, option: string, reason: string): RkllmError {
  return new RkllmError('RKLLM_UNSUPPORTED_OPTION', `${owner}: ${option} cannot be honoured: this backend ${reason}.`, {
    hint: `Leave ${option} out, or pass it to loadModel() if model.capabilities allow it there.`,
    details: { owner, option },
  });
}

export function fixedAtLoad(owner: string, option: string): RkllmError {
  return new RkllmError(
    'RKLLM_UNSUPPORTED_OPTION',
    `${owner}: ${option} cannot be honoured: this backend takes ${option} only when the model is loaded.`,
    {
      hint:
        `Pass ${option} to loadModel(), or load the model with { sampling: 'reload' }: it is then loaded again for each ` +
        'generation that differs.',
      details: { owner, option },
    },
  );
}

export function unsupportedByRuntime(owner: string, option: string, since: string): RkllmError {
  return new RkllmError(
    'RKLLM_UNSUPPORTED_BY_RUNTIME',
    `${owner}: ${option} needs a runtime from ${since} on; model.info.runtime says which one this is.`,
    { hint: `Leave ${option} out, or use a newer librkllmrt.so.`, details: { owner, option, since } },
  );
}

export function historyOfChat(owner: string): RkllmError {
  return new RkllmError(
    'RKLLM_UNSUPPORTED_OPTION',
    `${owner}: keepHistory cannot be honoured: a conversation sends all of itself in each turn, and would be there twice.`,
    {
      hint: 'Leave keepHistory out: what the runtime has computed of the conversation is used again all the same.',
      details: { owner, option: 'keepHistory' },
    },
  );
}

export function notRecoverable(backend: string): RkllmError {
  return new RkllmError(
    'RKLLM_UNSUPPORTED_OPTION',
    `loadModel(): onCrash: 'restart' cannot be honoured: what is left of a model of the ${backend} backend that has died ` +
      'stays in this process, and none may be loaded on top of it.',
    {
      hint: "Leave onCrash out, or, where the backend has that option, load the model with isolation: 'process'.",
      details: { owner: 'loadModel()', option: 'onCrash', backend },
    },
  );
}

export function noPromptCacheDirectory(backend: string): RkllmError {
  return new RkllmError(
    'RKLLM_UNSUPPORTED_OPTION',
    `loadModel(): promptCacheDirectory is for runtime 1.1.x; this engine of the ${backend} backend writes no such files.`,
    {
      hint: 'Leave it out: from runtime 1.2.0 on, and on the CPU, what was computed is kept in memory.',
      details: { owner: 'loadModel()', option: 'promptCacheDirectory', backend },
    },
  );
}

export function disposedError(): RkllmError {
  return new RkllmError('RKLLM_DISPOSED', 'The model has been disposed.', {
    hint: 'Load it again, or dispose it only after the last generation.',
  });
}
