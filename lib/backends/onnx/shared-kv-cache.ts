import type { Tensor } from 'onnxruntime-node';
import type { GraphShape } from './graph-shape.js';
import { KvTensors, type KvCache } from './kv-cache.js';
import type { KvMemory } from './kv-memory.js';
import type { OrtModule } from './ort.js';

/** Tokens that the buffers hold at first; a short chat never grows them. */
export const initialCapacity = 256;

/**
 * Each tensor is both the past input and the present output of its layer: the attention operator writes new rows behind the
 * old ones, so that a token costs no copy and going back costs nothing.
 */
export class SharedKvCache implements KvCache {
  readonly past: Record<string, Tensor> = {};
  /** The same tensors, by the name of the graph's output. */
  readonly present: Record<string, Tensor> = {};
  readonly #tensors: KvTensors;
  readonly #shape: GraphShape;
  readonly #memory: KvMemory;
  readonly #maxTokens: number;
  #capacity = 0;

  constructor(ort: OrtModule, shape: GraphShape, memory: KvMemory, maxTokens: number) {
    this.#tensors = new KvTensors(ort, shape, memory);
    this.#memory = memory;
    this.#shape = shape;
    this.#maxTokens = maxTokens;
  }

  reserve(needed: number, used: number): void {
    if (needed <= this.#capacity) return;
    const wanted = Math.min(this.#maxTokens, Math.max(2 * this.#capacity, initialCapacity));
    const capacity = this.#memory.room(needed, wanted, this.#capacity);
    // Layer by layer, so that the old and the new are not in memory all at once. Layers may differ in size, but not the
    // keys and values of one: a failure may come between layers only.
    for (const { pastKey, pastValue, presentKey, presentValue } of this.#shape.layers) {
      const keys = this.#tensors.make(capacity, this.past[pastKey], used);
      const values = this.#tensors.make(capacity, this.past[pastValue], used);
      this.past[pastKey] = this.present[presentKey] = keys;
      this.past[pastValue] = this.present[presentValue] = values;
    }
    this.#capacity = capacity;
  }

  take(): void {
    // It has been written in place.
  }
}
