import type { InferenceSession, Tensor } from 'onnxruntime-node';
import type { OrtModule } from './ort.js';

type Values = Readonly<Record<string, Tensor | null>>;

/** Ends a run whose outputs are where they belong. It is no failure, and made once: a stack trace for each run would cost more. */
const nothingMoreWanted = new Error('Nothing more is wanted of this run.');

/** Told of each tensor that is made on this thread, before it is complete; undefined: nobody asks. */
let made: ((tensor: Tensor) => void) | undefined;

/**
 * Runs graphs that write their outputs into tensors which they were given.
 *
 * When such a run is done, onnxruntime-node copies each output into a tensor of its own all the same, one after the other, the KV cache
 * of a long text as well. Nothing turns that off. But the first tensor that nobody wants can be refused: the constructor throws,
 * nothing more is copied, and what was computed is in its place. A release of onnxruntime-node that makes its tensors in
 * another way is not disturbed: it copies.
 */
export class OutputsInPlace {
  readonly #session: InferenceSession;

  constructor(ort: OrtModule, session: InferenceSession) {
    this.#session = session;
    watchTensors(ort);
  }

  /**
   * @param fetches - the outputs, and where to write them; the output `name` may be null, to get a tensor.
   * @returns the output `name`.
   */
  async run(feeds: Readonly<Record<string, Tensor>>, fetches: Values, name: string): Promise<Tensor | undefined> {
    const target = fetches[name];
    const copied = this.#session.outputNames.filter((output) => output in fetches);
    const wanted = target ? 0 : copied.indexOf(name) + 1;
    let output: Tensor | undefined;
    let count = 0;
    made = (tensor) => {
      if (count === wanted) throw nothingMoreWanted;
      count++;
      if (count === wanted) output = tensor;
    };
    try {
      const results = await this.#session.run(feeds, fetches);
      return results[name];
    } catch (error) {
      if (error === nothingMoreWanted) return target ?? output;
      throw error;
    } finally {
      made = undefined;
    }
  }
}

/** A tensor is given its dimensions when it has its data, as the last but one of its fields. */
function watchTensors({ Tensor }: OrtModule): void {
  const prototype = Tensor.prototype as object;
  if (Object.hasOwn(prototype, 'dims')) return;
  Object.defineProperty(prototype, 'dims', {
    configurable: true,
    set(this: Tensor, value: readonly number[]) {
      made?.(this);
      Object.defineProperty(this, 'dims', { value, writable: true, enumerable: true, configurable: true });
    },
  });
}
