import { getEventListeners } from 'node:events';
import { setImmediate as turn } from 'node:timers/promises';
import { manualModel, scriptedModel } from '../support/models.js';
import { collect, collectUntilError, failureOf, finishOf, textOf } from '../support/reading.js';
import { isSettled, running, type Running } from '../support/running.js';

describe('a signal', () => {
  test.each([
    ['a reason', new Error('user left')],
    ['no error', 'bye'],
    ['null', null],
  ])('that aborts with %s rejects with it, after what was written, once the engine is idle', async (_, reason) => {
    const controller = new AbortController();
    const { generation, run } = await running({ signal: controller.signal });
    const reading = collectUntilError(generation);
    await turn();
    controller.abort(reason);
    expect(await isSettled(reading)).toBe(false);
    expect(run.aborts).toBe(1);
    run.end('aborted');
    const { chunks, error } = await reading;
    expect(error).toBe(reason);
    expect(textOf(chunks)).toBe('a');
    expect(await failureOf(() => generation)).toBe(reason);
    expect(generation.state).toBe('aborted');
  });

  test("that aborts with onAbort 'return' resolves with what was written", async () => {
    const controller = new AbortController();
    const { generation, run } = await running({ signal: controller.signal, onAbort: 'return' });
    const reading = collect(generation);
    await turn();
    controller.abort();
    run.end('aborted');
    expect(finishOf(await reading).finishReason).toBe('abort');
    expect(await generation).toMatchObject({ text: 'a', finishReason: 'abort' });
  });

  test.each(['throw', 'return'] as const)('aborted before: the engine is not asked (%s)', async (onAbort) => {
    const asked: string[] = [];
    const model = await scriptedModel({ onRun: (prompt) => asked.push(prompt) });
    const reason = new Error('too late');
    const generation = model.generate('Hi', { signal: AbortSignal.abort(reason), onAbort });
    expect(generation.state).toBe('aborted');
    expect(model).toMatchObject({ state: 'ready', pending: 0 });
    const outcome = await generation.then(
      ({ finishReason }) => finishReason,
      (error: unknown) => error,
    );
    expect(outcome).toBe(onAbort === 'throw' ? reason : 'abort');
    expect(asked).toEqual([]);
  });

  test('aborted before: a full queue does not matter', async () => {
    const { model } = await manualModel({}, { queue: { maxPending: 0 } });
    model.generate('Hi');
    expect(model.generate('Hi', { signal: AbortSignal.abort(), onAbort: 'return' }).state).toBe('aborted');
  });

  test('aborts one that waits', async () => {
    const controller = new AbortController();
    const { model, backend, generation, run } = await running();
    const waiting = model.generate('second', { signal: controller.signal });
    controller.abort();
    expect(await failureOf(() => waiting)).toBe(controller.signal.reason);
    expect(model.pending).toBe(0);
    run.end();
    await generation;
    expect(backend.runs).toHaveLength(1);
  });

  test('that aborts while the engine starts is not overlooked', async () => {
    const controller = new AbortController();
    const { model, backend } = await manualModel({ onStart: () => controller.abort() });
    const generation = model.generate('Hi', { signal: controller.signal });
    expect(backend.run.aborts).toBe(1);
    expect(await failureOf(() => generation)).toBe(controller.signal.reason);
  });

  test('that aborts while the engine starts after a wait is not overlooked', async () => {
    const controller = new AbortController();
    let starts = 0;
    const { model, backend } = await manualModel({ onStart: () => ++starts === 2 && controller.abort() });
    const first = model.generate('Hi');
    const second = model.generate('Hi', { signal: controller.signal });
    backend.run.end();
    await first;
    expect(await failureOf(() => second)).toBe(controller.signal.reason);
    expect(backend.run.aborts).toBe(1);
  });

  test('after abort() changes nothing any more', async () => {
    const controller = new AbortController();
    const { generation, run } = await running({ signal: controller.signal });
    await turn();
    generation.abort();
    controller.abort();
    run.end('aborted');
    expect(await generation).toMatchObject({ text: 'a', finishReason: 'abort' });
  });
});

describe('listeners on a signal', () => {
  const listeners = (signal: AbortSignal): number => getEventListeners(signal, 'abort').length;

  const ends: [string, (all: Running, controller: AbortController) => void][] = [
    ['the answer', ({ run }) => run.end()],
    ['a failure', ({ run }) => run.fail(new Error('broken'))],
    [
      'abort()',
      ({ run, generation }) => {
        generation.abort();
        run.end('aborted');
      },
    ],
    [
      'the signal itself',
      ({ run }, controller) => {
        controller.abort();
        run.end('aborted');
      },
    ],
  ];

  test.each(ends)('are gone after %s', async (_, end) => {
    const controller = new AbortController();
    const all = await running({ signal: controller.signal });
    expect(listeners(controller.signal)).toBe(1);
    end(all, controller);
    await all.generation.result().catch(() => undefined);
    expect(listeners(controller.signal)).toBe(0);
  });

  test('are gone when an engine refuses to start', async () => {
    const { signal } = new AbortController();
    const failure = new Error('will not start');
    const { model } = await manualModel({
      onStart: () => {
        throw failure;
      },
    });
    expect(await failureOf(() => model.generate('Hi', { signal }))).toBe(failure);
    expect(listeners(signal)).toBe(0);
    expect(model.state).toBe('ready');
  });

  test('are gone, or never were, when the queue is full, or disposed', async () => {
    const { model } = await manualModel({}, { queue: { maxPending: 1 } });
    const { signal } = new AbortController();
    model.generate('Hi');
    const waiting = model.generate('Hi', { signal });
    await expect(async () => model.generate('Hi', { signal })).rejects.toMatchObject({ code: 'RKLLM_QUEUE_FULL' });
    expect(listeners(signal)).toBe(1);
    void model.dispose({ abort: true });
    await waiting.result().catch(() => undefined);
    expect(listeners(signal)).toBe(0);
  });

  test('are few, so that many generations may share a signal without a warning', async () => {
    const controller = new AbortController();
    const { model, backend } = await manualModel({}, { queue: { maxPending: 50 } });
    const generations = Array.from({ length: 50 }, () => model.generate('Hi', { signal: controller.signal }));
    expect(listeners(controller.signal)).toBeLessThanOrEqual(10);
    generations[7]?.abort();
    controller.abort();
    const outcomes = await Promise.allSettled(generations.map((generation) => generation.result()));
    expect(outcomes.filter(({ status }) => status === 'rejected')).toHaveLength(49);
    expect(backend.runs).toHaveLength(1);
    expect(listeners(controller.signal)).toBe(0);
  });
});
