import { setTimeout as sleep } from 'node:timers/promises';
import { loadModel, type LoadProgress } from 'rkllm';
import { scripted } from 'rkllm/testing';
import { codeOf, failureOf } from '../support/reading.js';
import { FakeModel, fakeRuntime } from './rkllm/fake-model.js';

describe('warmup', () => {
  test.each(['process', 'none'] as const)('has the runtime write one token (isolation: %s)', async (isolation) => {
    const fake = new FakeModel('token a', 'endless', 'token-us 1000');
    const options = { runtimePath: fakeRuntime('1.1.1'), template: 'none', warmup: true, isolation } as const;
    const model = await loadModel(fake.path, options);
    expect(fake.calls).toEqual(['init', 'run Hi', 'abort', 'run-end 0']);
    await model.dispose();
  });

  test('warms a model that answers batches only', async () => {
    const fake = new FakeModel('token a');
    const options = { runtimePath: fakeRuntime('1.2.3'), template: 'none', warmup: true, batchSize: 2 } as const;
    const model = await loadModel(fake.path, options);
    expect(fake.calls).toContain('run Hi | Hi');
    await model.dispose();
  });

  test('that fails is a load that fails, and leaves nothing', async () => {
    const fake = new FakeModel('run-code -1', 'no-finish', 'silent');
    const options = { runtimePath: fakeRuntime('1.2.3'), template: 'none', warmup: true } as const;
    expect(await codeOf(() => loadModel(fake.path, options))).toBe('RKLLM_RUN_FAILED');
    expect(fake.calls.at(-1)).toBe('destroy');
  });

  test('is stopped by the signal', async () => {
    const fake = new FakeModel('token a', 'prefill-ms 60000');
    const controller = new AbortController();
    const reason = new Error('enough');
    const options = {
      runtimePath: fakeRuntime('1.2.3'),
      template: 'none',
      warmup: true,
      signal: controller.signal,
    } as const;
    const failure = failureOf(() => loadModel(fake.path, options));
    while (!fake.calls.includes('run Hi')) await sleep(1);
    controller.abort(reason);
    expect(await failure).toBe(reason);
    expect(fake.calls.at(-1)).toBe('destroy');
  });

  test('is left out unless it is asked for', async () => {
    const fake = new FakeModel('token a');
    const model = await loadModel(fake.path, { runtimePath: fakeRuntime('1.2.3'), template: 'none' });
    expect(fake.calls).toEqual(['init', 'set-chat-template "" "" ""']);
    await model.dispose();
  });
});

describe('onProgress', () => {
  async function phasesOf(load: (onProgress: (progress: LoadProgress) => void) => Promise<unknown>): Promise<string[]> {
    const phases: string[] = [];
    let last = 0;
    await load(({ phase, elapsedMs }) => {
      expect(elapsedMs).toBeGreaterThanOrEqual(last);
      last = elapsedMs;
      phases.push(phase);
    });
    return phases;
  }

  test.each(['process', 'none'] as const)('hears of each phase once, in order (isolation: %s)', async (isolation) => {
    const fake = new FakeModel('token a');
    const options = { runtimePath: fakeRuntime('1.2.3'), template: 'none', warmup: true, isolation } as const;
    const phases = await phasesOf(async (onProgress) => {
      const model = await loadModel(fake.path, { ...options, onProgress });
      await model.dispose();
    });
    expect(phases).toEqual(['probe', 'load', 'warmup']);
  });

  test('hears how far a load has come that fails', async () => {
    const refused = new FakeModel('init-code -1');
    const options = { runtimePath: fakeRuntime('1.2.3'), template: 'none' } as const;
    expect(
      await phasesOf((onProgress) => failureOf(() => loadModel(refused.path, { ...options, onProgress }))),
    ).toEqual(['probe', 'load']);
    const unknown = { runtimePath: fakeRuntime('1.0.1') };
    expect(
      await phasesOf((onProgress) => failureOf(() => loadModel(refused.path, { ...unknown, onProgress }))),
    ).toEqual(['probe']);
  });

  test('hears of other backends, too', async () => {
    expect(await phasesOf((onProgress) => loadModel(undefined, { backend: scripted(), onProgress }))).toEqual([
      'probe',
      'load',
    ]);
    expect(
      await phasesOf(async (onProgress) => (await loadModel(undefined, { backend: 'onnx', onProgress })).dispose()),
    ).toEqual(['probe', 'load']);
  });
});
