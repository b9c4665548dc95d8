import type { BackendModel } from '../../../lib/backends/backend.js';
import type { KvRange, RuntimeControls } from '../../../lib/backends/runtime-controls.js';
import { codeOf, failureOf } from '../../support/reading.js';
import { FakeModel, fakeRuntime, outcomeOf, prompt, read } from './fake-model.js';

const tokens = Array.from({ length: 8 }, (_, index) => `token t${index}`);
const pausing = { ...prompt('one two three', 4), npu: { stopBy: 'pause' as const } };

async function load(release: string, ...script: string[]): Promise<[FakeModel, BackendModel, RuntimeControls]> {
  const fake = new FakeModel('details', ...script);
  const model = await fake.load({ runtimePath: fakeRuntime(release) });
  if (model.runtime === undefined) throw new Error('no runtime');
  return [fake, model, model.runtime];
}

describe.each(['1.2.3', '1.3.0', '1.3.1'])('%s', (release) => {
  test('keeps what it has computed when it is paused', async () => {
    const [fake, model, runtime] = await load(release, ...tokens);
    const { text, end } = await read(model.start(pausing));
    expect([text, end.reason]).toEqual(['t0t1t2t3', 'length']);
    expect(fake.calls).toContain('paused');
    expect(fake.calls).not.toContain('abort');
    expect(await runtime.kvCacheSize()).toBe(7);
    await runtime.clearKvCache({ ranges: [{ from: 5, to: 7 }] });
    expect(await runtime.kvCacheSize()).toBe(5);
    expect(fake.calls).toContain('clear-kv-cache 0 [5,7)');
  });

  test('is aborted when it goes on all the same', async () => {
    const [fake, model] = await load(release, 'token a', 'endless', 'token-us 200', 'pause-ignored');
    const { text } = await read(model.start(pausing));
    expect(text).toBe('aaaa');
    expect(fake.calls.filter((call) => call === 'abort')).toHaveLength(1);
    expect(fake.calls).not.toContain('paused');
  });

  test('may finish a pause with an event or without', async () => {
    for (const script of [['pause-finish'], []]) {
      const [, model] = await load(release, ...tokens, ...script);
      expect((await read(model.start(pausing))).end.reason).toBe('length');
    }
  });

  test('pauses at an abort too, once there are tokens', async () => {
    const [fake, model] = await load(release, 'token a', 'endless', 'token-us 500');
    const run = model.start({ ...prompt('one'), npu: { stopBy: 'pause' } });
    await run.readable();
    run.abort();
    expect((await run.ended).reason).toBe('aborted');
    expect(fake.calls).toContain('paused');
    expect(fake.calls).not.toContain('abort');
  });

  const wrong: [string, readonly KvRange[]][] = [
    ['none', []],
    [
      'two for one row',
      [
        { from: 0, to: 1 },
        { from: 1, to: 2 },
      ],
    ],
    ['a fraction', [{ from: 0.5, to: 1 }]],
    ['a negative position', [{ from: -1, to: 1 }]],
    ['an end before its start', [{ from: 2, to: 1 }]],
    ['no number', [{ from: NaN, to: 1 }]],
  ];
  test.each(wrong)('refuses ranges that are wrong: %s', async (_, ranges) => {
    const [fake, model, runtime] = await load(release, ...tokens);
    await read(model.start(pausing));
    expect(await codeOf(() => runtime.clearKvCache({ ranges }))).toBe('RKLLM_INVALID_INPUT');
    expect(fake.calls.some((call) => call.startsWith('clear-kv-cache'))).toBe(false);
  });

  test('refuses ranges when nothing was paused', async () => {
    const [, model, runtime] = await load(release, ...tokens);
    const clear = (): Promise<void> => runtime.clearKvCache({ ranges: [{ from: 0, to: 1 }] });
    expect(await failureOf(clear)).toMatchObject({ code: 'RKLLM_INVALID_INPUT' });
    await read(model.start(pausing));
    await read(model.start(prompt('again')));
    expect(await codeOf(clear)).toBe('RKLLM_INVALID_INPUT');
  });
});

test.each(['1.1.1', '1.2.0', '1.2.1b1'])('%s has no ranges', async (release) => {
  const [, , runtime] = await load(release);
  const clear = (): Promise<void> => runtime.clearKvCache({ ranges: [{ from: 0, to: 1 }] });
  expect(await outcomeOf(clear)).toBe('RKLLM_UNSUPPORTED_BY_RUNTIME');
});

test.each([
  ['1.2.3', false],
  ['1.3.0', true],
  ['1.3.1', true],
])('%s is told when a matrix is no longer needed: %s', async (release, isTold) => {
  const [fake, , runtime] = await load(release);
  expect(await runtime.hiddenStates({ prompt: 'one two' })).toMatchObject({ rows: 2 });
  expect(fake.calls.includes('payload released')).toBe(isTold);
});
