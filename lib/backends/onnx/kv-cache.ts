import type { Tensor } from 'onnxruntime-node';
import { RkllmError } from '../../errors.js';
import type { GraphShape } from './graph-shape.js';
import { floatArray, type FloatArray } from './half-floats.js';
import type { OrtModule } from './ort.js';

/** Keys and values of all layers, between the runs of a graph. */
export interface KvCache {
  /** By the name of the graph's input. */
  readonly past: Readonly<Record<string, Tensor>>;
  /** What the graph writes to, by the name of its output; null: it makes a tensor. */
  readonly present: Readonly<Record<string, Tensor | null>>;
  /** Makes room for `needed` tokens and keeps the first `used` ones, also when there is no memory for more. */
  reserve(needed: number, used: number): void;
  /** Takes what a run has given. */
  take(results: Readonly<Record<string, Tensor | undefined>>): void;
}

/** Makes the tensors of a cache: `[1, heads, tokens, head size]`. */
export class KvTensors {
  readonly #ort: OrtModule;
  readonly #shape: GraphShape;

  constructor(ort: OrtModule, shape: GraphShape) {
    this.#ort = ort;
    this.#shape = shape;
  }

  /** A tensor of `capacity` tokens with the first `used` ones of `old`. Tokens lie one head after the other, so each moves. */
  make(capacity: number, old: Tensor | undefined, used: number): Tensor {
    const { kvHeads, headSize } = this.#shape;
    const { tensor, data } = this.#allocate(capacity);
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

  #allocate(capacity: number): { tensor: Tensor; data: FloatArray } {
    const { kvHeads, headSize, kvType } = this.#shape;
    try {
      const data = floatArray(kvType, kvHeads * capacity * headSize);
      const dims = [1, kvHeads, capacity, headSize];
      return { tensor: new this.#ort.Tensor(kvType, data, dims), data };
    } catch (cause) {
      throw noMemory(this.#shape, capacity, cause);
    }
  }
}

function dataOf(tensor: Tensor): FloatArray {
  const { data } = tensor;
  if (data instanceof Float32Array || data instanceof Uint16Array) return data;
  throw new Error(`The KV cache is ${tensor.type}, in an array of another kind.`);
}

function noMemory({ kvHeads, headSize, kvType, layers }: GraphShape, capacity: number, cause: unknown): RkllmError {
  const bytes = 2 * layers.length * kvHeads * capacity * headSize * (kvType === 'float32' ? 4 : 2);
  const megabytes = Math.ceil(bytes / 2 ** 20);
  return new RkllmError(
    'RKLLM_RUN_FAILED',
    `There is no memory for a KV cache of ${capacity} tokens, which takes ${megabytes} MiB.`,
    {
      hint: 'Load the model with a smaller maxContextLength, or free memory.',
      details: { tokens: capacity, megabytes },
      cause,
    },
  );
}
