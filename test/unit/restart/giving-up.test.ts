import { RkllmError, type RkllmErrorCode } from 'rkllm';
import { CrashHistory, type CrashVerdict, type RestartLimits } from '../../../lib/crash-history.js';
import { codeOf, failureOf } from '../../support/reading.js';
import { died, fakePauses, heldLoad, pass, restartable } from '../../support/restartable.js';

beforeEach(() => fakePauses());
afterEach(() => jest.useRealTimers());

const failureWith = (code: RkllmErrorCode): RkllmError => new RkllmError(code, 'It failed.', { hint: 'None.' });

describe('crashes', () => {
  const historyOf = (limits: Partial<RestartLimits> = {}): CrashHistory =>
    new CrashHistory({ maxCrashes: 5, windowMs: 1000, delayMs: 100, maxDelayMs: 300, ...limits });
  const crashAfter = (history: CrashHistory, ms: number): CrashVerdict => {
    history.loaded();
    jest.advanceTimersByTime(ms);
    return history.add();
  };

  test('that come soon make the pauses longer, up to the longest, and are too many in the end', () => {
    const history = historyOf();
    const verdicts = [10, 10, 10, 10, 10].map((ms) => crashAfter(history, ms));
    expect(verdicts.map(({ delayMs }) => delayMs)).toEqual([100, 200, 300, 300, undefined]);
    expect(verdicts.at(-1)).toMatchObject({ crashes: 5, withinMs: 40 });
  });

  test('that come late count anew', () => {
    const history = historyOf({ maxCrashes: 3 });
    const crashes = [500, 500, 500, 1000, 999].map((ms) => crashAfter(history, ms).crashes);
    expect(crashes).toEqual([1, 2, 2, 1, 2]);
  });

  test('are not made rare by loads that take long', () => {
    const history = historyOf({ maxCrashes: 3 });
    const verdicts = [0, 1, 2].map(() => {
      const verdict = crashAfter(history, 10);
      jest.advanceTimersByTime(60_000);
      return verdict;
    });
    expect(verdicts.at(-1)).toEqual({ crashes: 3, withinMs: 20, delayMs: undefined });
  });

  test('of a load count, too', () => {
    const history = historyOf({ maxCrashes: 3 });
    history.add();
    jest.advanceTimersByTime(5000);
    expect(history.add()).toEqual({ crashes: 2, withinMs: 0, delayMs: 200 });
  });

  test('may come without a pause between, however many are allowed', () => {
    const history = historyOf({ delayMs: 0, maxCrashes: 1_000_000 });
    const delays = Array.from({ length: 1200 }, () => history.add().delayMs);
    expect(new Set(delays)).toEqual(new Set([0]));
  });
});

describe('a model whose engine dies again and again', () => {
  test('has failed after the third time within a minute', async () => {
    const { model, engine, crash } = await restartable();
    await crash();
    await pass(500);
    await pass(1000);
    await crash();
    await pass(999);
    expect(model.state).toBe('restarting');
    await pass(1);
    expect(engine.loads).toHaveLength(3);
    const running = model.generate('Hi');
    const waiting = model.generate('Hi');
    await pass(2000);
    await crash();
    expect(await failureOf(() => running)).toBe(died);
    const error = await failureOf(() => waiting);
    expect(error).toMatchObject({
      code: 'RKLLM_RUNTIME_CRASHED',
      message: expect.stringMatching(/died 3 times within 3000 ms/u) as string,
      cause: died,
      details: { crashes: 3, withinMs: 3000 },
    });
    expect(await failureOf(() => model.generate('Hi'))).toBe(error);
    expect(await failureOf(() => model.chat())).toBe(error);
    expect(model).toMatchObject({ state: 'failed', pending: 0 });
    await pass(60_000);
    expect(engine.loads).toHaveLength(3);
    await model.dispose();
    expect(engine.disposals).toBe(3);
  });

  test('goes on for ever when it does so rarely', async () => {
    const { model, engine, crash } = await restartable({ restart: { maxCrashes: 2, windowMs: 1000 } });
    for (let round = 1; round <= 5; round++) {
      await pass(1001);
      await crash();
      await pass(500);
      expect([model.state, engine.loads.length]).toEqual(['ready', round + 1]);
    }
  });

  test('is told by errors of others, too', async () => {
    const { model, crash } = await restartable({ restart: { maxCrashes: 2, delayMs: 0 } });
    await crash();
    await pass(1);
    const cause = new Error('not of this library');
    await crash(cause);
    expect(await failureOf(() => model.generate('Hi'))).toMatchObject({ code: 'RKLLM_WORKER_FAILED', cause });
  });

  test('may do so right after it was loaded', async () => {
    const { model, engine } = await restartable({ restart: { maxCrashes: 3, delayMs: 1 } });
    const waiting: Promise<unknown>[] = [];
    engine.die(died);
    for (const delay of [1, 2]) {
      await pass(0);
      waiting.push(failureOf(() => model.generate('Hi')));
      const { length } = engine.loads;
      jest.advanceTimersByTime(delay);
      for (let steps = 0; engine.loads.length === length && steps < 100; steps++) await Promise.resolve();
      engine.die(died); // before anybody knows that it was loaded
    }
    expect(new Set(await Promise.all(waiting)).size).toBe(1);
    expect([model.state, engine.loads.length, engine.runs.length]).toEqual(['failed', 3, 0]);
  });

  test('has its longest pause', async () => {
    const { engine, crash } = await restartable({ restart: { maxCrashes: 9, delayMs: 400, maxDelayMs: 1000 } });
    for (const [round, delay] of [400, 800, 1000, 1000].entries()) {
      await crash();
      await pass(delay - 1);
      expect(engine.loads).toHaveLength(round + 1);
      await pass(1);
      expect(engine.loads).toHaveLength(round + 2);
    }
  });

  test('may have a first pause that is longer than the longest otherwise', async () => {
    const { engine, crash } = await restartable({ restart: { delayMs: 40_000 } });
    await crash();
    await pass(39_999);
    expect(engine.loads).toHaveLength(1);
    await pass(1);
    expect(engine.loads).toHaveLength(2);
  });
});

describe('a restart that fails', () => {
  test.each(['RKLLM_RUNTIME_CRASHED', 'RKLLM_RUNTIME_HUNG', 'RKLLM_WORKER_FAILED'] as const)(
    'with %s is a crash: there is another one, and not for ever',
    async (code) => {
      const load = heldLoad();
      const { model, engine, crash } = await restartable({}, load);
      const generation = model.generate('Hi');
      await crash();
      await pass(500);
      const first = failureWith(code);
      await load.end(first);
      await pass(999);
      expect(generation.state).toBe('queued');
      await pass(1);
      const last = failureWith(code);
      await load.end(last);
      expect(await failureOf(() => generation)).toMatchObject({ code, cause: last, details: { crashes: 3 } });
      expect([model.state, engine.loads.length, engine.runs.length]).toEqual(['failed', 1, 1]);
    },
  );

  test('and succeeds the next time serves who waited', async () => {
    const load = heldLoad();
    const { model, engine, crash } = await restartable({}, load);
    const generation = model.generate('Hi');
    await crash();
    await pass(500);
    await load.end(died);
    await pass(1000);
    expect(model.state).toBe('restarting');
    await load.end();
    engine.run.write('a');
    engine.run.end();
    expect((await generation).text).toBe('a');
    expect(model.state).toBe('ready');
  });

  test('for another reason is the end, with that error', async () => {
    const load = heldLoad();
    const { model, crash } = await restartable({}, load);
    const generation = model.generate('Hi');
    await crash();
    await pass(500);
    const gone = failureWith('RKLLM_MODEL_NOT_FOUND');
    await load.end(gone);
    expect(await failureOf(() => generation)).toBe(gone);
    expect(await failureOf(() => model.generate('Hi'))).toBe(gone);
    expect(model.state).toBe('failed');
  });

  test('because what died cannot be freed is the end', async () => {
    const { model, engine, crash } = await restartable();
    const stuck = failureWith('RKLLM_RUN_FAILED');
    engine.onDispose = () => {
      throw stuck;
    };
    await crash();
    expect(await failureOf(() => model.generate('Hi'))).toBe(stuck);
    await pass(60_000);
    expect([model.state, engine.loads.length]).toEqual(['failed', 1]);
  });

  test('after the model was disposed with a load that hangs is no crash to recover from', async () => {
    const hung = failureWith('RKLLM_RUNTIME_HUNG');
    const onReload = ({ signal }: { readonly signal: AbortSignal | undefined }): Promise<void> =>
      new Promise((_, reject) => signal?.addEventListener('abort', () => reject(hung)));
    const { model, engine, crash } = await restartable({}, { onReload });
    await crash();
    await pass(500);
    await model.dispose();
    expect(await codeOf(() => model.generate('Hi'))).toBe('RKLLM_DISPOSED');
    await pass(60_000);
    expect([model.state, engine.loads.length, jest.getTimerCount()]).toEqual(['disposed', 1, 0]);
  });
});
