import type { Tensor } from 'onnxruntime-node';
import type { GraphShape } from './graph-shape.js';
import { floatArray, type FloatArray } from './half-floats.js';
import type { KvMemory } from './kv-memory.js';
import type { OrtModule } from './ort.js';

/** Keys and values of all layers, in and between the runs of a graph. */
export interface KvCache {
  /**
   * Makes room for `needed` tokens and keeps the first `used` ones, also when there is no memory for more.
   *
   * @param end - there will not be more tokens than that.
   * @throws RkllmError `RKLLM_OUT_OF_MEMORY`.
   */
  reserve(needed: number, used: number, end: number): void;
  /**
   * Runs the graph on what is there and other inputs.
   *
   * @param target - where to write the output `name`; null: into a tensor that is made for it.
   * @returns the output `name`.
   */
  run(inputs: Readonly<Record<string, Tensor>>, name: string, target: Tensor | null): Promise<Tensor | undefined>;
}

/** Makes the tensors of a cache: `[1, heads, tokens, head size]`. */
export class KvTensors {
  readonly #ort: OrtModule;
  readonly #shape: GraphShape;
  readonly #memory: KvMemory;

  constructor(ort: OrtModule, shape: GraphShape, memory: KvMemory) {
    this.#ort = ort;
    this.#shape = shape;
    this.#memory = memory;
  }

  /** A tensor of `capacity` tokens with the first `used` ones of `old`. Tokens lie one head after the other, so each moves. */
  make(capacity: number, old: Tensor | undefined, used: number): Tensor {
    const { kvHeads, headSize } = this.#shape;
    const { tensor, data } = this.#allocate(capacity, used);
    if (old !== undefined && used > 0) {
      const from = dataOf(old);
      // Its own, which is not that of its neighbours when the last growth failed.
      const oldCapacity = old.dims[2] ?? 0;
      for (let head = 0; head < kvHeads; head++) {
        const start = head * oldCapacity * headSize;
        data.set(from.subarray(start, start + used * headSize), head * capacity * headSize);
      }
    }
    return tensor;
  }

  #allocate(capacity: number, held: number): { tensor: Tensor; data: FloatArray } {
    const { kvHeads, headSize, kvType } = this.#shape;
    try {
      const data = floatArray(kvType, kvHeads * capacity * headSize);
      const dims = [1, kvHeads, capacity, headSize];
      return { tensor: new this.#ort.Tensor(kvType, data, dims), data };
    } catch (cause) {
      throw this.#memory.outOfMemory(capacity, held, undefined, cause);
    }
  }
}

function dataOf(tensor: Tensor): FloatArray {
  const { data } = tensor;
  if (data instanceof Float32Array || data instanceof Uint16Array) return data;
  throw new Error(`The KV cache is ${tensor.type}, in an array of another kind.`);
}
