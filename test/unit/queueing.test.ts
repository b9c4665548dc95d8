import { setImmediate as turn } from 'node:timers/promises';
import fc from 'fast-check';
import type { Generation } from 'rkllm';
import { manualModel, scriptedModel } from '../support/models.js';
import { codeOf } from '../support/reading.js';

describe('the queue', () => {
  test('answers in the order of the calls', async () => {
    const asked: string[] = [];
    const model = await scriptedModel({ reply: 'ok', onRun: (prompt) => asked.push(prompt) });
    const prompts = ['1', '2', '3', '4'];
    const order: string[] = [];
    await Promise.all(prompts.map((prompt) => model.generate({ prompt }).then(() => order.push(prompt))));
    expect(asked).toEqual(prompts);
    expect(order).toEqual(prompts);
  });

  test('shows each its position, until it has the engine or is over', async () => {
    const { model, backend } = await manualModel();
    const [first, second, third, fourth] = ['1', '2', '3', '4'].map((prompt) => model.generate(prompt)) as [
      Generation,
      Generation,
      Generation,
      Generation,
    ];
    const positions = (): unknown[] => [first, second, third.handle(), fourth].map((it) => it.queuePosition);
    expect(positions()).toEqual([undefined, 0, 1, 2]);
    second.abort();
    expect(positions()).toEqual([undefined, undefined, 0, 1]);
    backend.run.end();
    await first;
    expect(positions()).toEqual([undefined, undefined, undefined, 0]);
    const disposal = model.dispose({ abort: true });
    expect(positions()).toEqual([undefined, undefined, undefined, undefined]);
    expect(await codeOf(() => fourth)).toBe('RKLLM_DISPOSED');
    await disposal;
  });

  test('never lets one that came later pass, whoever leaves', async () => {
    const { model, backend } = await manualModel({}, { queue: { maxPending: 100 } });
    await fc.assert(
      fc.asyncProperty(fc.array(fc.boolean(), { minLength: 1, maxLength: 20 }), async (leaves) => {
        const before = backend.runs.length;
        const generations = leaves.map((_, index) => model.generate({ prompt: index.toString() }));
        generations.forEach((generation, index) => index > 0 && leaves[index] === true && generation.abort());
        const expected = generations.flatMap((_, index) => (index > 0 && leaves[index] === true ? [] : [`${index}`]));
        for (const [index] of expected.entries()) {
          expect(backend.runs).toHaveLength(before + index + 1);
          backend.run.end();
          await turn();
        }
        expect(backend.runs.slice(before).map(({ request }) => request.input)).toEqual(
          expected.map((text) => ({ type: 'text', text })),
        );
      }),
      { numRuns: 30 },
    );
  });

  test('an engine that asks for more as it starts gets it when it is free', async () => {
    const more: Generation[] = [];
    const { model, backend } = await manualModel({
      onStart: () => {
        if (more.length === 0) more.push(model.generate('more'));
      },
    });
    const first = model.generate('first');
    expect(more.map(({ queuePosition }) => queuePosition)).toEqual([0]);
    expect(backend.runs).toHaveLength(1);
    backend.run.end();
    await first;
    expect(backend.runs).toHaveLength(2);
    await model.dispose({ abort: true });
  });

  test('runs as many at a time as the engine has slots', async () => {
    const { model, backend } = await manualModel({ capabilities: { slots: 2 } });
    for (const prompt of ['1', '2', '3']) model.generate(prompt);
    expect(backend.runs).toHaveLength(2);
    expect(model.pending).toBe(1);
    await model.dispose({ abort: true });
    expect(backend).toMatchObject({ disposals: 1, runs: [{ aborts: 1 }, { aborts: 1 }] });
  });

  test('is full after 16, or what was asked for', async () => {
    const { model } = await manualModel();
    for (let count = 0; count < 17; count++) model.generate('Hi');
    expect(await codeOf(() => model.generate('Hi'))).toBe('RKLLM_QUEUE_FULL');
    expect(model.pending).toBe(16);
  });

  test('gives up after its time limit', async () => {
    const { model, backend } = await manualModel({}, { queue: { timeoutMs: 1 } });
    const first = model.generate('Hi');
    const second = model.generate('Hi');
    expect(await codeOf(() => second)).toBe('RKLLM_QUEUE_TIMEOUT');
    expect(second.state).toBe('failed');
    backend.run.end();
    expect((await first).finishReason).toBe('stop');
  });
});
