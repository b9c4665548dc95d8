/**
 * The seam between what a generation means (above: queue, stream, chat, stop sequences) and what computes it
 * (below: one folder per backend). Nothing above knows a backend by name; nothing below knows a chat.
 */

import type { Check } from '../checks/check.js';
import type { NpuOptions, ResolvedNpuOptions, ResolvedNpuRunOptions } from '../options/npu.js';
import type { Pace } from '../options/pace.js';
import type { JsonSchema } from '../structured/validate.js';
import type { MediaKind, PromptMedia } from './media.js';
import type { BackendModelInfo } from './model-info.js';
import type { Matrix, RuntimeControls, RuntimeInput } from './runtime-controls.js';

/** What a loaded model can do. The layer above decides from this and never from a backend's name. */
export interface Capabilities {
  /** Sampling options may differ from one generation to the next. When false they are fixed at load. */
  readonly perRequestSampling: boolean;
  /** The same seed and prompt give the same tokens. */
  readonly seed: boolean;
  /** The part of a prompt that equals what was computed last is not prefilled again. */
  readonly kvReuse: boolean;
  /** A prompt may be given as token ids. */
  readonly tokenInput: boolean;
  /**
   * The engine counts tokens: `usage` has those of the whole prompt and how many of them were cached, a prompt that does
   * not fit is refused with `RKLLM_CONTEXT_OVERFLOW`, and a full context ends an answer. Absent: no. The vendor's runtime
   * tells at most how many tokens it computed, fails without a reason on a prompt that does not fit, and moves a full
   * context on (see the option `keepTokens`).
   */
  readonly countsTokens?: boolean;
  /** Has Mirostat sampling. Absent: no. */
  readonly mirostat?: boolean;
  /** What a prompt may have besides text. Absent: nothing. */
  readonly media?: readonly MediaKind[];
  /**
   * Answers are held to a JSON Schema while they are written ({@link RunRequest.json}). Absent: no; what is asked for with
   * `responseFormat` is checked when it is there.
   */
  readonly constrainedJson?: boolean;
  /** A generation may choose whether the model thinks first. Absent: no. */
  readonly thinking?: boolean;
  /** Gives its last hidden layer: `model.embed()`. Absent: no. */
  readonly hiddenStates?: boolean;
  /** Gives the logits of a prompt: `model.logits()`. Absent: no. */
  readonly logits?: boolean;
  /**
   * How many prompts a batch has. Above 1 the model answers batches only. Absent: it answers none. See
   * {@link BackendModel.startBatch}.
   */
  readonly batchSize?: number;
  /** How many generations run at the same time; further ones wait in the queue. */
  readonly slots: number;
}

/** Sampling options after validation. An absent field means: the model's own default. */
export interface ResolvedSampling {
  /** See {@link SamplingOptions.temperature}. */
  readonly temperature?: number;
  /** See {@link SamplingOptions.topK}. */
  readonly topK?: number;
  /** See {@link SamplingOptions.topP}. */
  readonly topP?: number;
  /** See {@link SamplingOptions.repeatPenalty}. */
  readonly repeatPenalty?: number;
  /** See {@link SamplingOptions.frequencyPenalty}. */
  readonly frequencyPenalty?: number;
  /** See {@link SamplingOptions.presencePenalty}. */
  readonly presencePenalty?: number;
  /** See {@link SamplingOptions.seed}. */
  readonly seed?: number;
  /** See {@link LoadModelOptions.mirostat}. */
  readonly mirostat?: number;
  /** See {@link LoadModelOptions.mirostatTau}. */
  readonly mirostatTau?: number;
  /** See {@link LoadModelOptions.mirostatEta}. */
  readonly mirostatEta?: number;
}

/** What a backend is asked to load. Everything here has been validated. */
export interface LoadRequest {
  /** Absolute path of the model file or directory; undefined when the backend needs none. */
  readonly path: string | undefined;
  /** Upper limit for prompt plus output, in tokens; undefined: what the model was made for. */
  readonly maxContextLength: number | undefined;
  /** Default output limit of the model's generations, in tokens. Backends whose runtime wants it at load pass it on. */
  readonly maxNewTokens: number | undefined;
  /** Sampling to use where a generation gives none. */
  readonly sampling: ResolvedSampling;
  /** CPU threads for backends that compute on the CPU; undefined: the backend's choice. */
  readonly threads: number | undefined;
  /** Tokens of a prompt that are computed in one go, for the same backends. Absent: the backend's choice. */
  readonly prefillChunk?: number | undefined;
  /**
   * The speed of a device that the engine is not to exceed, and that it puts into {@link BackendModelInfo.pace}. Absent: as fast
   * as it goes.
   */
  readonly pace?: Pace | undefined;
  /** Where the vendor's runtime is; undefined: environment, then the system's library paths. */
  readonly runtimePath: string | undefined;
  /** The engine applies the chat template that came with the model; the layer above applies none. */
  readonly runtimeTemplate?: boolean;
  /** The model will be loaded again when it has died: a backend that knows that it could not refuses before it loads. */
  readonly mustRecover?: boolean;
  /** What only the vendor's runtime has; absent fields mean its own defaults. */
  readonly npu?: ResolvedNpuOptions;
  /** Told when a part of the load begins: `probe` finds out what there is to load with, `load` reads the model. */
  readonly onPhase?: ((phase: 'probe' | 'load') => void) | undefined;
  /** Takes what the engine prints, now and later. Must not throw. */
  readonly onLine?: ((line: EngineLine) => void) | undefined;
  /** Called before the engine is touched, for each thing that may keep the model from working. Absent: nobody asks. */
  readonly onWarning?: ((warning: Check) => void) | undefined;
  /** Aborts the load. A backend checks it at least before and after each slow step. */
  readonly signal: AbortSignal | undefined;
}

/** A line that an engine has printed. */
export interface EngineLine {
  /** As the engine marks it, else by its words. */
  readonly level: 'debug' | 'info' | 'warn' | 'error';
  /** Which part of the engine has printed it, such as `rkllm` or `rknn`. */
  readonly component: string;
  /** Without control characters. */
  readonly text: string;
  /** Where it was printed. */
  readonly stream: 'stdout' | 'stderr';
}

/** The prompt as the engine gets it: the chat template has been applied. */
export type RunInput =
  | {
      /** The prompt is a text. */
      readonly type: 'text';
      /** With the markers of the chat template. Not empty. */
      readonly text: string;
    }
  | {
      /** The prompt is tokens. Only where the backend declares `tokenInput`. */
      readonly type: 'tokens';
      /** The model's own ids, at least one. */
      readonly tokenIds: Int32Array;
    };

/** What an engine can give in place of text. */
export type ComputedOutput = 'hiddenStates' | 'logits';

/** One run of the engine. Everything here has been validated. */
export interface RunRequest {
  /** The prompt. */
  readonly input: RunInput;
  /** Output limit in tokens, at least 1; undefined: until the model stops or the context is full. */
  readonly maxNewTokens: number | undefined;
  /** Empty unless the backend declares `perRequestSampling`. */
  readonly sampling: ResolvedSampling;
  /**
   * The answer is JSON that is valid by this schema, whatever its limit is, and nothing else. Only where the backend declares
   * `constrainedJson`. Absent: it may be anything.
   */
  readonly json?: JsonSchema;
  /** What the input's text has marks for. Only kinds that the backend declares. */
  readonly media?: PromptMedia | undefined;
  /** What only the vendor's runtime has. Empty unless the model has {@link BackendModel.runtime}. */
  readonly npu?: ResolvedNpuRunOptions;
}

/** Prompts that the engine answers at the same time. Everything here has been validated. */
export interface BatchRequest {
  /** As many as the model's `batchSize`. */
  readonly rows: readonly RuntimeInput[];
  /** Output limit of each row in tokens, at least 1: what a row would give beyond it is left out. */
  readonly maxNewTokens: number | undefined;
}

/**
 * Tokens packed for one crossing. Token `i` is `tokenIds[i]`; its text is the bytes between `ends[i - 1]` (0 for
 * the first) and `ends[i]`. A character may be split between tokens and between batches; a token may have no text.
 */
export interface TokenBatch {
  /** UTF-8. */
  readonly bytes: Uint8Array;
  /** In the order in which they were written, in the model's own ids. */
  readonly tokenIds: Int32Array;
  /** Where the text of each token ends in `bytes`; as many as `tokenIds`, never falling. */
  readonly ends: Uint32Array;
  /**
   * Of a batch with several rows: which of them each token belongs to. A token with a negative id is none: it says that
   * the row has ended.
   */
  readonly rows?: Uint8Array;
}

/** Why and how a run ended. */
export interface RunEnd {
  /**
   * `eos`: the model ended its answer. `length`: the limit or the end of the context was reached. `aborted`: {@link
   * Run.abort} took effect. `unstated`: the runtime does not say; the layer above infers it from the number of tokens.
   */
  readonly reason: 'eos' | 'length' | 'aborted' | 'unstated';
  /**
   * Tokens of the prompt; undefined when the runtime does not tell. The vendor's runtime tells how many it computed, which
   * may leave out those that it still had from the generation before.
   */
  readonly promptTokens: number | undefined;
  /** Tokens of the prompt that were taken from the KV cache; undefined when the runtime does not tell. */
  readonly cachedPromptTokens: number | undefined;
  /** Milliseconds from the engine's start to the first token, as the engine measured; undefined when it does not. */
  readonly prefillMs: number | undefined;
  /** Milliseconds from the first token to the last, as the engine measured; undefined when it does not. */
  readonly decodeMs: number | undefined;
  /** Peak memory of the process that runs the model, in MiB; undefined when unknown. */
  readonly peakMemoryMb: number | undefined;
}

/**
 * One run in flight. Tokens are pulled: the engine never waits for JavaScript, and JavaScript is woken only when it
 * waits. The end is a fact of its own: after {@link Run.ended} settles the engine is idle, and what {@link Run.drain}
 * still returns is the rest.
 */
export interface Run {
  /**
   * Tokens since the last call, in order; undefined when there are none. A flood may come in several batches, so that none of
   * them keeps the event loop. Never blocks, never throws.
   */
  drain(): TokenBatch | undefined;
  /** Resolves when {@link Run.drain} has something to give or the run has ended. One waiter at a time. */
  readable(): Promise<void>;
  /**
   * Settles exactly once, when the engine is idle again: resolves however the run ended, rejects with an RkllmError
   * when it failed.
   */
  readonly ended: Promise<RunEnd>;
  /** Asks the engine to stop. Idempotent; harmless after the end. {@link Run.ended} says when it has. */
  abort(): void;
}

/** A model in memory. The layer above never starts more runs than `capabilities.slots` at a time. */
export interface BackendModel {
  /** Facts, as far as the backend knows them. */
  readonly info: BackendModelInfo;
  /** What it can do: the layer above asks for nothing else. */
  readonly capabilities: Capabilities;
  /** What the vendor's runtime can do besides; absent for other engines. */
  readonly runtime?: RuntimeControls;
  /** Starts a run. Whatever goes wrong arrives through {@link Run.ended}. */
  start(request: RunRequest): Run;
  /**
   * How many tokens a prompt has, as {@link start} would count them; it may be asked while something runs. Rejects with
   * `RKLLM_CONTEXT_OVERFLOW` when it is so long that it need not be counted. Absent: the engine cannot tell, and the layer
   * above estimates.
   */
  countTokens?(input: RunInput): Promise<number>;
  /**
   * Numbers in place of text: a row for each token of the input, or the last one where the engine gives no others. Nothing
   * else runs. Rejects with the reason of the signal when that stopped it, and with `RKLLM_UNSUPPORTED_OPTION` or
   * `RKLLM_UNSUPPORTED_BY_RUNTIME` for what the model does not give. Absent: the engine gives neither.
   */
  compute?(output: ComputedOutput, input: RunInput, signal: AbortSignal): Promise<Matrix>;
  /** Starts a run with several rows. It takes one of the slots. Absent: the engine has no batches. */
  startBatch?(request: BatchRequest): Run;
  /**
   * Rejects with an RkllmError when the model has died on its own (its worker or process is gone); the layer above
   * then refuses further generations, or loads it again. Never resolves, and never settles while the model lives or after
   * `dispose`. Runs and calls in flight reject too, in the same turn of the event loop.
   */
  readonly failed: Promise<never>;
  /**
   * After {@link failed} has rejected nothing of the model is left (no thread, no memory of the NPU) once it is disposed, so
   * that it may be loaded again in this process. The same for a load that rejects with `RKLLM_RUNTIME_CRASHED`,
   * `RKLLM_RUNTIME_HUNG` or `RKLLM_WORKER_FAILED`. Absent: no; `onCrash: 'restart'` is refused.
   */
  readonly recoverable?: boolean;
  /** Frees the model, or what is left of it. Called once, when no run is in flight. */
  dispose(): Promise<void>;
}

/** Load options that only some engines have. */
export type EngineOption =
  | 'threads'
  | 'prefillChunk'
  | 'pace'
  | 'runtimePath'
  | 'runtimeTemplate'
  | keyof NpuOptions
  | 'mirostat'
  | 'mirostatTau'
  | 'mirostatEta';

/** Something that can load models. Users may bring their own: `loadModel(path, { backend: myBackend })`. */
export interface Backend {
  /** Shown in `model.info.backend`. */
  readonly name: string;
  /** Which engine options it honours; the others are refused when given. Absent: it takes all of them. */
  readonly engineOptions?: readonly EngineOption[];
  /** Loads a model, or rejects with an RkllmError and leaves nothing running. */
  load(request: LoadRequest): Promise<BackendModel>;
}
