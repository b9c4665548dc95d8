/** A matrix in the layout of com.microsoft's MatMulNBits: symmetric, one scale for each block of a row. */
export interface BlockQuantized {
  /** `[outputs][blocks][bytes of a block]`; in 4 bits the even element is in the low half. */
  readonly values: Uint8Array;
  readonly scales: Float32Array;
  readonly blocksPerRow: number;
  readonly bytesPerBlock: number;
}

/** Quantizes a row-major `[rows, columns]` matrix. The zero point is the middle of the range, as the operator expects. */
export function quantizeBlocks(
  matrix: Float32Array,
  rows: number,
  columns: number,
  bits: 4 | 8,
  blockSize: number,
): BlockQuantized {
  const blocksPerRow = Math.ceil(columns / blockSize);
  const bytesPerBlock = (blockSize * bits) / 8;
  const values = new Uint8Array(rows * blocksPerRow * bytesPerBlock);
  const scales = new Float32Array(rows * blocksPerRow);
  const zero = 1 << (bits - 1);
  for (let block = 0; block < scales.length; block++) {
    const start = Math.floor(block / blocksPerRow) * columns + (block % blocksPerRow) * blockSize;
    const length = Math.min(blockSize, columns - (block % blocksPerRow) * blockSize);
    const source = matrix.subarray(start, start + length);
    const largest = source.reduce((max, value) => Math.max(max, Math.abs(value)), 0);
    const scale = largest === 0 ? 1 : largest / (zero - 1);
    scales[block] = scale;
    for (let i = 0; i < blockSize; i++) {
      const value = zero + Math.round((source[i] ?? 0) / scale);
      const at = block * bytesPerBlock + (bits === 8 ? i : i >> 1);
      const low = values[at] ?? 0; // of a byte that holds two elements, the first is already there
      values[at] = bits === 8 ? value : low | (value << ((i & 1) * 4));
    }
  }
  return { values, scales, blocksPerRow, bytesPerBlock };
}

/** Quantizes each row to int8 with one scale, for an embedding that is looked up row by row. */
export function quantizeRows(
  matrix: Float32Array,
  rows: number,
  columns: number,
): { readonly values: Int8Array; readonly scales: Float32Array } {
  const values = new Int8Array(matrix.length);
  const scales = new Float32Array(rows);
  for (let row = 0; row < rows; row++) {
    const source = matrix.subarray(row * columns, (row + 1) * columns);
    const largest = source.reduce((max, value) => Math.max(max, Math.abs(value)), 0);
    const scale = largest === 0 ? 1 : largest / 127;
    scales[row] = scale;
    source.forEach((value, i) => {
      values[row * columns + i] = Math.round(value / scale);
    });
  }
  return { values, scales };
}
