import type { Backend } from '../backends/backend.js';
import { isTemplateChoice, templateNames } from '../chat/templates/choice.js';
import { mirostatTable, npuTable } from './npu.js';
import { promptCacheFilesTable } from './prompt-cache-files.js';
import { paceTable } from './pace.js';
import { samplingTable } from './sampling.js';
import { isAbortSignal, isLogger } from './shapes.js';
import type { OptionsOf, OptionTable } from './table.js';

/** The built-in backends; `'auto'` decides from the path. */
export type BackendName = 'auto' | 'onnx' | 'rkllm';

function isBackend(value: unknown): value is BackendName | Backend {
  if (typeof value === 'string') return value === 'auto' || value === 'onnx' || value === 'rkllm';
  return (
    typeof value === 'object' &&
    value !== null &&
    'name' in value &&
    typeof value.name === 'string' &&
    'load' in value &&
    typeof value.load === 'function'
  );
}

/** How far a load has come. */
export interface LoadProgress {
  /**
   * What begins. `'probe'`: finding out what there is to load with. `'load'`: reading the model, which takes longest.
   * `'warmup'`: the first token (`warmup: true`).
   */
  readonly phase: 'probe' | 'load' | 'warmup';
  /** Since the call of `loadModel()`, in milliseconds. */
  readonly elapsedMs: number;
}

function isProgressListener(value: unknown): value is (progress: LoadProgress) => void {
  return typeof value === 'function';
}

/** Options of the queue in front of a model. */
export const queueTable = {
  /** How many generations may wait; a further one fails with `RKLLM_QUEUE_FULL`. An integer from 0; default 16. */
  maxPending: { kind: 'integer', min: 0, max: 1_000_000, defaultsTo: '16' },
  /**
   * How long a generation may wait, in milliseconds; then it fails with `RKLLM_QUEUE_TIMEOUT`. An integer from 1;
   * default: for ever.
   */
  timeoutMs: { kind: 'integer', min: 1, max: 2 ** 31 - 1, unit: 'milliseconds', defaultsTo: 'no limit' },
} as const satisfies OptionTable;

/** Options of the queue in front of a model. */
export interface QueueOptions extends OptionsOf<typeof queueTable> {}

/** How a model is loaded again whose engine has died, with `onCrash: 'restart'`. */
export const restartTable = {
  /**
   * So many crashes within `windowMs` are the end: the last of them is not followed by another restart. A restart whose
   * engine dies while it is loaded is one of them. An integer from 2; default 3.
   */
  maxCrashes: { kind: 'integer', min: 2, max: 1_000_000, defaultsTo: '3' },
  /**
   * In milliseconds. The time that loading takes, and the pauses before it, do not count: crashes come as close to each
   * other as the engine worked between them. An integer from 1; default 60,000.
   */
  windowMs: { kind: 'integer', min: 1, max: 2 ** 31 - 1, unit: 'milliseconds', defaultsTo: '60000' },
  /**
   * The pause before the first restart, in milliseconds; twice as long before each further one within `windowMs`, up to
   * `maxDelayMs`. An integer from 0; default 500.
   */
  delayMs: { kind: 'integer', min: 0, max: 2 ** 31 - 1, unit: 'milliseconds', defaultsTo: '500' },
  /** The longest pause, in milliseconds. An integer from 0; default 30,000, or `delayMs` where that is longer. */
  maxDelayMs: {
    kind: 'integer',
    min: 0,
    max: 2 ** 31 - 1,
    unit: 'milliseconds',
    defaultsTo: '30000, or delayMs where that is longer',
  },
} as const satisfies OptionTable;

/** How a model is loaded again whose engine has died. */
export interface RestartOptions extends OptionsOf<typeof restartTable> {}

/** Options of `loadModel()`. */
export const loadTable = {
  ...samplingTable,
  ...mirostatTable,
  /**
   * What computes: `'rkllm'` (NPU), `'onnx'` (CPU), `'auto'` (decided from the path) or a backend of your own.
   * Default: the environment variable `RKLLM_BACKEND`, else `'auto'`.
   */
  backend: {
    kind: 'shape',
    expected: "'auto', 'onnx', 'rkllm' or a Backend (an object with a name and a load function)",
    accepts: isBackend,
    defaultsTo: "the environment variable RKLLM_BACKEND, else 'auto'",
  },
  /** Upper limit for prompt plus output, in tokens. An integer from 16; default: what the model was made for. */
  maxContextLength: {
    kind: 'integer',
    min: 16,
    max: 1_048_576,
    unit: 'tokens',
    defaultsTo: 'what the model was made for',
    runtimeField: 'max_context_len',
  },
  /** Default output limit of the model's generations, in tokens. An integer from 1; default: none. */
  maxNewTokens: {
    kind: 'integer',
    min: 1,
    max: 1_000_000_000,
    unit: 'tokens',
    defaultsTo: 'no limit but the context',
    runtimeField: 'max_new_tokens',
    note: 'before 1.3.0 the library counts and stops the engine',
  },
  /** CPU threads of the `onnx` backend. An integer from 1 to 256; default: 1 for small models, else up to 4. */
  threads: { kind: 'integer', min: 1, max: 256, defaultsTo: '1 for small models, else up to 4' },
  /**
   * Tokens of a prompt that the `onnx` backend computes in one go. Large chunks are faster, and an abort waits for the one that is
   * being computed. An integer from 1 to 4096; default: 64 for small models, else as many as take about 200 ms.
   */
  prefillChunk: {
    kind: 'integer',
    min: 1,
    max: 4096,
    unit: 'tokens',
    defaultsTo: '64 for small models, else what takes about 200 ms',
  },
  /**
   * Slows the CPU backend and the scripted one down to the speed of a device, to try an application as it will feel there; what
   * is not as fast as the device is not slowed down. The NPU refuses it with `RKLLM_UNSUPPORTED_OPTION`. `model.info.pace`
   * has the figures. Default: none; as fast as it goes.
   */
  pace: { kind: 'group', table: paceTable, defaultsTo: 'as fast as it goes' },
  /**
   * Path of the vendor's `librkllmrt.so`, for the `rkllm` backend. Default: the environment variable
   * `RKLLM_RUNTIME_PATH`, else the system's library paths.
   */
  runtimePath: { kind: 'string', defaultsTo: "RKLLM_RUNTIME_PATH, else the system's library paths" },
  ...npuTable,
  /**
   * The chat template. `'auto'` takes the Jinja template that came with the model, else what the model's name speaks of; it
   * never guesses. A name such as `'phi3'` is a template that is built in, `{ jinja }` and `{ file }` are your own.
   * `'none'` sends strings as they are, `'runtime'` leaves it to the vendor's runtime, which has that of the converted
   * model and applies it to strings and `{ prompt }` (from runtime 1.2.0 on). Default `'auto'`.
   */
  template: {
    kind: 'shape',
    expected: `one of ${templateNames.map((name) => `'${name}'`).join(', ')}, { jinja: '…' } or { file: 'PATH' }`,
    accepts: isTemplateChoice,
    names: templateNames,
    defaultsTo: "'auto'",
  },
  /**
   * What becomes of a generation whose sampling differs from the loaded one, on an engine that fixes it at load (not
   * `model.capabilities.perRequestSampling`; Rockchip's runtime before 1.3.0): `'reject'` refuses it with
   * `RKLLM_UNSUPPORTED_OPTION`; `'reload'` frees the model when its turn comes and loads it again, which takes as long as
   * loading does (`timings.reloadMs`). What `model.runtime` has set and computed is lost by that. Default `'reject'`.
   */
  sampling: { kind: 'choice', values: ['reject', 'reload'], defaultsTo: "'reject'" },
  /**
   * What becomes of the model when its engine dies. `'fail'`: what waits is rejected with the error, and all that is asked
   * later; `model.state` is `'failed'`. `'restart'`: it is loaded again after a pause, also when nobody waits, with the
   * sampling that was loaded; `model.state` is `'restarting'` meanwhile, and what waits keeps its place. Of what ran, an
   * answer that had begun fails with the error; one of which nothing had come is served again, once; a call of `model.runtime` other
   * than `generateBatch()` fails. What `model.runtime` had set or loaded is lost. It is given up after too many crashes
   * (see `restart`): `model.state` is `'failed'`, and the error has that of the last crash as its `cause`; or when the
   * restart fails for another reason, with that error.
   *
   * Refused with `RKLLM_UNSUPPORTED_OPTION`, after the load, where something of a dead engine stays in the process
   * (`isolation: 'none'`). Default `'fail'`.
   */
  onCrash: { kind: 'choice', values: ['fail', 'restart'], defaultsTo: "'fail'" },
  /** When a model is loaded again. Only with `onCrash: 'restart'`. */
  restart: {
    kind: 'group',
    table: restartTable,
    defaultsTo: '3 crashes within 60 s, a pause of 500 ms and longer',
  },
  /**
   * A directory in which what runtime 1.1.x has computed of a conversation is kept from turn to turn, in a directory of its own
   * that goes with the model. It pays on a disk that is fast: for each token of a conversation with Phi-3-mini 393,216 bytes
   * are written and read in each turn, in the time of 7.95 ms that computing it takes. Refused with
   * `RKLLM_UNSUPPORTED_OPTION`, after the load, where the engine keeps it in memory by itself. Default: none; each turn
   * computes all of it.
   */
  promptCacheDirectory: { kind: 'string', defaultsTo: 'none: each turn is computed from its start' },
  /**
   * `{ directory }`: what `chat.warm()` has computed is written to files there, and read by later processes in place of computing
   * it: for the same model, release of the runtime, context length, template, adapter and prompt. Each token takes what the
   * model's KV cache does, 393,216 bytes with Phi-3-mini. Refused with `RKLLM_UNSUPPORTED_OPTION`, after the load, by other
   * backends than `rkllm`. Default: none; what was computed goes with the process.
   */
  promptCacheFiles: { kind: 'group', table: promptCacheFilesTable, defaultsTo: 'none' },
  /** The queue in front of the model. */
  queue: { kind: 'group', table: queueTable, defaultsTo: '16 waiting, no time limit' },
  /**
   * Takes the lines of the log: `{ debug, info, warn, error }`, each `(fields, message)`, such as a logger of pino or
   * `console`; see `Logger`. Default: none; nothing is printed.
   */
  logger: {
    kind: 'shape',
    expected: 'an object with the functions debug, info, warn and error',
    accepts: isLogger,
    defaultsTo: 'none',
  },
  /**
   * `true`: the model writes one token before it is given out, so that the first generation starts as fast as the others.
   * Default `false`.
   */
  warmup: { kind: 'flag', defaultsTo: 'false' },
  /**
   * Called when a part of the load begins, with a `LoadProgress`. What it throws is an uncaught exception. Default:
   * none.
   */
  onProgress: {
    kind: 'shape',
    expected: 'a function (progress) => void',
    accepts: isProgressListener,
    defaultsTo: 'none',
  },
  /** Stops the load; it then rejects with `signal.reason` and leaves nothing running. */
  signal: { kind: 'shape', expected: 'an AbortSignal', accepts: isAbortSignal, defaultsTo: 'none' },
} as const satisfies OptionTable;

/** Options of `loadModel()`. */
export interface LoadModelOptions extends OptionsOf<typeof loadTable> {}
