import { setImmediate as turn } from 'node:timers/promises';
import type { Generation } from 'rkllm';
import { manualModel, scriptedModel } from '../support/models.js';
import { collect, failureOf, finishOf } from '../support/reading.js';
import { isSettled, running } from '../support/running.js';

describe('leaving a loop early', () => {
  const ways: [string, (generation: Generation) => Promise<unknown>][] = [
    [
      'break',
      async (generation) => {
        for await (const chunk of generation) if (chunk.type === 'text') break;
      },
    ],
    [
      'break from textStream',
      async (generation) => {
        for await (const text of generation.textStream) if (text !== '') break;
      },
    ],
    [
      'return',
      async (generation) => {
        for await (const chunk of generation) return chunk;
        return undefined;
      },
    ],
    [
      'throw',
      async (generation) => {
        await failureOf(async () => {
          for await (const { type } of generation) throw new Error(type);
        });
      },
    ],
    [
      'await using',
      async (generation) => {
        await using owned = generation;
        await owned[Symbol.asyncIterator]().next();
      },
    ],
  ];

  test.each(ways)('%s stops the engine and waits until it is idle', async (_, leave) => {
    const { model, generation, run } = await running();
    const left = leave(generation);
    expect(await isSettled(left)).toBe(false);
    expect(run.aborts).toBe(1);
    expect(model.state).toBe('busy');
    run.end('aborted');
    await left;
    expect(model.state).toBe('ready');
    expect(await generation).toMatchObject({ text: 'a', finishReason: 'abort' });
  });

  test.each(ways)('%s: the next generation starts only then', async (_, leave) => {
    const { model, backend, generation, run } = await running();
    const next = model.generate('next');
    const left = leave(generation);
    await turn();
    expect(backend.runs).toHaveLength(1);
    run.end('aborted');
    await left;
    expect(backend.runs).toHaveLength(2);
    backend.run.end();
    await next;
  });

  test('an iterator that was returned is at its end, also after a failure', async () => {
    const { generation, run } = await running();
    const iterator = generation[Symbol.asyncIterator]();
    run.fail(new Error('broken'));
    await iterator.return?.();
    expect(await iterator.next()).toEqual({ done: true, value: undefined });
  });

  test('return() before the first next() stops it too', async () => {
    const { generation, run } = await running();
    const returned = generation[Symbol.asyncIterator]().return?.();
    expect(run.aborts).toBe(1);
    run.end('aborted');
    expect(await returned).toEqual({ done: true, value: undefined });
  });
});

describe('abort()', () => {
  test('resolves with what was written, once the engine is idle', async () => {
    const { generation, run } = await running();
    const chunks: unknown[] = [];
    const reading = (async () => {
      for await (const chunk of generation) {
        chunks.push(chunk);
        generation.abort();
      }
    })();
    expect(await isSettled(reading)).toBe(false);
    expect(run.aborts).toBe(1);
    run.write('late');
    run.end('aborted');
    await reading;
    expect(await generation).toMatchObject({ text: 'a', finishReason: 'abort', usage: { outputTokens: 1 } });
    expect(chunks).toMatchObject([
      { type: 'text', text: 'a' },
      { type: 'finish', finishReason: 'abort' },
    ]);
    expect(generation.state).toBe('aborted');
  });

  const stops: [string, (generation: Generation, controller: AbortController) => unknown][] = [
    ['abort()', (generation) => generation.abort()],
    ['its signal', (_, controller) => controller.abort()],
    ['return()', (generation) => generation[Symbol.asyncIterator]().return?.()],
    ['disposal', (generation) => generation[Symbol.asyncDispose]()],
  ];

  test.each(stops)('%s: it is aborting until the engine is idle', async (_, stop) => {
    const controller = new AbortController();
    const { generation, run } = await running({ signal: controller.signal, onAbort: 'return' });
    await turn();
    expect(generation.state).toBe('decode');
    void stop(generation, controller);
    expect(generation.state).toBe('aborting');
    run.write('late');
    await turn();
    expect(generation.state).toBe('aborting');
    run.end('aborted');
    await generation;
    expect(generation.state).toBe('aborted');
  });

  test('of one that waits: it is aborted at once', async () => {
    const { model } = await running();
    const waiting = model.generate('second');
    waiting.abort();
    expect(waiting.state).toBe('aborted');
  });

  test('while the engine starts: it is aborting', async () => {
    const states: string[] = [];
    const waiting: Generation[] = [];
    const { model, backend } = await manualModel({
      onStart: () => {
        for (const generation of waiting) {
          generation.abort();
          states.push(generation.state);
        }
      },
    });
    const first = model.generate('first');
    waiting.push(model.generate('second'));
    backend.run.end();
    await first;
    expect((await waiting[0])?.finishReason).toBe('abort');
    expect(states).toEqual(['aborting']);
  });

  test.each([[new Error('enough')], ['enough'], [undefined], [null], [0]])('keeps the reason %p', async (reason) => {
    const { generation, run } = await running();
    generation.abort(reason);
    generation.abort('too late');
    run.end('aborted');
    expect((await generation).abortReason).toBe(reason);
  });

  test("keeps the reason of a signal with onAbort 'return'", async () => {
    const controller = new AbortController();
    const { generation, run } = await running({ signal: controller.signal, onAbort: 'return' });
    controller.abort('enough');
    run.end('aborted');
    expect((await generation).abortReason).toBe('enough');
    const early = { signal: controller.signal, onAbort: 'return' } as const;
    expect((await (await scriptedModel()).generate('Hi', early)).abortReason).toBe('enough');
  });

  test('has no reason when the answer ended in another way', async () => {
    const model = await scriptedModel({ reply: 'a STOP b' });
    const generation = model.generate('Hi', { stop: ['STOP'] });
    await generation;
    generation.abort('too late');
    expect(await generation).toMatchObject({ finishReason: 'stop-sequence', abortReason: undefined });
  });

  test('again, or after the end, does nothing', async () => {
    const { generation, run } = await running();
    generation.abort();
    generation.abort();
    run.end('aborted');
    const result = await generation;
    generation.abort();
    expect(run.aborts).toBe(1);
    expect(await generation).toBe(result);
    expect(generation.state).toBe('aborted');
  });

  test('after a complete answer leaves it complete', async () => {
    const model = await scriptedModel({ reply: 'a b' });
    const generation = model.generate('Hi');
    await generation;
    generation.abort();
    expect(await generation).toMatchObject({ text: 'a b', finishReason: 'stop' });
    expect(generation.state).toBe('done');
  });

  test('of one that waits takes it out of the queue; the engine never sees it', async () => {
    const { model, backend, generation, run } = await running();
    const waiting = model.generate('second');
    const third = model.generate('third');
    waiting.abort();
    expect(model.pending).toBe(1);
    expect(await waiting).toMatchObject({ text: '', finishReason: 'abort', usage: { outputTokens: 0 } });
    expect(finishOf(await collect(waiting)).finishReason).toBe('abort');
    run.end();
    await generation;
    backend.run.end();
    await third;
    expect(backend.runs.map(({ request }) => request.input)).toMatchObject([
      { text: expect.stringContaining('Hi') as string },
      { text: expect.stringContaining('third') as string },
    ]);
  });

  test('when the engine fails on the way out, that is what counts', async () => {
    const { generation, run } = await running();
    generation.abort();
    const failure = new Error('crashed while stopping');
    run.fail(failure);
    expect(await failureOf(() => generation)).toBe(failure);
    expect(generation.state).toBe('failed');
  });
});
