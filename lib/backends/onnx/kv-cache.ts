import type { Tensor } from 'onnxruntime-node';
import { RkllmError } from '../../errors.js';
import type { GraphShape } from './graph-shape.js';
import type { OrtModule } from './ort.js';

/** Tokens that the buffers hold at first; a short chat never grows them. */
const initialCapacity = 256;

/**
 * Keys and values of all layers. Each tensor is both the past input and the present output of its layer: the attention
 * operator writes new rows behind the old ones, so that a token costs no copy and going back costs nothing.
 */
export class KvCache {
  /** By the name of the graph's input. */
  readonly past: Record<string, Tensor> = {};
  /** The same tensors, by the name of the graph's output. */
  readonly present: Record<string, Tensor> = {};
  readonly #ort: OrtModule;
  readonly #shape: GraphShape;
  readonly #maxTokens: number;
  #capacity = 0;

  constructor(ort: OrtModule, shape: GraphShape, maxTokens: number) {
    this.#ort = ort;
    this.#shape = shape;
    this.#maxTokens = maxTokens;
  }

  /** Makes room for `needed` tokens and keeps the first `used` ones, also when there is no memory for more. */
  reserve(needed: number, used: number): void {
    if (needed <= this.#capacity) return;
    const capacity = Math.min(this.#maxTokens, Math.max(needed, 2 * this.#capacity, initialCapacity));
    // Layer by layer, so that the old and the new are not in memory all at once. Layers may differ in size, but not the
    // keys and values of one: a failure may come between layers only.
    for (const { pastKey, pastValue, presentKey, presentValue } of this.#shape.layers) {
      const keys = this.#enlarged(this.past[pastKey], used, capacity);
      const values = this.#enlarged(this.past[pastValue], used, capacity);
      this.past[pastKey] = this.present[presentKey] = keys;
      this.past[pastValue] = this.present[presentValue] = values;
    }
    this.#capacity = capacity;
  }

  /** Rows lie one head after the other, so each head moves. */
  #enlarged(old: Tensor | undefined, used: number, capacity: number): Tensor {
    const { kvHeads, headSize } = this.#shape;
    const tensor = this.#allocate(capacity);
    if (old?.data instanceof Float32Array && tensor.data instanceof Float32Array) {
      // Its own, which is not that of its neighbours when the last growth failed.
      const oldCapacity = old.dims[2] ?? 0;
      for (let head = 0; head < kvHeads; head++) {
        const start = head * oldCapacity * headSize;
        tensor.data.set(old.data.subarray(start, start + used * headSize), head * capacity * headSize);
      }
    }
    return tensor;
  }

  #allocate(capacity: number): Tensor {
    const { kvHeads, headSize, layers } = this.#shape;
    try {
      const data = new Float32Array(kvHeads * capacity * headSize);
      return new this.#ort.Tensor('float32', data, [1, kvHeads, capacity, headSize]);
    } catch (cause) {
      const megabytes = Math.ceil((8 * layers.length * kvHeads * capacity * headSize) / 2 ** 20);
      throw new RkllmError(
        'RKLLM_RUN_FAILED',
        `There is no memory for a KV cache of ${capacity} tokens, which takes ${megabytes} MiB.`,
        {
          hint: 'Load the model with a smaller maxContextLength, or free memory.',
          details: { tokens: capacity, megabytes },
          cause,
        },
      );
    }
  }
}
