import load from 'node-gyp-build';
import type { RkllmError, RkllmErrorCode } from '../../errors.js';
import type { TokenBatch } from '../backend.js';
import type { RuntimeEvidence } from '../model-info.js';
import type { PromptMedia } from '../media.js';
import type { Matrix } from '../runtime-controls.js';
import { addonNotFound, buildPackages, packageRoot } from './addon-not-found.js';
import type { GenerationName } from './generations.js';

declare const modelBrand: unique symbol;
declare const runBrand: unique symbol;
declare const questionBrand: unique symbol;

/** A loaded model in C++. Collected by the garbage collector it frees itself in the background. */
export interface ModelHandle {
  readonly [modelBrand]: true;
}

/** One run in C++. */
export interface RunHandle {
  readonly [runBrand]: true;
}

/** What the runtime wants to know in the middle of a call. It may be kept: an answer that comes too late is ignored. */
export interface QuestionHandle {
  readonly [questionBrand]: true;
}

/** Everything is validated before; an absent sampling field means the runtime's own default. */
export interface NativeLoadOptions extends NativeSampling {
  /** Absolute path of the vendor's library. */
  readonly runtimePath: string;
  /** The release that the user says it is. */
  readonly runtimeVersion?: string | undefined;
  /** Options that were given, with the first release that has them. */
  readonly needs?: Readonly<Record<string, string>> | undefined;
  readonly modelPath: string;
  readonly maxContextLength: number;
  readonly runtimeTemplate?: boolean | undefined;
  readonly imageStart?: string | undefined;
  readonly imageEnd?: string | undefined;
  readonly imageContent?: string | undefined;
  readonly keepTokens?: number | undefined;
  readonly skipSpecialTokens?: boolean | undefined;
  readonly ignoreEos?: boolean | undefined;
  readonly baseDomainId?: number | undefined;
  readonly batchSize?: number | undefined;
  readonly crossAttention?: boolean | undefined;
  readonly embedFlash?: boolean | undefined;
  /** Bit `n` is CPU `n`. */
  readonly cpuMask?: number | undefined;
  /** These two: `asked` events are answered. */
  readonly hasTokenizer?: boolean | undefined;
  readonly hasEmbedder?: boolean | undefined;
}

/** An absent field means what was given at load, else the runtime's own default. */
interface NativeSampling {
  readonly topK?: number | undefined;
  readonly topP?: number | undefined;
  /** 0 means greedy. */
  readonly temperature?: number | undefined;
  readonly repeatPenalty?: number | undefined;
  readonly frequencyPenalty?: number | undefined;
  readonly presencePenalty?: number | undefined;
  readonly mirostat?: number | undefined;
  readonly mirostatTau?: number | undefined;
  readonly mirostatEta?: number | undefined;
}

/** Of one run; `maxNewTokens` of each of its rows. Sampling is left out by runtimes before 1.3.0, `enableThinking` by those before 1.2.1. */
export interface NativeRunOptions extends NativeSampling {
  readonly maxNewTokens?: number | undefined;
  readonly enableThinking?: boolean | undefined;
  /** In the other modes the run ends with a matrix and gives no tokens. */
  readonly mode?: 'generate' | 'hiddenStates' | 'logits' | undefined;
  readonly role?: string | undefined;
  readonly keepHistory?: boolean | undefined;
  readonly stopBy?: 'abort' | 'pause' | undefined;
  readonly lora?: string | undefined;
  readonly savePromptCache?: string | undefined;
}

/** A prompt, token ids, as many vectors as `tokens` says, or a prompt with images and the like. */
export type NativeInput =
  | string
  | Int32Array
  | { readonly embeddings: Float32Array; readonly tokens: number }
  | ({ readonly prompt: string } & PromptMedia);

/** See `native/bindings/read_operation.cc`. */
export interface NativeOperation {
  readonly operation: string;
  readonly [field: string]: unknown;
}

export interface LoadedEvent {
  readonly type: 'loaded';
  readonly generation: GenerationName;
  /** The releases that it may be, in words. */
  readonly releases: string;
  /** It is this generation and no look-alike. */
  readonly certain: boolean;
  readonly overridden: boolean;
  readonly evidence: readonly RuntimeEvidence[];
  readonly version?: string;
}

export interface FailedEvent {
  readonly type: 'failed';
  readonly code: RkllmErrorCode;
  readonly message: string;
  readonly details: Readonly<Record<string, string>>;
  readonly evidence?: readonly RuntimeEvidence[];
}

export interface EndedEvent {
  readonly type: 'ended';
  readonly run: number;
  /** `limited`: the run's `maxNewTokens` was reached. */
  readonly outcome: 'completed' | 'limited' | 'aborted' | 'failed';
  /** What the vendor's run function returned. */
  readonly returned: number;
  /** Of `failed`. */
  readonly message?: string;
  /** The KV cache holds what the run has computed, and parts of it can be cleared. */
  readonly paused?: true;
  /** Absent when there was no token. */
  readonly prefillMs?: number;
  readonly decodeMs?: number;
  /** What the runtime itself measured, from 1.2.1 on. */
  readonly perf?: PerfStats;
  /** Of a run in another mode than `generate`. */
  readonly matrix?: Matrix;
  /** Of the process that the model is in, in MiB; absent when that is this one. */
  readonly peakMemoryMb?: number;
}

export interface PerformedEvent {
  readonly type: 'performed';
  readonly call: number;
  /** The vendor's function. */
  readonly function: string;
  readonly returned: number;
  /** What was asked for. */
  readonly values: readonly number[];
}

/** The runtime waits for the token ids of a text, at most so many, or for embeddings of tokens, just so many floats. */
export type AskedEvent =
  | { readonly type: 'asked'; readonly question: QuestionHandle; readonly text: string; readonly maxTokens: number }
  | {
      readonly type: 'asked';
      readonly question: QuestionHandle;
      readonly tokenIds: Int32Array;
      readonly floats: number;
    };

interface PerfStats {
  readonly prefillMs: number;
  /** Those that were computed. */
  readonly prefillTokens: number;
  readonly generateMs: number;
  /** Those after the first one. */
  readonly generateTokens: number;
  readonly memoryMb: number;
}

/** What the model's thread has to say. Delivered on the JavaScript thread, in order. */
export type NativeEvent =
  /** The runtime's release is known; now it reads the model. */
  | { readonly type: 'identified' }
  | LoadedEvent
  | FailedEvent
  | EndedEvent
  | PerformedEvent
  | AskedEvent
  | { readonly type: 'readable'; readonly run: number }
  | { readonly type: 'disposed' };

/**
 * The exports of `native/addon.cc`. None of them blocks; wrong arguments are a TypeError. Loading, running and
 * disposing keep the event loop alive; an idle model does not.
 */
export interface NativeAddon {
  /** One `loaded` or `failed` event follows. `onEvent` must neither throw nor refer to the returned handle. */
  load(options: NativeLoadOptions, onEvent: (event: NativeEvent) => void): ModelHandle;
  /**
   * One `ended` event with `run: id` follows. The run waits its turn behind earlier ones of the model. A model with a
   * `batchSize` above 1 takes as many inputs.
   */
  start(
    model: ModelHandle,
    id: number,
    input: NativeInput | readonly NativeInput[],
    options: NativeRunOptions | undefined,
  ): RunHandle;
  /** One `performed` event with `call: id` follows. It waits its turn like a run. */
  perform(model: ModelHandle, id: number, operation: NativeOperation): void;
  /** All tokens since the last call. */
  drain(run: RunHandle): TokenBatch | undefined;
  /** False: there is nothing to drain; one `readable` event follows with the next token. */
  arm(run: RunHandle): boolean;
  /** False: the run is just entering the runtime or leaving it; asking again is worth while. */
  abort(model: ModelHandle, run: RunHandle): boolean;
  /**
   * Answers with an Int32Array for a text and a Float32Array for tokens; undefined says that there is no answer, which
   * fails the run. False: nobody waits for it any more.
   */
  answer(question: QuestionHandle, values: Int32Array | Float32Array | undefined): boolean;
  /** One `disposed` event follows, when the runtime is done with the model. Again: asks what runs to end once more. */
  dispose(model: ModelHandle): void;
  /** Gives up on a model that is stuck in the vendor's driver: no event follows, and the event loop may end. */
  abandon(model: ModelHandle): void;
  /** From here on, what C code prints in this process leaves it line by line, also when stdout is no terminal. */
  lineBufferStdout(): void;
  /**
   * This environment is about to start a child process that may outlive it, as those of a worker thread do. When the
   * environment ends, it is waited for, so that no zombie is left. {@link guardChild} follows, unless the thread ends before.
   */
  expectChild(): void;
  /** It has been started, and is killed if it does not leave by itself; 0: it could not be. {@link releaseChild} follows. */
  guardChild(pid: number): void;
  /** It has been reaped: its number may be another's by now. */
  releaseChild(pid: number): void;
}

/** Whether the addon can be loaded here, and what to install when it has to be built. */
export type NativeAddonStatus =
  { readonly available: true } | { readonly available: false; readonly reason: string; readonly packages: string[] };

let loaded: NativeAddon | undefined;

/**
 * Loads the addon on first use.
 *
 * @throws RkllmError `RKLLM_ADDON_NOT_FOUND`.
 */
export function nativeAddon(): NativeAddon {
  try {
    return (loaded ??= load(packageRoot) as NativeAddon);
  } catch (error) {
    throw addonNotFound(error);
  }
}

/** For reports: like {@link nativeAddon}, but tells instead of throwing. */
export function nativeAddonStatus(): NativeAddonStatus {
  try {
    nativeAddon();
    return { available: true };
  } catch (error) {
    return { available: false, reason: (error as RkllmError).message, packages: [...buildPackages] };
  }
}
