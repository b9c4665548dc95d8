const digitBits = 11;
const digits = 2 ** digitBits;
const keyBits = 32;

/** Tokens, and in the same order what they are sorted by. */
interface Keyed {
  readonly ids: Uint32Array;
  readonly keys: Uint32Array;
}

/**
 * Most likely first; of equally likely ones in the order given. A radix sort: its time grows with the number of tokens only,
 * and nothing is called for a comparison.
 */
export function sortByLikelihood(ids: Uint32Array, logits: Float32Array): Uint32Array {
  let from: Keyed = { ids, keys: keysOf(ids, logits) };
  let to: Keyed = { ids: new Uint32Array(ids.length), keys: new Uint32Array(ids.length) };
  for (let shift = 0; shift < keyBits; shift += digitBits) {
    if (!sortByDigit(from, to, shift)) continue;
    const sorted = to;
    to = from;
    from = sorted;
  }
  return from.ids;
}

/** @returns whether there was anything to tell apart; else nothing was written. */
function sortByDigit({ ids, keys }: Keyed, to: Keyed, shift: number): boolean {
  const starts = new Uint32Array(digits);
  let rest = keys.length;
  while (rest-- > 0) {
    const digit = ((keys[rest] ?? 0) >>> shift) & (digits - 1);
    starts[digit] = (starts[digit] ?? 0) + 1;
  }
  if (starts.includes(keys.length)) return false;
  let start = 0;
  for (let digit = 0; digit < digits; digit++) {
    const count = starts[digit] ?? 0;
    starts[digit] = start;
    start += count;
  }
  for (let i = 0; i < keys.length; i++) {
    const key = keys[i] ?? 0;
    const digit = (key >>> shift) & (digits - 1);
    const place = starts[digit] ?? 0;
    starts[digit] = place + 1;
    to.keys[place] = key;
    to.ids[place] = ids[i] ?? 0;
  }
  return true;
}

/** Integers that are smaller the larger the logits are. */
function keysOf(ids: Uint32Array, logits: Float32Array): Uint32Array {
  const values = new Float32Array(ids.length);
  for (let i = 0; i < ids.length; i++) values[i] = (logits[ids[i] ?? 0] ?? NaN) + 0; // a negative zero is a zero
  const bits = new Uint32Array(values.buffer);
  for (let i = 0; i < bits.length; i++) {
    const value = bits[i] ?? 0;
    // The bits of negative numbers grow as the numbers fall, those of the others as they rise.
    if (value < 2 ** 31) bits[i] = 2 ** 31 - 1 - value;
  }
  return bits;
}
