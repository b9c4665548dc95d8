// Loops over the vocabulary read by index: iterators cost twice the time. `?? NaN` is for the compiler only.

/** The id of the largest logit, or -1 when none is a number. Of equal ones the first. */
export function argmax(logits: Float32Array): number {
  let best = -1;
  let bestValue = -Infinity;
  for (let id = 0; id < logits.length; id++) {
    const value = logits[id] ?? NaN;
    if (value > bestValue) {
      best = id;
      bestValue = value;
    }
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
  let threshold = -Infinity;
  for (let id = 0; id < logits.length; id++) {
    const logit = logits[id] ?? NaN;
    // Of equal ones the lower id, which came first, stays.
    if (id < size || logit > threshold) threshold = heap.replaceRoot(id, logit);
  }
  return sortByLikelihood(heap.ids, logits);
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

/** The weight of a token: its probability is its share of the {@link totalWeight}. */
export function weight(logit: number, max: number, temperature: number): number {
  return Math.exp((logit - max) / temperature);
}

export function totalWeight(logits: Float32Array, max: number, temperature: number): number {
  let total = 0;
  let id = logits.length;
  while (id-- > 0) total += weight(logits[id] ?? NaN, max, temperature);
  return total;
}

/**
 * The most likely tokens, most likely first, that together have at least the weight `wanted`; the last ones may be
 * more than it takes. The vocabulary is not sorted: only tokens within a window below the largest logit are, and the
 * window grows until it suffices.
 */
export function nucleus(logits: Float32Array, max: number, temperature: number, wanted: number): Uint32Array {
  for (let width = 8 * temperature; ; width *= 2) {
    const ids: number[] = [];
    let mass = 0;
    for (let id = 0; id < logits.length; id++) {
      const logit = logits[id] ?? NaN;
      if (logit >= max - width) {
        ids.push(id);
        mass += weight(logit, max, temperature);
      }
    }
    if (mass >= wanted || width === Infinity) return sortByLikelihood(Uint32Array.from(ids), logits);
  }
}

function sortByLikelihood(ids: Uint32Array, logits: Float32Array): Uint32Array {
  const logitOf = (id: number): number => logits[id] ?? NaN;
  return ids.sort((a, b) => logitOf(b) - logitOf(a) || a - b);
}
