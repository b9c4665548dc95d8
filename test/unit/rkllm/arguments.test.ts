import { nativeAddon } from '../../../lib/backends/rkllm/addon.js';
import { fakeRuntime, until } from './fake-model.js';
import { addon, disposeNative, loadNative, oddities, thrownBy } from './native.js';

test('exports thirteen functions', () => {
  expect(Object.keys(addon).sort()).toEqual([
    'abandon',
    'abort',
    'answer',
    'arm',
    'dispose',
    'drain',
    'expectChild',
    'guardChild',
    'lineBufferStdout',
    'load',
    'perform',
    'releaseChild',
    'start',
  ]);
});

describe.each(['start', 'perform', 'drain', 'arm', 'abort', 'answer', 'dispose', 'abandon'])('%s()', (name) => {
  test('refuses what is no handle', () => {
    expect(thrownBy(name, [])).toBe('TypeError');
    for (const odd of oddities) expect([odd, thrownBy(name, [odd, 1, 'x'])]).toEqual([odd, 'TypeError']);
  });

  test('refuses the handle of the other kind, and what imitates a handle', async () => {
    const loaded = await loadNative('token a');
    const { model, events } = loaded;
    const run = nativeAddon().start(model, 5, 'hi', undefined);
    await until(() => events.at(-1)?.type === 'ended');
    const takesRun = name === 'drain' || name === 'arm';
    const [right, wrong] = takesRun ? [run, model] : [model, run];
    expect(thrownBy(name, [wrong, 1, 'x'])).toBe('TypeError');
    expect(thrownBy(name, [Object.create(right), 1, 'x'])).toBe('TypeError');
    expect(thrownBy(name, [new Proxy(right, {}), 1, 'x'])).toBe('TypeError');
    expect(thrownBy(name, [structuredClone(right), 1, 'x'])).toBe('TypeError');
    await disposeNative(loaded);
  });
});

test.each(['guardChild', 'releaseChild'])('%s() refuses what is no process', (name) => {
  const allowed = name === 'guardChild' ? [0] : []; // none was started
  const odd = [...oddities, 0, -1, 1.5, 2 ** 31, Infinity, '1', 1n, {}].filter(
    (pid) => !allowed.includes(pid as number),
  );
  for (const pid of odd) expect([pid, thrownBy(name, [pid])]).toEqual([pid, 'TypeError']);
  expect(thrownBy(name, [process.pid])).toBeUndefined(); // no child of this process: never touched
});

describe('load()', () => {
  const good = { runtimePath: fakeRuntime('1.1.1'), modelPath: '/tmp/x', maxContextLength: 64 };
  const listener = (): void => undefined;

  test('refuses what are no options or no listener', () => {
    expect(thrownBy('load', [])).toBe('TypeError');
    for (const odd of oddities) expect([odd, thrownBy('load', [odd, listener])]).toEqual([odd, 'TypeError']);
    const noListeners = oddities.filter((odd) => typeof odd !== 'function');
    for (const odd of noListeners) expect([odd, thrownBy('load', [good, odd])]).toEqual([odd, 'TypeError']);
  });

  test.each([
    ['runtimePath', [undefined, null, 1, '', 'relative.so', '/a\0b', {}]],
    ['modelPath', [undefined, null, 1, '', '/a\0b', {}]],
    ['maxContextLength', [undefined, null, '64', 0, -1, 1.5, NaN, Infinity, 2 ** 31, 10n, {}]],
    ['topK', [null, '1', 0, -1, 1.5, NaN, 2 ** 31, {}]],
    ['topP', [null, '1', NaN, Infinity, 1e39, {}]],
    ['temperature', [null, '1', NaN, -Infinity, {}]],
    ['repeatPenalty', [null, '1', NaN, {}]],
    ['frequencyPenalty', [null, '1', NaN, {}]],
    ['presencePenalty', [null, '1', NaN, -1e39, {}]],
    ['mirostat', [null, '1', -1, 3, {}]],
    ['mirostatTau', [null, '1', NaN, {}]],
    ['mirostatEta', [null, '1', NaN, {}]],
    ['runtimeVersion', [null, 1, '', 'a\0b', {}]],
    ['needs', [null, 1, 'x', { ignoreEos: 1 }, { ignoreEos: '9.9.9' }, { '': '1.2.0' }]],
    ['keepTokens', [null, '1', -2, 1.5, {}]],
    ['baseDomainId', [null, '1', -1, 1.5, {}]],
    ['cpuMask', [null, '1', 0, 256, {}]],
    ['skipSpecialTokens', [null, 1, 'true', {}]],
    ['runtimeTemplate', [null, 1, 'true', {}]],
    ['ignoreEos', [null, 1, {}]],
    ['embedFlash', [null, 1, {}]],
    ['crossAttention', [null, 1, {}]],
    ['imageStart', [null, 1, '', {}]],
  ])('refuses a wrong %s', (field, values) => {
    for (const value of values) {
      expect([value, thrownBy('load', [{ ...good, [field]: value }, listener])]).toEqual([value, 'TypeError']);
    }
  });

  test('passes on what a getter throws, even nothing', () => {
    const hostile = Object.defineProperty({ ...good }, 'topP', {
      get: () => {
        throw undefined; // eslint-disable-line @typescript-eslint/only-throw-error -- that is the point
      },
    });
    let thrown: unknown = 'nothing';
    try {
      addon['load']?.(hostile, listener);
    } catch (error) {
      thrown = error;
    }
    expect(thrown).toBeUndefined();
    for (const field of [...Object.keys(good), 'topK', 'temperature']) {
      const options = Object.defineProperty({ ...good }, field, {
        get: () => {
          throw new RangeError('mine');
        },
      });
      expect(thrownBy('load', [options, listener])).toBe('RangeError');
    }
  });
});

describe('start()', () => {
  const detached = new Int32Array(4);
  structuredClone(detached, { transfer: [detached.buffer] });

  test.each<[string, unknown[]]>([
    ['id', [-1, 1.5, 2 ** 32, '1', undefined, null, NaN, {}]],
    [
      'input',
      ['', 'a\0b', 1, null, undefined, {}, [1], new Uint8Array(4), new Float32Array(1), new Int32Array(), detached],
    ],
    ['token id', [new Int32Array([1, -1])]],
    [
      'embedding',
      [
        { embeddings: new Float64Array(2), tokens: 1 },
        { embeddings: new Float32Array(3), tokens: 2 },
      ],
    ],
    [
      'media',
      [
        { prompt: 'x' },
        { prompt: '', image: { embeddings: new Float32Array(2), tokensEach: 1 } },
        { prompt: 'x', image: null },
        { prompt: 'x', image: { embeddings: new Float32Array(2) } },
        { prompt: 'x', image: { embeddings: new Float32Array(2), tokensEach: 3 } },
        { prompt: 'x', image: { embeddings: new Float32Array(3), tokensEach: 2 } },
        { prompt: 'x', image: { embeddings: new Float32Array(2), tokensEach: 2 ** 30, count: 2 ** 30 } },
        { prompt: 'x', video: { embeddings: new Float32Array(2), tokensEach: 1, framesEach: 3 } },
        { prompt: 'x', audio: { embeddings: new Int32Array(2), tokensEach: 1 } },
      ],
    ],
    ['options', [null, 1, 'x', true]],
    ['maxNewTokens', [0, -1, 1.5, 2 ** 31, '1', null, NaN, {}]],
    ['topK', [0, '1', null]],
    ['enableThinking', [1, null]],
    ['keepHistory', [1, null]],
    ['mode', ['other', '', 1, null]],
    ['role', ['', 1, null]],
    ['lora', ['', 'a\0b', 1, null]],
    ['savePromptCache', ['', 'a\0b', 1, null]],
  ])('refuses a wrong %s', async (field, values) => {
    const loaded = await loadNative();
    for (const value of values) {
      const isInput = ['input', 'token id', 'embedding', 'media'].includes(field);
      const options = field === 'options' ? value : { [field]: value };
      const args = [field === 'id' ? value : 1, isInput ? value : 'hi', options];
      expect([value, thrownBy('start', [loaded.model, ...args])]).toEqual([value, 'TypeError']);
    }
    await disposeNative(loaded);
    expect(loaded.events.map(({ type }) => type)).toEqual(['loaded', 'disposed']);
  });

  test('refuses a disposed model by its code', async () => {
    const loaded = await loadNative();
    await disposeNative(loaded);
    expect(() => nativeAddon().start(loaded.model, 1, 'hi', undefined)).toThrow(
      expect.objectContaining({ code: 'RKLLM_DISPOSED' }) as Error,
    );
    for (let i = 0; i < 2; i++) {
      nativeAddon().dispose(loaded.model);
      nativeAddon().abandon(loaded.model);
    }
  });
});

test('a run can be drained, armed and aborted after its model is gone', async () => {
  const loaded = await loadNative('token a');
  const run = nativeAddon().start(loaded.model, 1, 'hi', undefined);
  await until(() => loaded.events.some(({ type }) => type === 'ended'));
  await disposeNative(loaded);
  expect(nativeAddon().arm(run)).toBe(true);
  nativeAddon().abort(loaded.model, run);
  expect(nativeAddon().drain(run)?.tokenIds).toHaveLength(1);
  expect(nativeAddon().drain(run)).toBeUndefined();
  expect(nativeAddon().arm(run)).toBe(false);
});

test('aborting with the run of another model touches neither', async () => {
  const [one, two] = await Promise.all([loadNative('token a', 'repeat 3', 'token-us 5000'), loadNative('token b')]);
  nativeAddon().start(one.model, 1, 'hi', undefined);
  const other = nativeAddon().start(two.model, 2, 'hi', undefined);
  await until(() => two.events.some(({ type }) => type === 'ended'));
  nativeAddon().abort(one.model, other);
  await until(() => one.events.some(({ type }) => type === 'ended'));
  expect(one.events.find(({ type }) => type === 'ended')).toMatchObject({ run: 1, outcome: 'completed' });
  await Promise.all([disposeNative(one), disposeNative(two)]);
});
