/** Token ids of the model, each an integer from 0 to 2,147,483,647. */
export type TokenIds = readonly number[] | Int32Array;

/**
 * The tokenizer of a model that was converted without one. `text` is a piece of a prompt; more than `maxTokens` token
 * ids, or a failure, fail the generation, or the load that asks, with `RKLLM_RUN_FAILED`.
 */
export type Tokenizer = (text: string, maxTokens: number) => TokenIds | Promise<TokenIds>;

/**
 * The token embeddings of a model that was converted without them: one row for each token, row after row, each as long
 * as the model is wide. Another length, or a failure, fails the generation, or the load that asks, with
 * `RKLLM_RUN_FAILED`.
 */
export type Embedder = (tokenIds: Int32Array) => Float32Array | Promise<Float32Array>;

/** A LoRA adapter, converted together with its model. */
export interface Adapter {
  /** What generations and conversations choose it by. */
  readonly name: string;
  /** Its `.rkllm` file. A relative path starts at the current directory of the call. */
  readonly path: string;
  /** How strongly it counts, from -1000 to 1000. Default 1. */
  readonly scale?: number | undefined;
}
