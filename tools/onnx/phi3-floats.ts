import { toFloat16 } from './float16.js';

/** What a graph computes in. */
export type FloatFormat = 'float32' | 'float16';

/** Writes numbers in the format of a graph. */
export class FloatWriter {
  constructor(readonly format: FloatFormat) {}

  bits(numbers: Float32Array): Float32Array | Uint16Array {
    return this.format === 'float32' ? numbers : toFloat16(numbers);
  }
}
