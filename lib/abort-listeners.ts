interface Listening {
  readonly callbacks: Set<() => void>;
  readonly onAbort: () => void;
}

const listening = new WeakMap<AbortSignal, Listening>();

/**
 * Calls back once when a signal aborts. However many callbacks share a signal, it gets one listener of ours, which
 * leaves with the last of them: Node warns of a leak when a signal has more than ten.
 *
 * @returns takes the callback back; harmless when called again.
 */
export function onAbort(signal: AbortSignal, callback: () => void): () => void {
  const { callbacks } = listening.get(signal) ?? listen(signal);
  callbacks.add(callback);
  return () => {
    if (callbacks.delete(callback) && callbacks.size === 0) stopListening(signal, callbacks);
  };
}

function listen(signal: AbortSignal): Listening {
  const callbacks = new Set<() => void>();
  const onAbort = (): void => {
    const waiting = [...callbacks];
    callbacks.clear();
    stopListening(signal, callbacks);
    for (const callback of waiting) callIsolated(callback);
  };
  const entry = { callbacks, onAbort };
  listening.set(signal, entry);
  signal.addEventListener('abort', onAbort, { once: true });
  return entry;
}

function stopListening(signal: AbortSignal, callbacks: Set<() => void>): void {
  const entry = listening.get(signal);
  if (entry?.callbacks !== callbacks) return;
  listening.delete(signal);
  signal.removeEventListener('abort', entry.onAbort);
}

/** One that throws must not keep the others from being called; as with any listener, the error ends the process. */
export function callIsolated(callback: () => void): void {
  try {
    callback();
  } catch (error) {
    process.nextTick(() => {
      throw error;
    });
  }
}
