import type { Tensor } from 'onnxruntime-node';
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

  /** Makes room for `needed` tokens and keeps the first `used` ones. */
  reserve(needed: number, used: number): void {
    if (needed <= this.#capacity) return;
    const capacity = Math.min(this.#maxTokens, Math.max(needed, 2 * this.#capacity, initialCapacity));
    for (const layer of this.#shape.layers) {
      for (const [past, present] of [
        [layer.pastKey, layer.presentKey],
        [layer.pastValue, layer.presentValue],
      ] as const) {
        const tensor = this.#enlarged(this.past[past], used, capacity);
        this.past[past] = tensor;
        this.present[present] = tensor;
      }
    }
    this.#capacity = capacity;
  }

  /** Rows lie one head after the other, so each head moves. */
  #enlarged(old: Tensor | undefined, used: number, capacity: number): Tensor {
    const { kvHeads, headSize } = this.#shape;
    const data = new Float32Array(kvHeads * capacity * headSize);
    if (old?.data instanceof Float32Array) {
      for (let head = 0; head < kvHeads; head++) {
        const start = head * this.#capacity * headSize;
        data.set(old.data.subarray(start, start + used * headSize), head * capacity * headSize);
      }
    }
    return new this.#ort.Tensor('float32', data, [1, kvHeads, capacity, headSize]);
  }
}
