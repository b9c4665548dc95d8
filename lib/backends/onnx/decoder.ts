import type { InferenceSession, Tensor } from 'onnxruntime-node';
import { RkllmError } from '../../errors.js';
import type { ComputedOutput } from '../backend.js';
import type { Matrix } from '../runtime-controls.js';
import type { BusyGuard } from './busy-guard.js';
import { logitsToKeep } from './graph-names.js';
import { freeMemory, requireForWeights, type FreeMemory } from './free-memory.js';
import { readGraphShape, type GraphShape } from './graph-shape.js';
import { GrowingKvCache } from './growing-kv-cache.js';
import { floatArray, widen } from './half-floats.js';
import type { KvCache } from './kv-cache.js';
import { KvMemory } from './kv-memory.js';
import type { ModelLayout } from './layout.js';
import { createSession, requireOrt, type OrtModule } from './ort.js';
import { RopeSwitch } from './rope-switch.js';
import { SharedKvCache } from './shared-kv-cache.js';

/** A model that has no room for a short question and its answer is of no use to anybody. */
const shortestText = 256;

/** The graph with its KV cache: computes tokens one after the other, and remembers which ones. */
export class Decoder {
  readonly #ort: OrtModule;
  readonly #session: InferenceSession;
  readonly #guard: BusyGuard;
  readonly #layout: ModelLayout;
  readonly #shape: GraphShape;
  readonly #cache: KvCache;
  readonly #rope: RopeSwitch;
  /** The tokens in the cache. */
  readonly #history: number[] = [];
  /** The text that is being computed will not be longer than that. */
  #end = 0;
  /** A run gets a view of its beginning. */
  #ones = new BigInt64Array(0);
  /** The logits of a single token are written here, each time. */
  readonly #logits: Tensor;
  /** Half floats as numbers. */
  readonly #widened: Float32Array;

  private constructor(
    ort: OrtModule,
    session: InferenceSession,
    guard: BusyGuard,
    layout: ModelLayout,
    readonly contextLength: number,
    free: FreeMemory,
  ) {
    this.#ort = ort;
    this.#session = session;
    this.#guard = guard;
    this.#layout = layout;
    this.#shape = readGraphShape(session, layout);
    // A graph that writes into no buffer makes a new cache in each run, beside the old one.
    const memory = new KvMemory(this.#shape, contextLength, layout.sharesBuffers ? 1 : 2, free);
    const shortest = Math.min(shortestText, contextLength);
    memory.room(shortest, shortest, 0);
    this.#cache = new (layout.sharesBuffers ? SharedKvCache : GrowingKvCache)(ort, session, this.#shape, memory);
    this.#rope = new RopeSwitch(layout.ropeThreshold);
    const { vocabularySize, logitsType } = this.#shape;
    this.#logits = new ort.Tensor(logitsType, floatArray(logitsType, vocabularySize), [1, 1, vocabularySize]);
    this.#widened = new Float32Array(logitsType === 'float16' ? vocabularySize : 0);
  }

  /** @throws RkllmError `RKLLM_OUT_OF_MEMORY`, and what {@link requireOrt} and {@link createSession} throw. */
  static async open(
    layout: ModelLayout,
    contextLength: number,
    threads: number,
    guard: BusyGuard,
    free: FreeMemory = freeMemory,
  ): Promise<Decoder> {
    requireForWeights(layout.modelFile, layout.modelBytes, free);
    // Loading the addon is a native call, too.
    const { ort, session } = await guard.run(async () => {
      const ort = requireOrt();
      return { ort, session: await createSession(ort, layout, threads) };
    });
    return new Decoder(ort, session, guard, layout, contextLength, free);
  }

  /** Width of the logits. */
  get vocabularySize(): number {
    return this.#shape.vocabularySize;
  }

  /**
   * Goes back to the longest beginning that the computed tokens share with `tokens`, but leaves at least one of them to
   * compute: its logits are needed. All of `tokens` must then be computed, by one or several calls of {@link compute}.
   *
   * @param end - there will not be more tokens than that, with those of the answer.
   * @returns the number of tokens kept.
   */
  rewindTo(tokens: Int32Array, end: number): number {
    this.#end = end;
    const most = this.#rope.separates(tokens.length) ? 0 : Math.min(this.#history.length, tokens.length - 1);
    let common = 0;
    while (common < most && this.#history[common] === tokens[common]) common++;
    this.#history.length = common;
    this.#rope.begin(tokens.length);
    return common;
  }

  /** What {@link rewindTo} needs to go on with `token`. Undefined: it can be computed as it is. */
  textToRecompute(token: number): Int32Array | undefined {
    return this.#rope.separates(this.#history.length + 1) ? Int32Array.from([...this.#history, token]) : undefined;
  }

  /** How many tokens the next run must have at least. */
  get smallestChunk(): number {
    // A mask that is longer than the text makes others wrong than those with buffers that are longer, too.
    return this.#layout.sharesBuffers ? 1 : Math.max(1, this.#rope.shortestRun - this.#history.length);
  }

  /**
   * Computes tokens that follow what was computed before.
   *
   * @returns the logits after the last token; valid until the next call. Its values may be overwritten.
   */
  async compute(tokens: Int32Array): Promise<Float32Array> {
    // For several tokens ONNX Runtime makes the tensor: how many rows it has is the graph's choice.
    const { data } = await this.#compute(tokens, 'logits', tokens.length === 1 ? this.#logits : null);
    return this.#lastRow(data);
  }

  /** Whether the graph has such an output. */
  gives(output: ComputedOutput): boolean {
    return this.#session.outputNames.includes(this.#layout.names[output]);
  }

  /** Forgets what was computed. As many tokens must then be computed, by one or several calls of {@link computeRows}. */
  restart(tokens: number): void {
    this.#history.length = 0;
    this.#end = tokens;
    this.#rope.begin(tokens);
  }

  /** As {@link compute}, and gives all rows that the graph gives: one for each token, or the last. */
  async computeRows(tokens: Int32Array, output: ComputedOutput): Promise<Matrix> {
    const { data, columns } = await this.#compute(tokens, output, null);
    const values = data instanceof Float32Array ? data : new Float32Array(data.length);
    if (data instanceof Uint16Array) widen(data, values);
    return { values, rows: data.length / columns, columns };
  }

  async #compute(
    tokens: Int32Array,
    output: ComputedOutput,
    target: Tensor | null,
  ): Promise<{ readonly data: Float32Array | Uint16Array; readonly columns: number }> {
    const start = this.#history.length;
    const end = start + tokens.length;
    const length = Math.max(end, this.#rope.shortestRun);
    this.#cache.reserve(length, start, this.#end);
    const name = this.#layout.names[output];
    try {
      const output = await this.#guard.run(() => this.#cache.run(this.#inputs(tokens, start, length), name, target));
      const { data, dims } = output ?? {};
      const columns = dims?.at(-1);
      const isFloat = data instanceof Float32Array || data instanceof Uint16Array;
      if (!isFloat || columns === undefined) throw new Error(`The graph gave no ${name}.`);
      for (const token of tokens) this.#history.push(token);
      return { data, columns };
    } catch (cause) {
      if (this.#guard.closing) throw cause;
      throw this.#runFailed(cause);
    }
  }

  #lastRow(data: Float32Array | Uint16Array): Float32Array {
    const { vocabularySize } = this.#shape;
    if (data instanceof Float32Array) return data.subarray(data.length - vocabularySize);
    widen(data.subarray(data.length - vocabularySize), this.#widened);
    return this.#widened;
  }

  /** @param length - of the mask: that of the text, or more for the tokens of a long one. */
  #inputs(tokens: Int32Array, start: number, length: number): Record<string, Tensor> {
    const { names } = this.#layout;
    const { hasAttentionMask, hasPositionIds, hasLogitsToKeep } = this.#shape;
    const inputs: Record<string, Tensor> = {};
    inputs[names.inputIds] = this.#ids(BigInt64Array.from(tokens, BigInt));
    // Its ones tell the attention how many rows of the cache are in use.
    if (hasAttentionMask) inputs[names.attentionMask] = this.#ids(this.#mask(start + tokens.length, length));
    if (hasPositionIds) inputs[names.positionIds] = this.#ids(BigInt64Array.from(tokens, (_, i) => BigInt(start + i)));
    if (hasLogitsToKeep) inputs[logitsToKeep] = new this.#ort.Tensor('int64', BigInt64Array.of(1n), []);
    return inputs;
  }

  #ids(data: BigInt64Array): Tensor {
    const dims = [1, data.length];
    return this.#shape.idType === 'int64'
      ? new this.#ort.Tensor('int64', data, dims)
      : new this.#ort.Tensor('int32', Int32Array.from(data, Number), dims);
  }

  #mask(ones: number, length: number): BigInt64Array {
    if (this.#ones.length < ones) this.#ones = new BigInt64Array(2 * ones).fill(1n);
    if (ones === length) return this.#ones.subarray(0, ones);
    return new BigInt64Array(length).fill(1n, 0, ones);
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
