/**
 * Entry point of the thread or process that computes one model. Messages arrive between native calls: ONNX Runtime
 * gives the event loop a turn before each of them, and the decode loop after those that took long, so an abort needs no
 * shared memory.
 */
import { RkllmError } from '../../errors.js';
import type { ComputedOutput, RunInput, RunRequest } from '../backend.js';
import { openChannel } from './engine-channel.js';
import { Engine } from './engine.js';
import { toPlainError, type EngineInit, type PlainError, type ToEngine } from './protocol.js';

let engine: Engine | undefined;
/** Stops the run that is going on, or the last one. */
let stop = new AbortController();
/** The load or the run that is going on. */
let work: Promise<void> = Promise.resolve();

const channel = openChannel((message: ToEngine) => {
  switch (message.type) {
    case 'load':
      work = reporting(() => load(message.init), 'RKLLM_MODEL_INVALID');
      break;
    case 'run':
      stop = new AbortController();
      work = reporting(() => run(message.request), 'RKLLM_RUN_FAILED');
      break;
    case 'compute':
      stop = new AbortController();
      work = reporting(() => compute(message.output, message.input), 'RKLLM_RUN_FAILED');
      break;
    case 'count':
      count(message.id, message.input);
      break;
    case 'abort':
      stop.abort();
      break;
    case 'close':
      channel.guard.close();
      stop.abort();
      void work.then(() => {
        channel.close();
      });
  }
});

async function load(init: EngineInit): Promise<void> {
  engine = await Engine.load(init, channel.guard);
  channel.post({ type: 'loaded', info: engine.info, gives: engine.gives });
}

async function run(request: RunRequest): Promise<void> {
  if (engine === undefined) throw new Error('No model has been loaded.');
  const end = await engine.run(request, stop.signal, (batch) => {
    channel.post({ type: 'tokens', batch });
  });
  channel.post({ type: 'ended', end });
}

async function compute(output: ComputedOutput, input: RunInput): Promise<void> {
  if (engine === undefined) throw new Error('No model has been loaded.');
  channel.post({ type: 'computed', matrix: await engine.compute(output, input, stop.signal) });
}

function count(id: number, input: RunInput): void {
  try {
    if (engine === undefined) throw new Error('No model has been loaded.');
    channel.post({ type: 'counted', id, tokens: engine.countTokens(input) });
  } catch (error) {
    channel.post({ type: 'not-counted', id, error: explained(error, 'RKLLM_RUN_FAILED') });
  }
}

/** Reports what goes wrong instead of throwing it. */
async function reporting(task: () => Promise<void>, code: 'RKLLM_MODEL_INVALID' | 'RKLLM_RUN_FAILED'): Promise<void> {
  try {
    await task();
  } catch (error) {
    channel.post({ type: 'failed', error: explained(error, code) });
  }
}

function explained(error: unknown, code: 'RKLLM_MODEL_INVALID' | 'RKLLM_RUN_FAILED'): PlainError {
  return toPlainError(error, (cause) => {
    const reason = cause instanceof Error ? cause.message : String(cause);
    return new RkllmError(code, `The engine of the ONNX model failed: ${reason}`, {
      hint: 'Try another export of the model; if it fails as well, report this with the model’s name.',
      cause,
    });
  });
}
