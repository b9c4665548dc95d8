import { nativeAddon, type ModelHandle, type NativeEvent } from '../../../lib/backends/rkllm/addon.js';
import { FakeModel, fakeRuntime, until } from './fake-model.js';
import { disposeNative, thrownBy } from './native.js';

interface Loaded {
  readonly model: ModelHandle;
  readonly events: NativeEvent[];
}

/** Below the backend, which passes only what is right. */
async function load(batchSize: number | undefined): Promise<Loaded> {
  const events: NativeEvent[] = [];
  const path = new FakeModel('embed-dim 1').path;
  const options = { runtimePath: fakeRuntime('1.3.1'), modelPath: path, maxContextLength: 64, batchSize };
  const model = nativeAddon().load(options, (event) => events.push(event));
  await until(() => events.length > 1);
  expect(events.shift()?.type).toBe('identified');
  expect(events[0]?.type).toBe('loaded');
  return { model, events };
}

const throwing = Object.defineProperty(['a', 'b'], 1, {
  get: () => {
    throw new RangeError('mine');
  },
});

describe('start()', () => {
  test.each<[string, unknown[]]>([
    ['a single input', ['hi', new Int32Array([1]), { embeddings: new Float32Array(2), tokens: 2 }]],
    ['another number of rows', [[], ['a'], ['a', 'b', 'c'], new Array(65).fill('a'), new Array(2 ** 32 - 1)]],
    ['a wrong row', [['a', ''], ['a', 'b\0'], ['a', 1], ['a', null], ['a', ['b']], ['a', {}], new Array(2)]],
    ['what is no list', [{ 0: 'a', 1: 'b', length: 2 }, new Set(['a', 'b']), new Proxy(['a', 'b'], {})]],
  ])('refuses %s for a batch of two', async (_, inputs) => {
    const loaded = await load(2);
    for (const input of inputs) expect(thrownBy('start', [loaded.model, 1, input, undefined])).toBe('TypeError');
    await disposeNative(loaded);
    expect(loaded.events.map(({ type }) => type)).toEqual(['loaded', 'disposed']);
  });

  test.each(['hiddenStates', 'logits'])('refuses %s of a batch', async (mode) => {
    const loaded = await load(2);
    expect(thrownBy('start', [loaded.model, 1, ['a', 'b'], { mode }])).toBe('TypeError');
    await disposeNative(loaded);
  });

  test('passes on what a row throws', async () => {
    const loaded = await load(2);
    expect(thrownBy('start', [loaded.model, 1, throwing, undefined])).toBe('RangeError');
    await disposeNative(loaded);
  });

  test('takes one row as a list or as it is, and several only where there is a batch', async () => {
    const loaded = await load(undefined);
    nativeAddon().start(loaded.model, 1, ['a'], undefined);
    nativeAddon().start(loaded.model, 2, 'a', undefined);
    expect(thrownBy('start', [loaded.model, 3, ['a', 'b'], undefined])).toBe('TypeError');
    await until(() => loaded.events.filter(({ type }) => type === 'ended').length === 2);
    await disposeNative(loaded);
  });

  test('a run tells its rows, and which of them has ended', async () => {
    const loaded = await load(2);
    const run = nativeAddon().start(loaded.model, 1, ['one two', { embeddings: new Float32Array(3), tokens: 3 }], {});
    await until(() => loaded.events.some(({ type }) => type === 'ended'));
    const { tokenIds, rows, ends, bytes } = nativeAddon().drain(run) ?? {};
    const textOf = (row: number): string =>
      Array.from(rows ?? [], (of, i) =>
        of === row ? Buffer.from(bytes?.subarray(ends?.[i - 1] ?? 0, ends?.[i]) ?? []).toString() : '',
      ).join('');
    expect(textOf(0)).toContain('one two');
    expect(textOf(1)).toBe('Embeddings: 3');
    const ended = Array.from(tokenIds ?? []).flatMap((id, i) => (id < 0 ? [rows?.[i]] : []));
    expect(ended).toEqual([1]);
    await disposeNative(loaded);
  });
});

test.each([[0], [65], [1.5], ['2'], [null]])('load() refuses a batch of %p', (batchSize) => {
  const options = { runtimePath: fakeRuntime('1.3.1'), modelPath: '/x', maxContextLength: 64, batchSize };
  expect(thrownBy('load', [options, () => undefined])).toBe('TypeError');
});
