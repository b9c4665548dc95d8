import type { BatchOptions } from '../options/batch.js';

/** Numbers that a model gives in place of text, row after row: one row for each token of the input. */
export interface Matrix {
  /** Row by row: `rows` × `columns` floats. */
  readonly values: Float32Array;
  /** As many as tokens were computed and are told of. */
  readonly rows: number;
  /** Floats of each: the width of the model, or of its vocabulary. */
  readonly columns: number;
}

/**
 * What {@link RuntimeControls.hiddenStates} and {@link RuntimeControls.logits} compute from, and {@link
 * ModelRuntime.generateBatch} answers. It is used as it is.
 */
export type RuntimeInput =
  | {
      /** As it is, without a chat template. Not empty. */
      readonly prompt: string;
    }
  | {
      /** The model's own ids, at least one. */
      readonly tokenIds: Int32Array;
    }
  | {
      /** Vectors of {@link RuntimeControls.embeddingWidth} floats in place of tokens, one after the other. */
      readonly embeddings: Float32Array;
      /** How many of them there are, an integer from 1. */
      readonly tokens: number;
    };

/** Positions of the KV cache: from one up to another, which is not part of it. Integers from 0. */
export interface KvRange {
  /** The first position that is meant. */
  readonly from: number;
  /** The first one after it that is not. */
  readonly to: number;
}

/** Stops a computation: it then rejects with the signal's reason, once the runtime is idle. */
export interface ComputeOptions {
  /** Stops it; default: none. */
  readonly signal?: AbortSignal | undefined;
}

/** The answer to one prompt of a batch. */
export interface BatchAnswer {
  /** In whole characters; bytes that are no UTF-8 are U+FFFD. */
  readonly text: string;
  /** Of the text, in order. */
  readonly tokenIds: readonly number[];
  /** `'length'`: `maxNewTokens` was reached. `'abort'`: the model was disposed of with `{ abort: true }`. */
  readonly finishReason: 'stop' | 'length' | 'abort';
}

/** What the encoder of a model with cross attention has computed; the layouts are those of the vendor's manual. */
export interface CrossAttention {
  /** Of the encoder: layers × tokens × heads of keys and values × width of a head. */
  readonly keyCache: Float32Array;
  /** Of the encoder: layers × heads of keys and values × width of a head × tokens. */
  readonly valueCache: Float32Array;
  /** One for each token of the encoder. */
  readonly mask: Float32Array;
  /** As many as in `mask`. */
  readonly positions: Int32Array;
}

/**
 * What the vendor's runtime can do besides answering. Calls wait their turn in the model's queue like generations. What
 * the loaded runtime does not have rejects with `RKLLM_UNSUPPORTED_BY_RUNTIME`; a refusal by the runtime with
 * `RKLLM_RUN_FAILED`; what cannot be computed from with `RKLLM_INVALID_INPUT`, and other arguments that cannot be right
 * with `RKLLM_INVALID_OPTION` or `RKLLM_UNKNOWN_OPTION`.
 */
export interface RuntimeControls {
  /** Whether the loaded runtime has what came with a release, such as `1.2.1`. */
  has(release: string): boolean;
  /**
   * Floats in one token's embedding: the option `embeddingWidth`, else as the first {@link RuntimeControls.hiddenStates}
   * has shown; `undefined` until then.
   */
  readonly embeddingWidth: number | undefined;
  /** Names of the adapters that are loaded, in their order. */
  readonly adapters: readonly string[];
  /** The last hidden layer, for embeddings: usually the last row is that of the text. */
  hiddenStates(input: RuntimeInput, options?: ComputeOptions): Promise<Matrix>;
  /** The logits of every token of the vocabulary. From runtime 1.2.0 on. */
  logits(input: RuntimeInput, options?: ComputeOptions): Promise<Matrix>;
  /** Loads an adapter; generations select it with the option `lora`. Its path reaches a backend as an absolute one. */
  loadLora(lora: { readonly path: string; readonly name: string; readonly scale?: number }): Promise<void>;
  /**
   * A cache that a generation with the option `savePromptCache` has written. One at a time. Its path reaches a backend as an
   * absolute one.
   */
  loadPromptCache(path: string): Promise<void>;
  /** Undoes {@link RuntimeControls.loadPromptCache}. */
  releasePromptCache(): Promise<void>;
  /**
   * Forgets what was computed: all, all but the system prompt, or the ranges that are given, one for each row of the
   * batch. From runtime 1.2.0 on; ranges from 1.2.1 on, and only when the last generation was stopped with
   * `stopBy: 'pause'`.
   */
  clearKvCache(options?: { readonly keepSystemPrompt?: boolean; readonly ranges?: readonly KvRange[] }): Promise<void>;
  /** In tokens; of a batch, that of the first row. From runtime 1.2.1 on. */
  kvCacheSize(): Promise<number>;
  /** In tokens, one for each row of the model's batch. From runtime 1.2.1 on. */
  kvCacheSizes(): Promise<readonly number[]>;
  /** The runtime's own template, in place of the converted model's; it clears the KV cache. From runtime 1.2.0 on. */
  setChatTemplate(template: {
    readonly system?: string;
    readonly prefix?: string;
    readonly postfix?: string;
  }): Promise<void>;
  /** Tools as JSON, for models loaded with `template: 'runtime'`. From runtime 1.2.1 on. */
  setFunctionTools(tools: {
    readonly system?: string;
    readonly tools: string;
    readonly responseTag: string;
  }): Promise<void>;
  /** For models loaded with `crossAttention: true`; `undefined` is back to none. From runtime 1.2.1 on. */
  setCrossAttention(attention: CrossAttention | undefined): Promise<void>;
}

/**
 * {@link RuntimeControls} as `model.runtime` has them. On a model that was loaded with a `batchSize` above 1
 * `hiddenStates()` and `logits()` reject with `RKLLM_UNSUPPORTED_OPTION`.
 */
export interface ModelRuntime extends RuntimeControls {
  /**
   * Answers several prompts at the same time, on a model that was loaded with their number as `batchSize`. The prompts
   * are used as they are, and may be of different kinds. It waits its turn in the model's queue like a generation.
   *
   * @returns one answer for each prompt, in their order, when the last one is complete.
   * @throws RkllmError (as a rejection) `RKLLM_INVALID_INPUT` unless there are exactly `batchSize` prompts,
   * `RKLLM_UNKNOWN_OPTION`, `RKLLM_INVALID_OPTION`, `RKLLM_UNSUPPORTED_OPTION`, `RKLLM_QUEUE_FULL`,
   * `RKLLM_QUEUE_TIMEOUT`, `RKLLM_RUN_FAILED`, `RKLLM_DISPOSED`.
   */
  generateBatch(inputs: readonly RuntimeInput[], options?: BatchOptions): Promise<readonly BatchAnswer[]>;
}
