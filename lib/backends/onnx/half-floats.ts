/** Types of floating point numbers that graphs take and give. */
export type FloatType = 'float32' | 'float16';

/** Half floats are kept as their bits: not every Node.js has numbers of 16 bits. */
export type FloatArray = Float32Array | Uint16Array;

export function floatArray(type: FloatType, length: number): FloatArray {
  return type === 'float32' ? new Float32Array(length) : new Uint16Array(length);
}

let table: Float32Array | undefined;

/** Every half float has its number in a table: 256 KiB, made when the first one is needed. */
function numbersOfHalves(): Float32Array {
  table ??= Float32Array.from({ length: 65536 }, (_, bits) => {
    const sign = bits & 0x8000 ? -1 : 1;
    const exponent = (bits >> 10) & 0x1f;
    const fraction = (bits & 0x3ff) / 1024;
    if (exponent === 0) return sign * fraction * 2 ** -14;
    if (exponent === 31) return fraction === 0 ? sign * Infinity : NaN;
    return sign * (1 + fraction) * 2 ** (exponent - 15);
  });
  return table;
}

/** Writes the numbers that the bits of `halves` mean to `numbers`. */
export function widen(halves: Uint16Array, numbers: Float32Array): void {
  const meaning = numbersOfHalves();
  for (let i = 0; i < halves.length; i++) numbers[i] = meaning[halves[i] ?? 0] ?? NaN;
}
