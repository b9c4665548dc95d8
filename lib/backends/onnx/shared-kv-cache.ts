import type { Tensor } from 'onnxruntime-node';
import type { GraphShape } from './graph-shape.js';
import { KvTensors, type KvCache } from './kv-cache.js';
import type { KvMemory } from './kv-memory.js';
import type { OrtModule } from './ort.js';

/** Room for so many tokens is not worth the copy of those that are in use, which giving it back takes; nor is a quarter of them. */
const mostUnused = 128;

/**
 * Each tensor is both the past input and the present output of its layer: the attention operator writes new rows behind the
 * old ones, and going back costs nothing. But onnxruntime-node gives a copy of each output, whether it is wanted or not: a token
 * costs the more the more room there is. So there is never much more than is needed.
 */
export class SharedKvCache implements KvCache {
  readonly past: Record<string, Tensor> = {};
  /** The same tensors, by the name of the graph's output. */
  readonly present: Record<string, Tensor> = {};
  readonly #tensors: KvTensors;
  readonly #shape: GraphShape;
  readonly #memory: KvMemory;
  /** Tokens that there is room for in each layer. */
  #capacity = 0;

  constructor(ort: OrtModule, shape: GraphShape, memory: KvMemory) {
    this.#tensors = new KvTensors(ort, shape, memory);
    this.#memory = memory;
    this.#shape = shape;
  }

  reserve(needed: number, used: number, end: number): void {
    if (needed <= this.#capacity && this.#capacity - needed <= Math.max(mostUnused, used / 4)) return;
    const capacity = this.#memory.room(needed, end, this.#capacity);
    this.#capacity = Math.min(this.#capacity, capacity);
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
