import { setImmediate as turn } from 'node:timers/promises';
import { loadModel, type Model } from 'rkllm';
import { manualClock, scripted, type ManualClock, type Script } from 'rkllm/testing';
import { codeOf, failureOf } from '../../support/reading.js';

async function clockedModel(script: Script): Promise<{ clock: ManualClock; model: Model }> {
  const clock = manualClock();
  return { clock, model: await loadModel(undefined, { backend: scripted({ ...script, clock }) }) };
}

describe.each(['real timers', 'fake timers'])('a manual clock, with %s', (timers) => {
  beforeEach(() => {
    if (timers === 'fake timers') jest.useFakeTimers();
  });
  afterEach(() => jest.useRealTimers());

  test('brings each token when it is due, and not before', async () => {
    const { clock, model } = await clockedModel({ reply: 'a b c d', prefillMs: 100, tokenMs: 10 });
    const generation = model.generate('Hi');
    const read: string[] = [];
    const reading = (async () => {
      for await (const text of generation.textStream) read.push(text);
    })();
    await clock.advance(99);
    expect({ state: generation.state, read }).toEqual({ state: 'prefill', read: [] });
    await clock.advance(1);
    expect({ state: generation.state, read }).toEqual({ state: 'decode', read: ['a'] });
    await clock.advance(9);
    expect(read).toEqual(['a']);
    await clock.advance(11);
    expect(read).toEqual(['a', ' b', ' c']);
    await clock.advance(10);
    await reading;
    expect((await generation).timings).toMatchObject({ prefillMs: 100, decodeMs: 30, decodeTokensPerSecond: 100 });
    expect([clock.now(), clock.sleepers]).toEqual([130, 0]);
  });

  test('brings what needs no time without being moved', async () => {
    const { clock, model } = await clockedModel({ reply: 'a b c' });
    expect(await model.generate('Hi').text()).toBe('a b c');
    expect(clock.now()).toBe(0);
  });

  test('advance(0) lets everything come that needs no time', async () => {
    const { clock, model } = await clockedModel({ reply: ['a', 'b', { text: 'c', delayMs: 1 }] });
    const generation = model.generate('Hi');
    await clock.advance(0);
    expect([generation.state, clock.sleepers]).toEqual(['decode', 1]);
    generation.abort();
    expect(await generation.text()).toBe('ab');
  });

  test.each(['abort()', 'signal', 'dispose'])(
    'a generation that is stopped by %s needs no time to pass',
    async (by) => {
      const { clock, model } = await clockedModel({ prefillMs: 1000 });
      const controller = new AbortController();
      const generation = model.generate('Hi', { signal: controller.signal, onAbort: 'return' });
      await clock.advance(500);
      if (by === 'abort()') generation.abort();
      else if (by === 'signal') controller.abort();
      else await model.dispose({ abort: true });
      expect(await generation).toMatchObject({ text: '', finishReason: 'abort' });
      expect([clock.now(), clock.sleepers]).toEqual([500, 0]);
    },
  );

  test('a load takes its time, and heeds its signal', async () => {
    const clock = manualClock();
    const backend = scripted({ loadMs: 1000, clock });
    const loading = loadModel(undefined, { backend });
    const controller = new AbortController();
    const stopped = loadModel(undefined, { backend, signal: controller.signal });
    await clock.advance(999);
    controller.abort();
    expect(await failureOf(() => stopped)).toBe(controller.signal.reason);
    expect(clock.sleepers).toBe(1);
    await clock.advance(1);
    expect((await loading).state).toBe('ready');
  });

  test('a crash needs no time', async () => {
    const clock = manualClock();
    const backend = scripted({ prefillMs: 1000, clock });
    const model = await loadModel(undefined, { backend });
    const generation = model.generate('Hi');
    backend.crash();
    expect(await codeOf(() => generation)).toBe('RKLLM_WORKER_FAILED');
    expect(clock.sleepers).toBe(0);
  });
});

describe('the hands of a clock', () => {
  test('wake in the order in which they are due, at their time', async () => {
    const clock = manualClock();
    const woken: [string, number][] = [];
    const sleep = (name: string, ms: number): Promise<unknown> =>
      clock.sleep(ms).then(() => woken.push([name, clock.now()]));
    const all = Promise.all([sleep('late', 30), sleep('early', 10), sleep('also early', 10), sleep('never', 0)]);
    await clock.advance(100);
    await all;
    expect(woken).toEqual([
      ['never', 0],
      ['early', 10],
      ['also early', 10],
      ['late', 30],
    ]);
    expect(clock.now()).toBe(100);
  });

  test('count calls that overlap', async () => {
    const clock = manualClock();
    await Promise.all([clock.advance(5), clock.advance(6)]);
    expect(clock.now()).toBe(11);
  });

  test('do not move by themselves', async () => {
    const clock = manualClock();
    const sleeping = clock.sleep(1);
    await turn();
    expect([clock.now(), clock.sleepers]).toEqual([0, 1]);
    await clock.advance(1);
    await sleeping;
  });

  test('let nobody sleep whose signal has aborted', async () => {
    const reason = new Error('awake');
    expect(await failureOf(() => manualClock().sleep(5, AbortSignal.abort(reason)))).toBe(reason);
  });

  test.each([-1, NaN, Infinity, '5', undefined])('cannot be moved by %p', async (ms) => {
    expect(await codeOf(() => manualClock().advance(ms as number))).toBe('RKLLM_INVALID_INPUT');
  });
});
