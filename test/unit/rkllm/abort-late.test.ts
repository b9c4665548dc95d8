import type { BackendModel } from '../../../lib/backends/backend.js';
import { codeOf } from '../../support/reading.js';
import { FakeModel, dispose, fakeRuntime, prompt, read, until } from './fake-model.js';

/** The first run has come to its end without an event, but `rkllm_run` takes its time to return. */
const slowToReturn = ['token a', 'token b', 'token c', 'silent-runs 1', 'prefill-ms 20', 'return-delay-ms 150'];

/** Aborts the first run of such a model when its end has come and its return has not. */
async function abortTooLate(fake: FakeModel, model: BackendModel): Promise<void> {
  const run = model.start(prompt('1'));
  await until(() => fake.calls.includes('run 1'));
  await new Promise((resolve) => setTimeout(resolve, 70));
  run.abort();
  expect((await run.ended).reason).toBe('aborted');
  expect(fake.calls).toContain('abort-idle');
}

const runs = (fake: FakeModel, name: string): number => fake.calls.filter((call) => call === `run ${name}`).length;

describe.each([
  ['forgets an abort that came too late', [], 1],
  ['keeps it for the next run', ['abort-idle-sticks'], 2],
])('a runtime that %s', (_, mode, tries) => {
  test('answers the next run in full', async () => {
    const fake = new FakeModel(...slowToReturn, ...mode);
    const model = await fake.load();
    await abortTooLate(fake, model);
    expect((await read(model.start(prompt('2')))).text).toBe('abc');
    expect(runs(fake, '2')).toBe(tries);
    expect((await read(model.start(prompt('3')))).text).toBe('abc');
    expect(runs(fake, '3')).toBe(1);
  });

  test('answers it also after a run that never started', async () => {
    const fake = new FakeModel(...slowToReturn, ...mode);
    const model = await fake.load();
    await abortTooLate(fake, model);
    const [busy, skipped] = [model.runtime?.hiddenStates({ prompt: 'x' }), model.start(prompt('2'))];
    skipped.abort();
    await busy;
    await skipped.ended;
    expect((await read(model.start(prompt('3')))).text).toBe('abc');
  });

  test('answers every run in full, whenever the one before was aborted', async () => {
    const model = await new FakeModel('token a', 'token b', 'token c', ...mode).load();
    for (let round = 0; round < 150; round++) {
      const run = model.start(prompt('1'));
      for (let turn = 0; turn < round % 6; turn++) await new Promise((resolve) => setImmediate(resolve));
      run.abort();
      await read(run);
      expect((await read(model.start(prompt('2')))).text).toBe('abc');
    }
  });
});

describe('an abort that comes too early for the runtime', () => {
  const slowToEnter = ['token a', 'enter-delay-ms 60', 'prefill-ms 60000'];

  test('is made when the run is in', async () => {
    const fake = new FakeModel(...slowToEnter);
    const model = await fake.load();
    const run = model.start(prompt());
    await new Promise((resolve) => setTimeout(resolve, 20));
    run.abort();
    expect((await run.ended).reason).toBe('aborted');
    expect(fake.calls).toEqual(['init', 'run hi', 'abort', 'run-end 0']);
  });

  test('of a disposal likewise', async () => {
    const fake = new FakeModel(...slowToEnter);
    const model = await fake.load();
    const code = codeOf(async () => model.runtime?.hiddenStates({ prompt: 'x' }));
    await new Promise((resolve) => setTimeout(resolve, 20));
    await dispose(model);
    expect(await code).toBe('RKLLM_DISPOSED');
    expect(fake.calls).toEqual(['init', 'run x', 'abort', 'run-end 0', 'destroy']);
  });
});

test('a run with history is not made twice', async () => {
  const fake = new FakeModel(...slowToReturn, 'abort-idle-sticks');
  const model = await fake.load({ runtimePath: fakeRuntime('1.2.3') });
  await abortTooLate(fake, model);
  await model.start({ ...prompt('2'), npu: { keepHistory: true } }).ended;
  expect(runs(fake, '2')).toBe(1);
});

test('an event that comes late is not taken for one of the next run', async () => {
  const fake = new FakeModel('token a', 'repeat 40', 'token-us 5000', 'late-event 60', 'details');
  const model = await fake.load();
  for (const name of ['1', '2', '3']) {
    expect((await read(model.start(prompt(name)))).text).toBe('a'.repeat(40));
  }
  expect(fake.calls.filter((call) => call === 'late-event').length).toBeGreaterThanOrEqual(2);
});
