import { codeOf } from '../../support/reading.js';
import { FakeModel, dispose, prompt, read, until } from './fake-model.js';

describe('an abort', () => {
  test('during the prefill', async () => {
    const fake = new FakeModel('token a', 'prefill-ms 60000');
    const model = await fake.load();
    const run = model.start(prompt());
    await until(() => fake.calls.includes('run hi'));
    run.abort();
    const { tokenIds, end } = await read(run);
    expect(tokenIds).toEqual([]);
    expect(end.reason).toBe('aborted');
    expect(fake.calls).toEqual(['init', 'run hi', 'abort', 'run-end 0']);
  });

  test('that the prefill cannot hear takes effect at the first token', async () => {
    const fake = new FakeModel('token a', 'endless', 'prefill-ms 200', 'abort-after-prefill');
    const model = await fake.load();
    const run = model.start(prompt());
    await until(() => fake.calls.includes('run hi'));
    run.abort();
    const { tokenIds, end } = await read(run);
    expect(tokenIds).toEqual([]);
    expect(end.reason).toBe('aborted');
  });

  test('during the decode is made from the callback', async () => {
    const fake = new FakeModel('token a', 'endless', 'token-us 1000');
    const model = await fake.load();
    const run = model.start(prompt());
    await run.readable();
    run.abort();
    const { end } = await read(run);
    expect(end.reason).toBe('aborted');
    expect(fake.calls).toEqual(['init', 'run hi', 'abort', 'run-end 0']);
  });

  test('keeps the tokens from before it and drops those after it', async () => {
    const fake = new FakeModel('token a', 'endless', 'token-us 500', 'abort-delay-ms 50');
    const model = await fake.load();
    const run = model.start(prompt());
    await run.readable();
    const first = run.drain()?.tokenIds.length ?? 0;
    expect(first).toBeGreaterThan(0);
    run.abort();
    run.drain();
    await run.ended;
    expect(run.drain()).toBeUndefined();
    expect(fake.calls.filter((call) => call === 'abort').length).toBeGreaterThan(1); // it was told again
  });

  test.each([
    ['a failure code', ['abort-code -1']],
    ['no FINISH', ['no-finish']],
    ['a failure code and no FINISH, from another thread', ['abort-code -1', 'no-finish', 'foreign-thread']],
  ])('that the runtime answers with %s', async (_, script) => {
    const fake = new FakeModel('token a', 'endless', ...script);
    const model = await fake.load();
    for (let i = 0; i < 5; i++) {
      const run = model.start(prompt());
      await run.readable();
      run.abort();
      expect((await read(run)).end.reason).toBe('aborted');
    }
  });

  test('is repeatable and harmless after the end', async () => {
    const fake = new FakeModel('token a');
    const model = await fake.load();
    const run = model.start(prompt());
    const { end } = await read(run);
    for (let i = 0; i < 3; i++) run.abort();
    expect(end.reason).toBe('unstated');
    expect((await read(model.start(prompt('next')))).text).toBe('a');
    expect(fake.calls).toEqual(['init', 'run hi', 'run-end 0', 'run next', 'run-end 0']);
  });

  test('before the start never reaches the runtime', async () => {
    const fake = new FakeModel('token a', 'prefill-ms 100');
    const model = await fake.load();
    const [first, second, third] = [model.start(prompt('1')), model.start(prompt('2')), model.start(prompt('3'))];
    second.abort();
    const outcomes = await Promise.all([read(first), read(second), read(third)]);
    expect(outcomes.map(({ end }) => end.reason)).toEqual(['unstated', 'aborted', 'unstated']);
    expect(outcomes.map(({ text }) => text)).toEqual(['a', '', 'a']);
    expect(fake.calls).toEqual(['init', 'run 1', 'run-end 0', 'run 3', 'run-end 0']);
  });

  test('concerns its own run only', async () => {
    const fake = new FakeModel('token a', 'repeat 20', 'token-us 1000');
    const model = await fake.load();
    const [first, second] = [model.start(prompt('1')), model.start(prompt('2'))];
    await first.readable();
    first.abort();
    first.abort();
    const outcomes = await Promise.all([read(first), read(second)]);
    expect(outcomes.map(({ end }) => end.reason)).toEqual(['aborted', 'unstated']);
    expect(outcomes[1].tokenIds).toHaveLength(20);
    expect(fake.calls).not.toContain('abort-idle');
  });

  test('of a runtime that ignores it still ends as aborted', async () => {
    const model = await new FakeModel('token a', 'repeat 50', 'token-us 1000', 'abort-ignored').load();
    const run = model.start(prompt());
    await run.readable();
    run.abort();
    expect((await read(run)).end.reason).toBe('aborted');
  });

  test('of a run that has failed leaves the failure', async () => {
    const model = await new FakeModel('token a', 'error-after 1').load();
    const run = model.start(prompt());
    await run.ended.catch(() => undefined);
    run.abort();
    expect(await codeOf(() => run.ended)).toBe('RKLLM_RUN_FAILED');
  });

  test('at any moment leaves the model usable', async () => {
    const model = await new FakeModel('token a', 'repeat 300').load();
    for (let i = 0; i < 200; i++) {
      const run = model.start(prompt());
      for (let turn = 0; turn < i % 8; turn++) await new Promise((resolve) => setImmediate(resolve));
      run.abort();
      const { end } = await read(run);
      expect(['aborted', 'unstated']).toContain(end.reason);
    }
    expect((await read(model.start(prompt()))).tokenIds).toHaveLength(300);
  });
});

describe('dispose', () => {
  test('while a run is in flight ends the run first', async () => {
    const fake = new FakeModel('token a', 'endless', 'token-us 1000');
    const model = await fake.load();
    const [first, second] = [model.start(prompt('1')), model.start(prompt('2'))];
    await first.readable();
    await dispose(model);
    expect((await first.ended).reason).toBe('aborted');
    expect((await second.ended).reason).toBe('aborted');
    expect(fake.calls).toEqual(['init', 'run 1', 'abort', 'run-end 0', 'destroy']);
  });

  test('twice is one disposal', async () => {
    const fake = new FakeModel();
    const model = await fake.load();
    await Promise.all([dispose(model), model.dispose()]);
    await model.dispose();
    expect(fake.calls).toEqual(['init', 'destroy']);
  });
});
