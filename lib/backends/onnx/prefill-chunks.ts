/** How many tokens of a prompt are computed in one go. Nothing stops ONNX Runtime in the middle. */
export interface PrefillChunks {
  /** Of the next chunk, at least 1. */
  readonly size: number;
  /** So many tokens, of a prompt or one of an answer, were computed in so many milliseconds. */
  measured(tokens: number, ms: number): void;
}

/** More at once is hardly faster. */
export const largestChunk = 64;

/** The same for all. */
export function fixedChunks(size: number): PrefillChunks {
  return { size, measured: () => undefined };
}

/** What a chunk may take, so that an abort is heard within 250 ms although no two chunks take the same time. */
const wantedMs = 200;
/** Where a token alone takes nearly as long, or longer, an abort in decode has to wait for it, too: no need to be quicker here. */
const singles = 1.4;
const firstChunk = 4;

/**
 * As large as it can be done in the time that an abort may wait. Each run of a graph costs what a token alone costs, nearly: all
 * weights go through the processor. So the size is found from that and from what each further token adds.
 */
export class AdaptiveChunks implements PrefillChunks {
  #size = firstChunk;
  /** What a token alone takes, as far as is known. */
  #singleMs: number | undefined;

  get size(): number {
    return this.#size;
  }

  measured(tokens: number, ms: number): void {
    this.#learnSingle(tokens, ms);
    // A token of an answer says nothing of larger chunks.
    if (tokens === 1 && this.#size > 1) return;
    const fitting = Math.max(1, Math.floor(this.#fitting(tokens, ms)));
    // The last chunk of a prompt may be small: of larger ones than the usual it says nothing either.
    const most = tokens < this.#size ? this.#size : Math.min(largestChunk, 2 * tokens);
    this.#size = Math.min(most, fitting);
  }

  /** The first run of a model reads its weights from the disk: what is quicker later is believed at once. */
  #learnSingle(tokens: number, ms: number): void {
    const known = this.#singleMs;
    if (known === undefined) {
      if (tokens === 1) this.#singleMs = ms;
    } else if (ms < known) {
      this.#singleMs = ms;
    } else if (tokens === 1) {
      this.#singleMs = known + (ms - known) / 4;
    }
  }

  #fitting(tokens: number, ms: number): number {
    const single = this.#singleMs;
    if (single === undefined) return (tokens * wantedMs) / ms;
    if (tokens === 1) return 2;
    const each = (ms - single) / (tokens - 1);
    return 1 + (Math.max(wantedMs, singles * single) - single) / each;
  }
}
