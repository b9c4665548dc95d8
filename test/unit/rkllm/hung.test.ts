import { setImmediate as turn } from 'node:timers/promises';
import { loadModel, type Model } from 'rkllm';
import { codeOf, failureOf } from '../../support/reading.js';
import { FakeModel, fakeRuntime, isolation, prompt, until } from './fake-model.js';

/** Deaf for long enough; then the thread comes back and the test's process can end. */
const deaf = ['token a', 'abort-ignored', 'prefill-ms 1500'];
const npu = { abortTimeoutMs: 40 };

async function load(fake: FakeModel, abortTimeoutMs = 40): Promise<Model> {
  const runtimePath = fakeRuntime('1.2.3');
  return loadModel(fake.path, { backend: 'rkllm', runtimePath, template: 'none', isolation, abortTimeoutMs });
}

describe('a runtime that does not come back after an abort', () => {
  test('fails the run, and the model', async () => {
    const fake = new FakeModel(...deaf);
    const model = await fake.load({ npu });
    const run = model.start(prompt());
    await until(() => fake.calls.includes('run hi'));
    run.abort();
    const error = await failureOf(() => run.ended);
    expect(error).toMatchObject({ code: 'RKLLM_RUNTIME_HUNG', details: { afterMs: 40 } });
    expect(await failureOf(() => model.failed)).toBe(error);
    expect(run.drain()).toBeUndefined();
  });

  test('fails what waits behind it, and refuses what comes', async () => {
    const fake = new FakeModel(...deaf);
    const model = await load(fake);
    const [first, second] = [model.generate('one'), model.generate('two')];
    await until(() => fake.calls.includes('run one'));
    first.abort();
    expect(await codeOf(() => first)).toBe('RKLLM_RUNTIME_HUNG');
    expect(await codeOf(() => second)).toBe('RKLLM_RUNTIME_HUNG');
    expect(model.state).toBe('failed');
    expect(await codeOf(async () => model.generate('three'))).toBe('RKLLM_RUNTIME_HUNG');
    await model.dispose();
    expect(model.state).toBe('disposed');
    expect(fake.calls).not.toContain('run two');
  });

  test('fails calls that wait behind it', async () => {
    const fake = new FakeModel(...deaf);
    const model = await fake.load({ npu });
    const run = model.start(prompt());
    await until(() => fake.calls.includes('run hi'));
    const states = model.runtime?.hiddenStates({ prompt: 'x' });
    const released = model.runtime?.releasePromptCache();
    run.abort();
    expect(await codeOf(async () => states)).toBe('RKLLM_RUNTIME_HUNG');
    expect(await codeOf(async () => released)).toBe('RKLLM_RUNTIME_HUNG');
  });

  test('fails a computation that its signal stops', async () => {
    const fake = new FakeModel(...deaf);
    const model = await fake.load({ npu });
    const controller = new AbortController();
    const states = model.runtime?.hiddenStates({ prompt: 'x' }, { signal: controller.signal });
    await until(() => fake.calls.includes('run x'));
    controller.abort();
    expect(await codeOf(async () => states)).toBe('RKLLM_RUNTIME_HUNG');
  });

  test('is no reason to wait for ever in dispose', async () => {
    const fake = new FakeModel('destroy-delay-ms 1500');
    const model = await fake.load({ npu });
    expect(await codeOf(() => model.dispose())).toBe('RKLLM_RUNTIME_HUNG');
    await model.dispose();
  });
});

test('a runtime that comes back in time is as good as before', async () => {
  const fake = new FakeModel('token a', 'abort-ignored', 'prefill-ms 100');
  const model = await load(fake, 20_000);
  const generation = model.generate('one');
  await until(() => fake.calls.includes('run one'));
  generation.abort();
  expect((await generation).finishReason).toBe('abort');
  expect((await model.generate('two')).text).toBe('a');
  await model.dispose();
});

describe('an application that was busy itself for longer than the runtime may take', () => {
  const limitMs = 800;

  /** Next, the timers get their turn, before anything is read. */
  async function beBusy(): Promise<void> {
    await turn();
    const end = performance.now() + 1.1 * limitMs;
    while (performance.now() < end);
  }

  function patient(
    fake: FakeModel,
    ...limits: ('loadTimeoutMs' | 'stallTimeoutMs' | 'abortTimeoutMs')[]
  ): Promise<Model> {
    const options = Object.fromEntries(limits.map((limit) => [limit, limitMs]));
    const runtimePath = fakeRuntime('1.2.3');
    return loadModel(fake.path, { backend: 'rkllm', runtimePath, template: 'none', isolation, ...options });
  }

  test('looks at the tokens that have come first', async () => {
    const model = await patient(
      new FakeModel('token a', 'token b', 'token c', 'token d', 'token-us 400000'),
      'stallTimeoutMs',
    );
    const generation = model.generate('hi');
    for await (const { type } of generation.tee()[0]) if (type === 'text') await beBusy();
    expect((await generation).text).toBe('abcd');
    await model.dispose();
  });

  test('looks at the end of what it has aborted first', async () => {
    const fake = new FakeModel('token a', 'token-us 1000', 'endless');
    const model = await patient(fake, 'abortTimeoutMs');
    const generation = model.generate('hi');
    await until(() => fake.calls.includes('run hi'));
    await turn();
    generation.abort();
    await beBusy();
    expect((await generation).finishReason).toBe('abort');
    await model.dispose();
  });

  test('looks at the loaded model first', async () => {
    const fake = new FakeModel('token a');
    const model = patient(fake, 'loadTimeoutMs');
    await until(() => fake.calls.includes('init'));
    await beBusy();
    expect((await model).state).toBe('ready');
    await (await model).dispose();
  });
});
