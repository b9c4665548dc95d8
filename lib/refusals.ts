import { RkllmError } from './errors.js';
import { suggest } from './options/check.js';

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

export function noRoomFor(what: string, tokens: number, free: number, contextLength: number): RkllmError {
  return new RkllmError(
    'RKLLM_CONTEXT_OVERFLOW',
    `The conversation leaves about ${String(free)} tokens of the context, and ${what} has about ${String(tokens)}.`,
    {
      hint: "Start a new chat, have old turns dropped with a larger reserveTokens, or ask with responseFormat's instruct: false.",
      details: { contextLength, freeTokens: free, neededTokens: tokens },
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

export function noPromptCacheFiles(backend: string): RkllmError {
  return new RkllmError(
    'RKLLM_UNSUPPORTED_OPTION',
    `loadModel(): promptCacheFiles cannot be honoured: the ${backend} backend writes no such files.`,
    {
      hint: 'Leave it out: what chat.warm() has computed is kept in memory.',
      details: { owner: 'loadModel()', option: 'promptCacheFiles', backend },
    },
  );
}

/** @param owner - who was called, for messages. */
export function promptCacheUnusable(owner: string, cause: unknown): RkllmError {
  const reason = cause instanceof Error ? cause.message : String(cause);
  return new RkllmError('RKLLM_INVALID_OPTION', `${owner}: promptCacheFiles cannot be used: ${reason}`, {
    hint: 'Name a directory in which this user may make files, with room for them.',
    details: { owner, option: 'promptCacheFiles' },
    cause,
  });
}

export function promptCacheUnwritten(owner: string): RkllmError {
  return new RkllmError('RKLLM_UNSUPPORTED_BY_RUNTIME', `${owner}: the runtime has written no prompt cache.`, {
    hint: 'It does not for every model; from runtime 1.2.0 on it keeps in memory what it has computed.',
    details: { owner },
  });
}

export function nothingKept(owner: string): RkllmError {
  return new RkllmError(
    'RKLLM_UNSUPPORTED_OPTION',
    `${owner}: this engine keeps nothing of what it has computed: the next turn would compute it again.`,
    {
      hint: 'On runtime 1.1.x load the model with promptCacheFiles: { directory }. See model.capabilities.kvReuse.',
      details: { owner },
    },
  );
}

export function nothingToWarm(owner: string): RkllmError {
  return new RkllmError('RKLLM_EMPTY_PROMPT', `${owner}: nothing stands before what the user will say.`, {
    hint: "Give the conversation a system message: model.chat({ system: '…' }).",
    details: { owner },
  });
}

export function adapterUnknown(owner: string, name: string, known: readonly string[]): RkllmError {
  const suggestion = suggest(name, known);
  const list = known.length === 0 ? 'None is loaded' : `Loaded: ${known.join(', ')}`;
  return new RkllmError('RKLLM_ADAPTER_UNKNOWN', `${owner}: there is no adapter '${name}'. ${list}.`, {
    hint:
      suggestion === undefined
        ? 'Load it with the model, loadModel(path, { adapters: [{ name, path }] }), or with model.runtime.loadLora() before.'
        : `Did you mean '${suggestion}'?`,
    details: { owner, adapter: name, known: [...known], suggestion },
  });
}

export function unsupportedOutput(owner: string): RkllmError {
  return new RkllmError('RKLLM_UNSUPPORTED_OPTION', `${owner}: the backend of this model gives text, and no numbers.`, {
    hint: 'See model.capabilities.hiddenStates and .logits before; the CPU backend and the NPU have them.',
    details: { owner },
  });
}

export function toolsWithoutTemplate(owner: string): RkllmError {
  return new RkllmError(
    'RKLLM_UNSUPPORTED_OPTION',
    `${owner}: tools cannot be honoured: no chat template writes them into a prompt that is used as it is.`,
    {
      hint: "Ask with a string or messages, or write the tools into the prompt yourself and use toolCalls: 'parse'.",
      details: { owner, option: 'tools' },
    },
  );
}

export function disposedError(): RkllmError {
  return new RkllmError('RKLLM_DISPOSED', 'The model has been disposed.', {
    hint: 'Load it again, or dispose it only after the last generation.',
  });
}
