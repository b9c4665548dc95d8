import type { InferenceSession, Tensor } from 'onnxruntime-node';
import type { GraphShape } from './graph-shape.js';
import { KvTensors, type KvCache } from './kv-cache.js';
import type { KvMemory } from './kv-memory.js';
import type { OrtModule } from './ort.js';
import { OutputsInPlace } from './outputs-in-place.js';

/** Room that is kept for a shorter text; and as much as that text needs. */
const mostUnused = 256;

/**
 * Each tensor is both the past input and the present output of its layer: the attention operator writes new rows behind the
 * old ones, so that a token costs no copy and going back costs nothing.
 */
export class SharedKvCache implements KvCache {
  /** By the name of the graph's input. */
  readonly past: Record<string, Tensor> = {};
  /** The same tensors, by the name of the graph's output. */
  readonly present: Record<string, Tensor> = {};
  readonly #outputs: OutputsInPlace;
  readonly #tensors: KvTensors;
  readonly #shape: GraphShape;
  readonly #memory: KvMemory;
  /** Tokens that there is room for in each layer. */
  #capacity = 0;

  constructor(ort: OrtModule, session: InferenceSession, shape: GraphShape, memory: KvMemory) {
    this.#outputs = new OutputsInPlace(ort, session);
    this.#tensors = new KvTensors(ort, shape, memory);
    this.#memory = memory;
    this.#shape = shape;
  }

  reserve(needed: number, used: number, end: number): void {
    if (needed <= this.#capacity && this.#capacity - needed <= Math.max(mostUnused, needed)) return;
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

  run(inputs: Readonly<Record<string, Tensor>>, name: string, target: Tensor | null): Promise<Tensor | undefined> {
    return this.#outputs.run({ ...this.past, ...inputs }, { ...this.present, [name]: target }, name);
  }
}
