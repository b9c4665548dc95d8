import type { InferenceSession, Tensor } from 'onnxruntime-node';
import type { GraphShape } from './graph-shape.js';
import { KvTensors, type KvCache } from './kv-cache.js';
import type { KvMemory } from './kv-memory.js';
import type { OrtModule } from './ort.js';

/**
 * For graphs that put the new tokens behind the past ones in tensors of their own: what one run gave is the past of the next.
 * Each run copies all of it.
 */
export class GrowingKvCache implements KvCache {
  readonly #session: InferenceSession;
  /** By the name of the graph's input. */
  readonly #past: Record<string, Tensor> = {};
  /** By the name of its output: it makes a tensor. */
  readonly #present: Record<string, null> = {};
  readonly #tensors: KvTensors;
  readonly #shape: GraphShape;
  readonly #memory: KvMemory;
  /** So many tokens fit. */
  #room = 0;

  constructor(ort: OrtModule, session: InferenceSession, shape: GraphShape, memory: KvMemory) {
    this.#session = session;
    this.#tensors = new KvTensors(ort, shape, memory);
    this.#memory = memory;
    this.#shape = shape;
    for (const { presentKey, presentValue } of shape.layers)
      this.#present[presentKey] = this.#present[presentValue] = null;
  }

  /** The graph makes the room, and all of it while it still has the past. What is too much of that is cut off. */
  reserve(needed: number, used: number, end: number): void {
    if (needed > this.#room) this.#room = this.#memory.room(needed, end, 0);
    for (const { pastKey, pastValue } of this.#shape.layers) {
      for (const name of [pastKey, pastValue]) {
        const old = this.#past[name];
        if (old?.dims[2] !== used) this.#past[name] = this.#tensors.make(used, old, used);
      }
    }
  }

  async run(
    inputs: Readonly<Record<string, Tensor>>,
    name: string,
    target: Tensor | null,
  ): Promise<Tensor | undefined> {
    const results = await this.#session.run({ ...this.#past, ...inputs }, { ...this.#present, [name]: target });
    for (const { pastKey, pastValue, presentKey, presentValue } of this.#shape.layers) {
      this.#past[pastKey] = given(results, presentKey);
      this.#past[pastValue] = given(results, presentValue);
    }
    return results[name];
  }
}

function given(results: Readonly<Record<string, Tensor | undefined>>, name: string): Tensor {
  const tensor = results[name];
  if (tensor === undefined) throw new Error(`The graph gave no ${name}.`);
  return tensor;
}
