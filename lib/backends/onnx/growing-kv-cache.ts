import type { Tensor } from 'onnxruntime-node';
import type { GraphShape } from './graph-shape.js';
import { KvTensors, type KvCache } from './kv-cache.js';
import type { OrtModule } from './ort.js';

/**
 * For graphs that put the new tokens behind the past ones in tensors of their own: what one run gave is the past of the next.
 * Each run copies all of it.
 */
export class GrowingKvCache implements KvCache {
  readonly past: Record<string, Tensor> = {};
  readonly present: Record<string, null> = {};
  readonly #tensors: KvTensors;
  readonly #shape: GraphShape;

  constructor(ort: OrtModule, shape: GraphShape) {
    this.#tensors = new KvTensors(ort, shape);
    this.#shape = shape;
    for (const { presentKey, presentValue } of shape.layers)
      this.present[presentKey] = this.present[presentValue] = null;
  }

  /** The graph makes the room. What is too much of the past is cut off. */
  reserve(_needed: number, used: number): void {
    for (const { pastKey, pastValue } of this.#shape.layers) {
      for (const name of [pastKey, pastValue]) {
        const old = this.past[name];
        if (old?.dims[2] !== used) this.past[name] = this.#tensors.make(used, old, used);
      }
    }
  }

  take(results: Readonly<Record<string, Tensor | undefined>>): void {
    for (const { pastKey, pastValue, presentKey, presentValue } of this.#shape.layers) {
      this.past[pastKey] = given(results, presentKey);
      this.past[pastValue] = given(results, presentValue);
    }
  }
}

function given(results: Readonly<Record<string, Tensor | undefined>>, name: string): Tensor {
  const tensor = results[name];
  if (tensor === undefined) throw new Error(`The graph gave no ${name}.`);
  return tensor;
}
