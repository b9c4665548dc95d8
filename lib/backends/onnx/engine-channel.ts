import { parentPort, workerData } from 'node:worker_threads';
import { BusyGuard, createGuardCells, type GuardCells } from './busy-guard.js';
import type { FromEngine, ToEngine } from './protocol.js';

/** The engine's end of the connection to the model's owner. */
export interface EngineChannel {
  readonly guard: BusyGuard;
  post(message: FromEngine): void;
  /** Lets the thread or process of the engine end. */
  close(): void;
}

/** Connects to whoever started this thread or process; see `engine-host.ts`. */
export function openChannel(receive: (message: ToEngine) => void): EngineChannel {
  const port = parentPort;
  if (port !== null) {
    port.on('message', receive);
    return {
      guard: new BusyGuard(workerData as GuardCells), // set by startThread()
      post: (message) => {
        port.postMessage(message);
      },
      close: () => {
        port.close();
      },
    };
  }
  process.on('message', (message) => {
    receive(message as ToEngine); // sent by startProcess()
  });
  // A terminal sends these to all processes of a job, and a service manager to all of a service. When to stop is the
  // owner's decision: it may want to end its answer first.
  for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) process.on(signal, () => undefined);
  // The owner is gone, with or without a word. This runs between native calls, where leaving is safe.
  process.on('disconnect', () => {
    process.exit();
  });
  return {
    guard: new BusyGuard(createGuardCells()),
    post: (message) => {
      process.send?.(message, undefined, undefined, () => undefined);
    },
    close: () => {
      process.disconnect();
    },
  };
}
