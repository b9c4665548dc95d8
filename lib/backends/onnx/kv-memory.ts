import { RkllmError } from '../../errors.js';
import { inMebibytes, type FreeMemory } from './free-memory.js';
import type { GraphShape } from './graph-shape.js';

/** What is in use is moved for each step in which it is given room. */
const shortestStep = 32;
/** Of the tokens that are needed. */
const largestStep = 1 / 4;

/** What a KV cache takes, and whether it can be had. */
export class KvMemory {
  readonly bytesPerToken: number;
  readonly #layers: number;
  readonly #maxTokens: number;
  readonly #free: FreeMemory;

  /**
   * @param maxTokens - the context.
   * @param copies - of each token, while a graph runs.
   */
  constructor({ kvHeads, headSize, kvType, layers }: GraphShape, maxTokens: number, copies: 1 | 2, free: FreeMemory) {
    this.#layers = layers.length;
    this.bytesPerToken = copies * 2 * layers.length * kvHeads * headSize * (kvType === 'float32' ? 4 : 2);
    this.#maxTokens = maxTokens;
    this.#free = free;
  }

  /**
   * For how many tokens to make room, where `needed` of them have to be had: for some more, else as few as possible.
   *
   * @param end - there will not be more.
   * @param held - tokens that there is room for; it is given back, layer by layer.
   * @throws RkllmError `RKLLM_OUT_OF_MEMORY`.
   */
  room(needed: number, end: number, held: number): number {
    const free = this.#free() ?? Infinity;
    const step = Math.max(shortestStep, Math.floor(largestStep * needed));
    const wanted = Math.max(needed, Math.min(needed + step, end, this.#maxTokens));
    const fitting = [wanted, needed].find((tokens) => this.#bytes(tokens, held) <= free);
    if (fitting === undefined) throw this.outOfMemory(needed, held, free);
    return fitting;
  }

  /** With the layer that is copied, of which there are two at that moment. */
  #bytes(tokens: number, held: number): number {
    return this.bytesPerToken * (tokens - held + held / this.#layers);
  }

  /** @param free - undefined: it is not known, only that it was not enough. */
  outOfMemory(tokens: number, held: number, free?: number, cause?: unknown): RkllmError {
    const bytes = this.bytesPerToken * tokens;
    const fitting = free === undefined ? held : Math.max(0, Math.floor(free / this.bytesPerToken) + held);
    const more = held === 0 ? '' : `, ${inMebibytes(this.bytesPerToken * (tokens - held))} more than it has`;
    const known = free === undefined ? 'the system gives no more' : `${inMebibytes(free)} are free`;
    return new RkllmError(
      'RKLLM_OUT_OF_MEMORY',
      `There is no memory for a KV cache of ${String(tokens)} tokens: it takes ${inMebibytes(bytes)}${more}, and ${known}.`,
      {
        hint: `Load the model with a smaller maxContextLength (there is memory for about ${String(fitting)} tokens), or free memory.`,
        details: {
          tokens,
          bytes,
          bytesPerToken: this.bytesPerToken,
          heldTokens: held,
          freeBytes: free,
          fittingTokens: fitting,
        },
        cause,
      },
    );
  }
}
