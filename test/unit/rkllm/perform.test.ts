import { disposeNative, loadNative, oddities, thrownBy } from './native.js';

describe('perform()', () => {
  test.each<[string, unknown[]]>([
    ['what is no operation', oddities],
    ['an unknown operation', [{ operation: 'other' }, { operation: '' }, { operation: 1 }]],
    [
      'a wrong adapter',
      [
        { operation: 'loadLora' },
        { operation: 'loadLora', path: '/a', name: '' },
        { operation: 'loadLora', path: '/a', name: 'x', scale: NaN },
      ],
    ],
    [
      'a wrong path',
      [
        { operation: 'loadPromptCache', path: '' },
        { operation: 'loadPromptCache', path: 'a\0b' },
      ],
    ],
    ['a wrong flag', [{ operation: 'clearKvCache', keepSystemPrompt: 1 }]],
    [
      'wrong texts',
      [
        { operation: 'setChatTemplate', prefix: 1 },
        { operation: 'setFunctionTools', tools: '' },
      ],
    ],
    [
      'cross attention that does not fit',
      [
        { operation: 'setCrossAttention' },
        {
          operation: 'setCrossAttention',
          keyCache: new Float32Array(1),
          valueCache: new Float32Array(1),
          mask: new Float32Array(2),
          positions: new Int32Array(3),
        },
        {
          operation: 'setCrossAttention',
          keyCache: new Float64Array(1),
          valueCache: new Float32Array(1),
          mask: new Float32Array(1),
          positions: new Int32Array(1),
        },
      ],
    ],
  ])('refuses %s', async (_, operations) => {
    const loaded = await loadNative();
    for (const operation of operations) {
      expect([operation, thrownBy('perform', [loaded.model, 1, operation])]).toEqual([operation, 'TypeError']);
    }
    expect(thrownBy('perform', [loaded.model, -1, { operation: 'releasePromptCache' }])).toBe('TypeError');
    await disposeNative(loaded);
    expect(thrownBy('perform', [loaded.model, 1, { operation: 'releasePromptCache' }])).toBe('Error');
    expect(loaded.events.map(({ type }) => type)).toEqual(['loaded', 'disposed']);
  });

  test('passes on what a getter throws', async () => {
    const loaded = await loadNative();
    for (const field of ['operation', 'path', 'name', 'scale']) {
      const operation = Object.defineProperty({ operation: 'loadLora', path: '/a', name: 'x' }, field, {
        get: () => {
          throw new RangeError('mine');
        },
      });
      expect(thrownBy('perform', [loaded.model, 1, operation])).toBe('RangeError');
    }
    await disposeNative(loaded);
  });
});
