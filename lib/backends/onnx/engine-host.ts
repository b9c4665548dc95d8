import { fork } from 'node:child_process';
import { existsSync } from 'node:fs';
import path from 'node:path';
import { isMainThread, Worker } from 'node:worker_threads';
import { RkllmError } from '../../errors.js';
import { createGuardCells, unwatchExit, watchExit } from './busy-guard.js';
import type { FromEngine, ToEngine } from './protocol.js';

/** Where an engine runs, seen from the thread that owns the model. */
export interface EngineHost {
  post(message: ToEngine): void;
  /** Whether the engine keeps the process alive. It does until told otherwise. */
  hold(held: boolean): void;
}

/** What a host reports, on the owner's thread. */
export interface EngineHostEvents {
  message(message: FromEngine): void;
  /** The engine is gone, asked to or not. Comes once, and last. */
  exited(cause: Error | undefined, exitCode: number | null): void;
}

const engineFile = path.join(__dirname, 'worker.js');

/**
 * Starts an engine: in a worker thread, or in a child process when this thread is itself a worker. A worker can be
 * terminated from outside without any of its code running, its own workers with it; no guard would keep an engine out
 * of a native call then. A child process just sees its channel close.
 */
export function startEngine(events: EngineHostEvents): EngineHost {
  if (!existsSync(engineFile)) {
    throw new RkllmError(
      'RKLLM_WORKER_FAILED',
      `The engine of the ONNX model is not there: ${engineFile} is missing.`,
      {
        hint: 'An application that is bundled into one file has to leave rkllm out of the bundle, as an external package.',
        details: { path: engineFile },
      },
    );
  }
  try {
    return isMainThread ? startThread(events) : startProcess(events);
  } catch (cause) {
    const reason = cause instanceof Error ? cause.message : String(cause);
    throw new RkllmError('RKLLM_WORKER_FAILED', `The engine of the ONNX model could not be started: ${reason}`, {
      hint: 'It needs a thread of its own, or a process of its own where the model is loaded in a worker.',
      cause,
    });
  }
}

function startThread(events: EngineHostEvents): EngineHost {
  const cells = createGuardCells();
  // No execArgv: flags such as --input-type or a preloaded transpiler are the application's, not the engine's.
  const worker = new Worker(engineFile, { workerData: cells, execArgv: [], name: 'rkllm-onnx' });
  watchExit(cells);
  let cause: Error | undefined;
  worker.on('message', (message: FromEngine) => {
    events.message(message);
  });
  worker.on('error', (error: Error) => {
    cause = error;
  });
  worker.on('exit', (exitCode) => {
    unwatchExit(cells);
    events.exited(cause, exitCode);
  });
  return {
    post: (message) => {
      worker.postMessage(message);
    },
    hold: (held) => {
      if (held) worker.ref();
      else worker.unref();
    },
  };
}

function startProcess(events: EngineHostEvents): EngineHost {
  const child = fork(engineFile, [], {
    execArgv: [],
    serialization: 'advanced',
    stdio: ['ignore', 'ignore', 'inherit', 'ipc'],
  });
  let cause: Error | undefined;
  child.on('message', (message) => {
    events.message(message as FromEngine); // our own engine is the only one at the other end
  });
  child.on('error', (error) => {
    cause = error;
    if (child.pid === undefined) events.exited(cause, null); // it could not be started: there will be no exit
  });
  child.on('exit', (exitCode, signal) => {
    if (signal !== null) cause ??= new Error(`it was ended by ${signal}`);
    events.exited(cause, exitCode);
  });
  return {
    post: (message) => {
      // The callback takes the error of a channel that has just closed; the exit that follows tells the story.
      child.send(message, () => undefined);
    },
    hold: (held) => {
      if (held) {
        child.ref();
        child.channel?.ref();
      } else {
        child.unref();
        child.channel?.unref();
      }
    },
  };
}
