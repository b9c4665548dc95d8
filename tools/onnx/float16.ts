/** The bits of the half floats nearest to these numbers; of two equally near ones the even one. */
export function toFloat16(numbers: Float32Array): Uint16Array {
  const bits = new Uint32Array(Float32Array.from(numbers).buffer);
  return Uint16Array.from(bits, (single) => {
    const sign = (single >>> 16) & 0x8000;
    const exponent = ((single >>> 23) & 0xff) - 127 + 15;
    const fraction = single & 0x7fffff;
    if (exponent >= 31) return sign | 0x7c00 | (exponent === 143 && fraction !== 0 ? 0x200 : 0);
    // Of small numbers the leading one is written out, and moves to the right.
    const shift = exponent > 0 ? 13 : 14 - exponent;
    if (shift > 24) return sign;
    const whole = exponent > 0 ? (exponent << 23) | fraction : fraction | 0x800000;
    const kept = whole >>> shift;
    const rest = whole & ((1 << shift) - 1);
    const half = 1 << (shift - 1);
    // A fraction that overflows goes into the exponent, as it should.
    return sign | (kept + Number(rest > half || (rest === half && (kept & 1) === 1)));
  });
}
