import type { InferenceSession } from 'onnxruntime-node';
import type { GraphShape } from '../../../lib/backends/onnx/graph-shape.js';
import { KvMemory } from '../../../lib/backends/onnx/kv-memory.js';
import type { OrtModule } from '../../../lib/backends/onnx/ort.js';
import { SharedKvCache } from '../../../lib/backends/onnx/shared-kv-cache.js';

const kvHeads = 2;
const headSize = 3;

/** The one part of ONNX Runtime that the cache uses. Memory ends when a test says so. */
class FakeTensor {
  static left = Infinity;

  constructor(
    readonly type: string,
    readonly data: Float32Array,
    readonly dims: readonly number[],
  ) {
    if (FakeTensor.left-- <= 0) throw new RangeError('Array buffer allocation failed');
  }
}

beforeEach(() => {
  FakeTensor.left = Infinity;
});

/** Of all layers and both tensors. */
const bytesPerToken = 2 * 2 * kvHeads * headSize * 4;

function cache(maxTokens: number, free?: () => number): SharedKvCache {
  const layers = [0, 1].map((i) => ({
    pastKey: `past.${i}.key`,
    pastValue: `past.${i}.value`,
    presentKey: `present.${i}.key`,
    presentValue: `present.${i}.value`,
  }));
  const shape: GraphShape = {
    layers,
    kvHeads,
    headSize,
    kvType: 'float32',
    vocabularySize: 8,
    logitsType: 'float32',
    idType: 'int64',
    hasAttentionMask: true,
    hasPositionIds: false,
    hasLogitsToKeep: false,
  };
  const memory = new KvMemory(shape, maxTokens, 1, free ?? (() => undefined));
  const ort = { Tensor: FakeTensor } as unknown as OrtModule;
  return new SharedKvCache(ort, {} as InferenceSession, shape, memory); // nothing is run
}

/** Every value says where it belongs: tensor, head, token, column. */
function fill(kv: SharedKvCache, tokens: number): void {
  eachValue(kv, tokens, (data, place, value) => {
    data[place] = value;
  });
}

function wrongValues(kv: SharedKvCache, tokens: number): number {
  let wrong = 0;
  eachValue(kv, tokens, (data, place, value) => {
    if (data[place] !== value) wrong++;
  });
  return wrong;
}

function eachValue(
  kv: SharedKvCache,
  tokens: number,
  visit: (data: Float32Array, place: number, value: number) => void,
): void {
  for (const [index, tensor] of Object.values(kv.past).entries()) {
    const capacity = tensor.dims[2] ?? 0;
    for (let head = 0; head < kvHeads; head++) {
      for (let i = 0; i < tokens * headSize; i++) {
        const value = index * 1e6 + head * 1e5 + i;
        visit(tensor.data as Float32Array, head * capacity * headSize + i, value);
      }
    }
  }
}

function capacities(kv: SharedKvCache): number[] {
  return Object.values(kv.past).map((tensor) => tensor.dims[2] ?? 0);
}

function each(capacity: number): number[] {
  return Array<number>(4).fill(capacity);
}

it('has room for a quarter more than is needed, and for some tokens, up to the context; and moves what is in use', () => {
  const kv = cache(430);
  kv.reserve(100, 0, 4096);
  expect(capacities(kv)).toEqual(each(132));
  kv.reserve(200, 0, 4096);
  expect(capacities(kv)).toEqual(each(250));
  fill(kv, 250);
  kv.reserve(250, 249, 4096);
  expect(capacities(kv)).toEqual(each(250));
  kv.reserve(251, 250, 4096);
  expect(capacities(kv)).toEqual(each(313));
  kv.reserve(400, 250, 4096);
  expect(capacities(kv)).toEqual(each(430));
  expect(wrongValues(kv, 250)).toBe(0);
  expect(Object.values(kv.present)).toEqual(Object.values(kv.past));
});

it('has none for tokens that will not come', () => {
  const kv = cache(4096);
  kv.reserve(100, 0, 110);
  expect(capacities(kv)).toEqual(each(110));
  // A graph may want more than the text has.
  kv.reserve(300, 100, 110);
  expect(capacities(kv)).toEqual(each(300));
});

it('gives back what a much shorter text does not need', () => {
  const kv = cache(4096);
  kv.reserve(2000, 0, 2000);
  fill(kv, 2000);
  kv.reserve(1000, 990, 1200);
  expect(capacities(kv)).toEqual(each(2000));
  kv.reserve(999, 990, 1200);
  expect(capacities(kv)).toEqual(each(1200));
  expect(wrongValues(kv, 990)).toBe(0);
  kv.reserve(944, 10, 1200);
  expect(capacities(kv)).toEqual(each(1200));
  kv.reserve(11, 10, 1200);
  expect(capacities(kv)).toEqual(each(43));
  kv.reserve(12, 11, 1200);
  expect(capacities(kv)).toEqual(each(43));
  expect(wrongValues(kv, 10)).toBe(0);
  expect(Object.values(kv.present)).toEqual(Object.values(kv.past));
});

describe.each([
  { change: 'more', filled: 200, needed: 300, used: 200, capacity: 375 },
  { change: 'less', filled: 400, needed: 11, used: 10, capacity: 43 },
])('for $change tokens than there is room for', ({ filled, needed, used, capacity }) => {
  it.each([0, 1, 2, 3])('keeps what is in use when memory ends after %i of 4 tensors', (left) => {
    const kv = cache(4096);
    kv.reserve(filled, 0, 4096);
    fill(kv, filled);
    FakeTensor.left = left;
    expect(() => {
      kv.reserve(needed, used, 4096);
    }).toThrow(
      expect.objectContaining({
        code: 'RKLLM_OUT_OF_MEMORY',
        message: expect.stringContaining(`memory for a KV cache of ${String(capacity)} tokens`) as string,
        hint: expect.stringMatching(/maxContextLength/) as string,
      }) as Error,
    );
    FakeTensor.left = Infinity;
    expect(wrongValues(kv, used)).toBe(0);
    const [key0, value0, key1, value1] = capacities(kv);
    expect([key0, key1]).toEqual([value0, value1]); // the attention operator refuses anything else
    kv.reserve(needed, used, 4096);
    expect(wrongValues(kv, used)).toBe(0);
    expect(Math.min(...capacities(kv))).toBeGreaterThanOrEqual(needed);
    // What is said to be there, is there in each layer.
    kv.reserve(capacity, used, 4096);
    expect(Math.min(...capacities(kv))).toBeGreaterThanOrEqual(capacity);
    expect(wrongValues(kv, used)).toBe(0);
  });
});

describe('with so much free memory', () => {
  /** For so many tokens. */
  const forTokens = (tokens: number) => (): number => bytesPerToken * tokens;

  it('a long context takes nothing before it is needed', () => {
    const kv = cache(131_072);
    kv.reserve(10, 0, 131_072);
    expect(capacities(kv)).toEqual(each(42));
  });

  it('as is needed, it grows by what is needed where more does not fit', () => {
    let free = Infinity;
    const kv = cache(4096, () => free);
    kv.reserve(480, 0, 512);
    expect(capacities(kv)).toEqual(each(512));
    fill(kv, 500);
    // A layer of the old ones is there twice while it is copied: one of two.
    free = bytesPerToken * (129 + 256);
    kv.reserve(513, 500, 4096);
    expect(capacities(kv)).toEqual(each(641));
    free = bytesPerToken * (161 + 320.5) - 1;
    kv.reserve(642, 500, 4096);
    expect(capacities(kv)).toEqual(each(642));
    expect(wrongValues(kv, 500)).toBe(0);
  });

  it('that is not enough, it says how much is, and keeps what it has', () => {
    const kv = cache(4096, forTokens(300));
    kv.reserve(200, 0, 4096);
    fill(kv, 200);
    const free = bytesPerToken * 300;
    expect(() => {
      kv.reserve(600, 200, 4096);
    }).toThrow(
      expect.objectContaining({
        code: 'RKLLM_OUT_OF_MEMORY',
        message:
          'There is no memory for a KV cache of 600 tokens: it takes 1 MiB, 1 MiB more than it has, and 1 MiB are free.',
        hint: expect.stringMatching(/smaller maxContextLength \(there is memory for about 550 tokens\)/) as string,
        details: {
          tokens: 600,
          bytes: bytesPerToken * 600,
          bytesPerToken,
          heldTokens: 250,
          freeBytes: free,
          fittingTokens: 550,
        },
      }) as Error,
    );
    expect(capacities(kv)).toEqual(each(250));
    expect(wrongValues(kv, 200)).toBe(0);
  });
});
