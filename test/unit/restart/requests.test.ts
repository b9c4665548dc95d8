import type { Generation } from 'rkllm';
import { loadModel, RkllmError } from 'rkllm';
import { ManualBackend } from '../../support/manual-backend.js';
import { codeOf, failureOf } from '../../support/reading.js';
import { died, fakePauses, heldLoad, pass, restartable, settle } from '../../support/restartable.js';
import { isSettled } from '../../support/running.js';

beforeEach(() => fakePauses());
afterEach(() => jest.useRealTimers());

const asked = ({ runs }: ManualBackend): unknown[] =>
  runs.map(({ request: { input } }) => (input.type === 'text' ? input.text : undefined));
const ask = (...prompts: string[]): { prompt: string }[] => prompts.map((prompt) => ({ prompt }));

describe('an engine that dies while nobody waits', () => {
  test('is freed at once, and loaded again after the pause', async () => {
    const { model, engine, crash } = await restartable({ topK: 5, maxContextLength: 256 });
    await crash();
    expect(model).toMatchObject({ state: 'restarting', pending: 0 });
    expect([engine.disposals, engine.loads.length]).toEqual([1, 1]);
    await pass(499);
    expect(engine.loads).toHaveLength(1);
    await pass(1);
    const signal = expect.any(AbortSignal) as AbortSignal;
    expect(engine.loads[1]).toEqual({ ...engine.loads[0], onWarning: undefined, signal }); // it has warned already
    expect(model.state).toBe('ready');
    const generation = model.generate('Hi');
    engine.run.write('a');
    engine.run.end();
    expect(await generation.text()).toBe('a');
    await model.dispose();
    expect([engine.disposals, engine.loads.length]).toEqual([2, 2]);
  });

  test('is waited for by who comes meanwhile', async () => {
    const { model, engine, crash } = await restartable({ queue: { maxPending: 1 } });
    await crash();
    const generation = model.generate('Hi');
    expect(generation).toMatchObject({ state: 'queued', queuePosition: 0 });
    expect(await codeOf(() => model.generate('Hi'))).toBe('RKLLM_QUEUE_FULL');
    await pass(500);
    expect(generation.state).toBe('prefill');
    engine.run.end();
    expect((await generation).finishReason).toBe('stop');
  });
});

test('without the option it is not loaded again', async () => {
  const { model, engine, crash } = await restartable({ onCrash: 'fail' });
  const running = model.generate('Hi');
  const waiting = model.generate('Hi');
  await crash();
  expect(await failureOf(() => running)).toBe(died);
  expect(await failureOf(() => waiting)).toBe(died);
  await pass(60_000);
  expect(engine.loads).toHaveLength(1);
  expect(model.state).toBe('failed');
});

test('an engine of which something stays is refused, and freed', async () => {
  const engine = new ManualBackend();
  const error = await failureOf(() => loadModel(undefined, { backend: engine, onCrash: 'restart' }));
  expect(error).toMatchObject({ code: 'RKLLM_UNSUPPORTED_OPTION', details: { option: 'onCrash', backend: 'manual' } });
  expect(engine.disposals).toBe(1);
});

describe('what ran when it died', () => {
  test('fails with its error when it had a token, and who waited is served in order', async () => {
    const { model, engine, crash } = await restartable();
    const [first, second, third] = ask('1', '2', '3').map((input) => model.generate(input)) as [
      Generation,
      Generation,
      Generation,
    ];
    engine.run.write('a');
    await crash();
    expect(await failureOf(() => first)).toBe(died);
    expect([second.queuePosition, third.queuePosition]).toEqual([0, 1]);
    await pass(500);
    engine.run.end();
    await second;
    engine.run.end();
    await third;
    expect(asked(engine)).toEqual(['1', '2', '3']);
    expect(engine.loads).toHaveLength(2);
  });

  test('a token without text is a token', async () => {
    const { model, engine, crash } = await restartable();
    const generation = model.generate('Hi');
    engine.run.write('');
    await crash();
    expect(await failureOf(() => generation)).toBe(died);
  });

  test('also one that was not read before the death', async () => {
    const { model, engine, crash } = await restartable();
    const generation = model.generate('Hi');
    await settle();
    engine.run.write('a');
    engine.run.fail(died);
    await crash();
    expect(await failureOf(() => generation)).toBe(died);
    expect(engine.runs).toHaveLength(1);
  });

  test('is served again, before the others, when it had none', async () => {
    const { model, engine, crash } = await restartable({ queue: { maxPending: 1 } });
    const [first, second] = ask('1', '2').map((input) => model.generate(input)) as [Generation, Generation];
    await crash();
    expect(first).toMatchObject({ state: 'queued', queuePosition: 0 });
    expect(second.queuePosition).toBe(1);
    expect(model).toMatchObject({ state: 'restarting', pending: 2 });
    await pass(500);
    expect(first.state).toBe('prefill');
    engine.run.write('a');
    engine.run.end();
    const { text, usage, timings } = await first;
    expect([text, usage.outputTokens]).toEqual(['a', 1]);
    expect(timings.queuedMs).toBeGreaterThanOrEqual(500);
    engine.run.end();
    await second;
    expect(asked(engine)).toEqual(['1', '1', '2']);
  });

  test('but only once: what crashes the engine must not do so for ever', async () => {
    const { model, engine, crash } = await restartable();
    const [first, second] = ask('1', '2').map((input) => model.generate(input)) as [Generation, Generation];
    await crash();
    await pass(500);
    const again = new Error('died again');
    await crash(again);
    expect(await failureOf(() => first)).toBe(again);
    await pass(1000);
    engine.run.end();
    expect((await second).finishReason).toBe('stop');
    expect(asked(engine)).toEqual(['1', '1', '2']);
  });

  test('is served again in the order in which it came, when the engine ran several', async () => {
    const { model, engine, crash } = await restartable({}, { capabilities: { slots: 2 } });
    const generations = ask('1', '2', '3').map((input) => model.generate(input));
    engine.runs[1]?.fail(died);
    await crash();
    expect(generations.map(({ queuePosition }) => queuePosition)).toEqual([0, 1, 2]);
    await pass(500);
    expect(asked(engine)).toEqual(['1', '2', '1', '2']);
    for (const run of engine.runs) run.end();
    await generations[1];
    engine.run.end();
    await Promise.all(generations);
    expect(asked(engine)).toEqual(['1', '2', '1', '2', '3']);
  });

  test('is over before what is left of the engine is freed', async () => {
    const { model, engine } = await restartable({}, { capabilities: { slots: 2 } });
    const generations = ask('1', '2').map((input) => model.generate(input));
    engine.runs[0]?.fail(died);
    engine.die(died);
    await pass(60_000);
    expect([engine.disposals, engine.loads.length, model.state]).toEqual([0, 1, 'restarting']);
    engine.runs[1]?.fail(died);
    await settle();
    expect([engine.disposals, engine.loads.length]).toEqual([1, 1]);
    await pass(500);
    expect(engine.loads).toHaveLength(2);
    for (const run of engine.runs) run.end();
    await Promise.all(generations);
  });

  test('is not served again when it was told to stop', async () => {
    const { model, engine, crash } = await restartable();
    const generation = model.generate('Hi');
    generation.abort();
    await crash();
    expect(await failureOf(() => generation)).toBe(died);
    await pass(500);
    expect(engine.runs).toHaveLength(1);
    expect(model.state).toBe('ready');
  });

  test('may learn of it a little earlier than the model', async () => {
    const { model, engine } = await restartable();
    const generation = model.generate('Hi');
    engine.run.fail(died);
    setImmediate(() => engine.die(died));
    await settle();
    expect(generation).toMatchObject({ state: 'queued', queuePosition: 0 });
  });
});

test('a run that fails on an engine that lives is not repeated', async () => {
  const { model, engine } = await restartable();
  const generation = model.generate('Hi');
  engine.run.fail(new RkllmError('RKLLM_RUNTIME_CRASHED', 'Its code says nothing.', { hint: 'None.' }));
  expect(await codeOf(() => generation)).toBe('RKLLM_RUNTIME_CRASHED');
  expect([engine.runs.length, engine.loads.length, model.state]).toEqual([1, 1, 'ready']);
});

describe('who waits for the restart', () => {
  test('may leave: abort() resolves, the signal rejects', async () => {
    const { model, engine, crash } = await restartable();
    const controller = new AbortController();
    const first = model.generate('Hi');
    const second = model.generate('Hi', { signal: controller.signal });
    await crash();
    first.abort('enough');
    controller.abort();
    expect(await first).toMatchObject({ text: '', finishReason: 'abort', abortReason: 'enough' });
    expect(await failureOf(() => second)).toBe(controller.signal.reason);
    await pass(500);
    expect(engine.runs).toHaveLength(1);
    expect(model.state).toBe('ready');
  });

  test('waits as long as the queue allows', async () => {
    const { model, crash } = await restartable({ queue: { timeoutMs: 100 } });
    const [first, second] = ask('1', '2').map((input) => model.generate(input)) as [Generation, Generation];
    await pass(60);
    await crash();
    await pass(40);
    expect(await codeOf(() => second)).toBe('RKLLM_QUEUE_TIMEOUT');
    expect(first.state).toBe('queued');
    await pass(60);
    expect(await codeOf(() => first)).toBe('RKLLM_QUEUE_TIMEOUT');
  });

  test.each([false, true])('is refused when the model is disposed in the pause (abort: %p)', async (abort) => {
    const { model, engine, crash } = await restartable();
    const generations = ask('1', '2').map((input) => model.generate(input));
    await crash();
    const disposal = model.dispose({ abort });
    expect(model.state).toBe('disposing');
    for (const generation of generations) expect(await codeOf(() => generation)).toBe('RKLLM_DISPOSED');
    await disposal;
    expect(jest.getTimerCount()).toBe(0);
    expect([engine.loads.length, engine.disposals, model.state]).toEqual([1, 1, 'disposed']);
  });

  test('is refused when the model is disposed while it is loaded, and the load is stopped', async () => {
    const load = heldLoad();
    const { model, engine, crash } = await restartable({}, load);
    const generation = model.generate('Hi');
    await crash();
    await pass(500);
    await model.dispose();
    expect(await codeOf(() => generation)).toBe('RKLLM_DISPOSED');
    expect([engine.loads.length, engine.disposals]).toEqual([1, 1]);
  });

  test('is refused also where the load takes no notice, and what it loaded is freed', async () => {
    let loaded: () => void = () => undefined;
    const onReload = (): Promise<void> => new Promise((resolve) => (loaded = resolve));
    const { model, engine, crash } = await restartable({}, { onReload });
    const generation = model.generate('Hi');
    await crash();
    await pass(500);
    const disposal = model.dispose();
    expect(await codeOf(() => generation)).toBe('RKLLM_DISPOSED');
    expect(await isSettled(disposal)).toBe(false);
    loaded();
    await disposal;
    expect([engine.loads.length, engine.disposals, engine.runs.length]).toEqual([2, 2, 1]);
  });

  test('a model that is being disposed is not loaded again when it dies', async () => {
    const { model, engine, crash } = await restartable();
    const generation = model.generate('Hi');
    const disposal = model.dispose();
    await crash();
    expect(await failureOf(() => generation)).toBe(died);
    await disposal;
    expect([engine.loads.length, engine.disposals]).toEqual([1, 1]);
  });
});

test('a conversation goes on over a restart', async () => {
  const { model, engine, crash } = await restartable();
  const chat = model.chat();
  const first = chat.send('one');
  engine.run.write('1');
  engine.run.end();
  await first;
  const lost = chat.send('two');
  engine.run.write('2');
  await crash();
  expect(await failureOf(() => lost)).toBe(died);
  const third = chat.send('three');
  await pass(500);
  engine.run.write('3');
  engine.run.end();
  await third;
  expect(chat.messages.map(({ content }) => content)).toEqual(['one', '1', 'three', '3']);
});
