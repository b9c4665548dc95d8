import type { InferenceSession, Tensor } from 'onnxruntime-node';
import { RkllmError } from '../../errors.js';
import type { BusyGuard } from './busy-guard.js';
import { readGraphShape, type GraphShape } from './graph-shape.js';
import { KvCache } from './kv-cache.js';
import type { ModelLayout } from './layout.js';
import { createSession, requireOrt, type OrtModule } from './ort.js';

/** The graph with its KV cache: computes tokens one after the other, and remembers which ones. */
export class Decoder {
  readonly #ort: OrtModule;
  readonly #session: InferenceSession;
  readonly #guard: BusyGuard;
  readonly #layout: ModelLayout;
  readonly #shape: GraphShape;
  readonly #cache: KvCache;
  /** The tokens in the cache. */
  readonly #history: number[] = [];
  /** A run gets a view of its beginning. */
  #ones = new BigInt64Array(0);
  /** The logits of a single token are written here, each time. */
  readonly #logits: Tensor;

  private constructor(
    ort: OrtModule,
    session: InferenceSession,
    guard: BusyGuard,
    layout: ModelLayout,
    readonly contextLength: number,
  ) {
    this.#ort = ort;
    this.#session = session;
    this.#guard = guard;
    this.#layout = layout;
    this.#shape = readGraphShape(session, layout);
    this.#cache = new KvCache(ort, this.#shape, contextLength);
    const { vocabularySize } = this.#shape;
    this.#logits = new ort.Tensor('float32', new Float32Array(vocabularySize), [1, 1, vocabularySize]);
  }

  static async open(layout: ModelLayout, contextLength: number, threads: number, guard: BusyGuard): Promise<Decoder> {
    // Loading the addon is a native call, too.
    const { ort, session } = await guard.run(async () => {
      const ort = requireOrt();
      return { ort, session: await createSession(ort, layout, threads) };
    });
    return new Decoder(ort, session, guard, layout, contextLength);
  }

  /** Width of the logits. */
  get vocabularySize(): number {
    return this.#shape.vocabularySize;
  }

  /**
   * Goes back to the longest beginning that the computed tokens share with `tokens`, but leaves at least one of them to
   * compute: its logits are needed.
   *
   * @returns the number of tokens kept.
   */
  rewindTo(tokens: Int32Array): number {
    const most = Math.min(this.#history.length, tokens.length - 1);
    let common = 0;
    while (common < most && this.#history[common] === tokens[common]) common++;
    this.#history.length = common;
    return common;
  }

  /**
   * Computes tokens that follow what was computed before.
   *
   * @returns the logits after the last token; valid until the next call. Its values may be overwritten.
   */
  async compute(tokens: Int32Array): Promise<Float32Array> {
    const start = this.#history.length;
    const end = start + tokens.length;
    this.#cache.reserve(end, start);
    const logitsName = this.#layout.names.logits;
    // For several tokens ONNX Runtime makes the tensor: how many rows it has is the graph's choice.
    const logits = tokens.length === 1 ? this.#logits : null;
    try {
      const fetches = { ...this.#cache.present, [logitsName]: logits };
      const results = await this.#guard.run(() => this.#session.run(this.#feeds(tokens, start, end), fetches));
      const data = results[logitsName]?.data;
      if (!(data instanceof Float32Array)) throw new Error(`The graph gave no ${logitsName}.`);
      for (const token of tokens) this.#history.push(token);
      return data.subarray(data.length - this.#shape.vocabularySize);
    } catch (cause) {
      if (this.#guard.closing) throw cause;
      throw this.#runFailed(cause);
    }
  }

  #feeds(tokens: Int32Array, start: number, end: number): Record<string, Tensor> {
    const { names } = this.#layout;
    const int64 = (data: BigInt64Array): Tensor => new this.#ort.Tensor('int64', data, [1, data.length]);
    const feeds = { ...this.#cache.past };
    feeds[names.inputIds] = int64(BigInt64Array.from(tokens, BigInt));
    // Its length is what tells the attention how many rows of the cache are in use.
    if (this.#shape.hasAttentionMask) feeds[names.attentionMask] = int64(this.#onesFor(end));
    if (this.#shape.hasPositionIds) {
      feeds[names.positionIds] = int64(BigInt64Array.from(tokens, (_, i) => BigInt(start + i)));
    }
    return feeds;
  }

  #onesFor(count: number): BigInt64Array {
    if (this.#ones.length < count) this.#ones = new BigInt64Array(2 * count).fill(1n);
    return this.#ones.subarray(0, count);
  }

  /** What the cache holds after a failure is unknown, so nothing of it is used again. */
  #runFailed(cause: unknown): RkllmError {
    this.#history.length = 0;
    const reason = cause instanceof Error ? cause.message : String(cause);
    return new RkllmError('RKLLM_RUN_FAILED', `ONNX Runtime could not compute the next token: ${reason}`, {
      hint: 'If the message names an operator, use another export of the model: one made for the CPU by onnxruntime-genai.',
      details: { path: this.#layout.modelFile },
      cause,
    });
  }
}
