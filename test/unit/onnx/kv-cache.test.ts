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
  const memory = new KvMemory(shape, maxTokens, free ?? (() => undefined));
  return new SharedKvCache({ Tensor: FakeTensor } as unknown as OrtModule, shape, memory, maxTokens);
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

function capacities(kv: SharedKvCache): (number | undefined)[] {
  return Object.values(kv.past).map((tensor) => tensor.dims[2]);
}

it('doubles up to the limit, and moves what is in use', () => {
  const kv = cache(700);
  kv.reserve(10, 0);
  expect(capacities(kv)).toEqual([256, 256, 256, 256]);
  fill(kv, 256);
  kv.reserve(257, 256);
  expect(capacities(kv)).toEqual([512, 512, 512, 512]);
  kv.reserve(513, 256);
  expect(capacities(kv)).toEqual([700, 700, 700, 700]);
  expect(wrongValues(kv, 256)).toBe(0);
  expect(Object.values(kv.present)).toEqual(Object.values(kv.past));
});

it.each([0, 1, 2, 3])('keeps what is in use when memory ends after %i of 4 tensors', (left) => {
  const kv = cache(4096);
  kv.reserve(200, 0);
  fill(kv, 200);
  FakeTensor.left = left;
  expect(() => {
    kv.reserve(300, 200);
  }).toThrow(
    expect.objectContaining({
      code: 'RKLLM_OUT_OF_MEMORY',
      message: expect.stringMatching(/memory .* 512 tokens/) as string,
      hint: expect.stringMatching(/maxContextLength/) as string,
    }) as Error,
  );
  FakeTensor.left = Infinity;
  expect(wrongValues(kv, 200)).toBe(0);
  const [key0, value0, key1, value1] = capacities(kv);
  expect([key0, key1]).toEqual([value0, value1]); // the attention operator refuses anything else
  kv.reserve(300, 200);
  expect(wrongValues(kv, 200)).toBe(0);
  expect(capacities(kv)).toEqual([512, 512, 512, 512]);
});

describe('with so much free memory', () => {
  /** For so many tokens. */
  const forTokens = (tokens: number) => (): number => bytesPerToken * tokens;

  it('a long context takes nothing before it is needed', () => {
    const kv = cache(131_072);
    kv.reserve(10, 0);
    expect(capacities(kv)).toEqual([256, 256, 256, 256]);
  });

  it('as is needed, it grows by what is needed where doubling does not fit', () => {
    let free = Infinity;
    const kv = cache(4096, () => free);
    kv.reserve(500, 0);
    expect(capacities(kv)[0]).toBe(512);
    fill(kv, 500);
    // A layer of the old ones is there twice while it is copied.
    free = bytesPerToken * (64 + 256);
    kv.reserve(513, 500);
    expect(capacities(kv)).toEqual([576, 576, 576, 576]);
    free = bytesPerToken * (1 + 288);
    kv.reserve(577, 500);
    expect(capacities(kv)).toEqual([577, 577, 577, 577]);
    expect(wrongValues(kv, 500)).toBe(0);
  });

  it('that is not enough, it says how much is, and keeps what it has', () => {
    const kv = cache(4096, forTokens(300));
    kv.reserve(200, 0);
    fill(kv, 200);
    const free = bytesPerToken * 300;
    expect(() => {
      kv.reserve(600, 200);
    }).toThrow(
      expect.objectContaining({
        code: 'RKLLM_OUT_OF_MEMORY',
        message:
          'There is no memory for a KV cache of 600 tokens: it takes 1 MiB, 1 MiB more than it has, and 1 MiB are free.',
        hint: expect.stringMatching(/smaller maxContextLength \(there is memory for about 556 tokens\)/) as string,
        details: {
          tokens: 600,
          bytes: bytesPerToken * 600,
          bytesPerToken,
          heldTokens: 256,
          freeBytes: free,
          fittingTokens: 556,
        },
      }) as Error,
    );
    expect(capacities(kv)).toEqual([256, 256, 256, 256]);
    expect(wrongValues(kv, 200)).toBe(0);
  });
});
