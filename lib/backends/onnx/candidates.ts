import { sortByLikelihood } from './likelihood-order.js';
import { WeightProfile } from './weights.js';

// Loops over the vocabulary read by index: iterators cost twice the time. `?? NaN` is for the compiler only.

/** The first id from `from` on whose logit is larger than `bound`, or the number of ids. Looks at eight for one branch. */
function firstAbove(logits: Float32Array, from: number, bound: number): number {
  const lastBlock = logits.length - 8;
  let id = from;
  while (
    id <= lastBlock &&
    !(
      (logits[id] ?? NaN) > bound ||
      (logits[id + 1] ?? NaN) > bound ||
      (logits[id + 2] ?? NaN) > bound ||
      (logits[id + 3] ?? NaN) > bound ||
      (logits[id + 4] ?? NaN) > bound ||
      (logits[id + 5] ?? NaN) > bound ||
      (logits[id + 6] ?? NaN) > bound ||
      (logits[id + 7] ?? NaN) > bound
    )
  ) {
    id += 8;
  }
  while (id < logits.length && !((logits[id] ?? NaN) > bound)) id++;
  return id;
}

/** The id of the largest logit, or -1 when none is a number. Of equal ones the first. */
export function argmax(logits: Float32Array): number {
  let best = -1;
  let id = firstAbove(logits, 0, -Infinity);
  while (id < logits.length) {
    best = id;
    id = firstAbove(logits, id + 1, logits[id] ?? NaN);
  }
  return best;
}

/**
 * The ids of the `k` most likely tokens, most likely first. One pass with a heap whose root is the least likely token
 * kept so far, so that nearly every token costs one comparison.
 */
export function topTokens(logits: Float32Array, k: number): Uint32Array {
  const size = Math.min(k, logits.length);
  const heap = new TokenHeap(size);
  let id = 0;
  while (id < logits.length) {
    const threshold = heap.replaceRoot(id, logits[id] ?? NaN);
    id++;
    // Of equal ones the lower id, which came first, stays.
    if (id >= size) id = firstAbove(logits, id, threshold);
  }
  return sortByLikelihood(heap.ids.sort(), logits);
}

/** The logits lie next to the ids rather than behind them: four times as fast. */
class TokenHeap {
  readonly ids: Uint32Array;
  readonly #logits: Float32Array;

  /** Full from the start, of tokens less likely than any other. */
  constructor(size: number) {
    this.ids = new Uint32Array(size).fill(2 ** 32 - 1);
    this.#logits = new Float32Array(size).fill(-Infinity);
  }

  /** @returns the logit of the new root: the least likely token in the heap. */
  replaceRoot(id: number, logit: number): number {
    const ids = this.ids;
    const logits = this.#logits;
    let i = 0;
    for (;;) {
      let child = 2 * i + 1;
      if (child >= ids.length) break;
      if (child + 1 < ids.length && this.#isLess(child + 1, child)) child++;
      const childLogit = logits[child] ?? NaN;
      const childId = ids[child] ?? 0;
      if (childLogit > logit || (childLogit === logit && childId < id)) break;
      ids[i] = childId;
      logits[i] = childLogit;
      i = child;
    }
    ids[i] = id;
    logits[i] = logit;
    return logits[0] ?? NaN;
  }

  /** Whether the token at `a` is less likely than that at `b`, or as likely with a higher id. */
  #isLess(a: number, b: number): boolean {
    const logitA = this.#logits[a] ?? NaN;
    const logitB = this.#logits[b] ?? NaN;
    return logitA < logitB || (logitA === logitB && (this.ids[a] ?? 0) > (this.ids[b] ?? 0));
  }
}

/** The most likely tokens, and how much weight is to be reached with them. */
export interface Nucleus {
  /** Most likely first; the last ones may be more than it takes. */
  readonly ids: Uint32Array;
  readonly wanted: number;
}

/**
 * The most likely tokens that together have at least the share `topP` of all weight. The vocabulary is not sorted: only
 * tokens down to the logit where there is enough weight are.
 */
export function nucleus(logits: Float32Array, max: number, temperature: number, topP: number): Nucleus {
  const profile = new WeightProfile(logits, max, temperature);
  const wanted = topP * profile.total;
  // Below the largest logit itself, however little that takes.
  const bound = max - profile.depthOf(wanted) - Math.max(1, Math.abs(max)) * 2 ** -40;
  const ids: number[] = [];
  for (let id = firstAbove(logits, 0, bound); id < logits.length; id = firstAbove(logits, id + 1, bound)) {
    ids.push(id);
  }
  return { ids: sortByLikelihood(new Uint32Array(ids), logits), wanted };
}
