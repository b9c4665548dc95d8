/** What else an engine does that may die: other sampling, batches, calls of `model.runtime`; and what is told of it. */
import { setImmediate as turn } from 'node:timers/promises';
import { loadModel, type Backend, type BatchRequest, type LoadModelOptions, type LogFields, type Model } from 'rkllm';
import { deferred, type Deferred } from '../../../lib/deferred.js';
import type { ModelRuntime, RuntimeControls } from '../../../lib/backends/runtime-controls.js';
import { ManualBackend, ManualRun } from '../../support/manual-backend.js';
import { failureOf } from '../../support/reading.js';
import { died, fakePauses, heldLoad, pass, restartable, settle } from '../../support/restartable.js';
import { record } from '../observe/recorder.js';

beforeEach(() => fakePauses());
afterEach(() => jest.useRealTimers());

describe("with sampling: 'reload'", () => {
  const options: LoadModelOptions = { sampling: 'reload', temperature: 0.5 };
  const fixed = { perRequestSampling: false };

  test('what was loaded last is loaded again', async () => {
    const { model, engine, crash } = await restartable(options, { capabilities: fixed });
    const first = model.generate('Hi', { temperature: 1 });
    await settle();
    await crash();
    await pass(500);
    expect(engine.loads.map(({ sampling }) => sampling.temperature)).toEqual([0.5, 1, 1]);
    engine.run.write('a');
    engine.run.end();
    const { text, timings } = await first;
    expect([text, timings.reloadMs]).toEqual(['a', undefined]);
    const second = model.generate('Hi');
    await settle();
    expect(engine.loads.at(-1)?.sampling).toEqual({ temperature: 0.5 });
    engine.run.end();
    await second;
  });

  test('an engine that dies while it is freed is no crash', async () => {
    const { model, engine } = await restartable(options, { capabilities: fixed });
    const { die } = engine;
    engine.onDispose = () => die(died);
    const generation = model.generate('Hi', { temperature: 1 });
    await settle();
    expect(generation.state).toBe('prefill');
    engine.run.end();
    await generation;
    expect([model.state, engine.loads.length]).toEqual(['ready', 2]);
  });

  test('an engine that dies while it is loaded with other sampling comes back with that before', async () => {
    const load = heldLoad();
    const { model, engine } = await restartable(options, { capabilities: fixed, ...load });
    const generation = model.generate('Hi', { temperature: 1 });
    await settle();
    await load.end(died);
    expect([model.state, generation.state]).toEqual(['restarting', 'queued']);
    await pass(500);
    await load.end();
    expect(engine.loads.map(({ sampling }) => sampling.temperature)).toEqual([0.5, 0.5]);
    expect(generation.state).toBe('queued');
    await load.end(); // now with that of the generation
    expect(engine.loads.at(-1)?.sampling).toEqual({ temperature: 1 });
    engine.run.write('a');
    engine.run.end();
    expect((await generation).text).toBe('a');
  });
});

interface RuntimeWorld {
  readonly model: Model;
  readonly runtime: ModelRuntime;
  readonly engine: ManualBackend;
  /** Of all the engines. */
  readonly batches: ManualRun[];
  /** How many engines were there when they were called. */
  readonly calls: { readonly engines: number; readonly result: Deferred<number> }[];
  readonly crash: () => Promise<void>;
}

/** An engine with batches and one call. */
async function runtimeWorld(): Promise<RuntimeWorld> {
  const engine = new ManualBackend({ recoverable: true, capabilities: { batchSize: 1 } });
  const batches: ManualRun[] = [];
  const calls: RuntimeWorld['calls'] = [];
  const backend: Backend = {
    name: 'batches',
    load: async (request) => {
      const loaded = await engine.load(request);
      const engines = engine.loads.length;
      const kvCacheSize = (): Promise<number> => {
        const result = deferred<number>();
        calls.push({ engines, result });
        return result.promise;
      };
      const startBatch = ({ maxNewTokens }: BatchRequest): ManualRun => {
        const run = new ManualRun({ input: { type: 'text', text: '' }, maxNewTokens, sampling: {} }, true);
        batches.push(run);
        return run;
      };
      const runtime = { has: () => true, embeddingWidth: engines * 8, kvCacheSize } as unknown as RuntimeControls;
      return { ...loaded, runtime, startBatch };
    },
  };
  const model = await loadModel(undefined, { backend, onCrash: 'restart' });
  if (model.runtime === undefined) throw new Error('no runtime');
  const crash = async (): Promise<void> => {
    for (const run of batches) run.fail(died);
    for (const { result } of calls) result.reject(died);
    engine.die(died);
    await settle();
  };
  return { model, runtime: model.runtime, engine, batches, calls, crash };
}

describe('a batch', () => {
  const ask = ({ runtime }: RuntimeWorld): Promise<unknown> => runtime.generateBatch([{ prompt: 'Hi' }]);

  test('of which nothing had come is served again, once', async () => {
    const world = await runtimeWorld();
    const answers = ask(world);
    await settle();
    await world.crash();
    expect(world.model).toMatchObject({ state: 'restarting', pending: 1 });
    await pass(500);
    world.batches[1]?.write('a');
    world.batches[1]?.end();
    expect(await answers).toMatchObject([{ text: 'a', finishReason: 'stop' }]);
    const unlucky = failureOf(() => ask(world));
    await settle();
    await world.crash();
    await pass(1000);
    await world.crash();
    expect(await unlucky).toBe(died);
    expect(world.batches).toHaveLength(4);
  });

  test('of which a row had begun fails', async () => {
    const world = await runtimeWorld();
    const answers = failureOf(() => ask(world));
    await settle();
    world.batches[0]?.write('');
    await world.crash();
    expect(await answers).toBe(died);
    await pass(500);
    expect([world.model.state, world.batches.length]).toEqual(['ready', 1]);
  });

  test('that is disposed while it waits for the engine is refused', async () => {
    const world = await runtimeWorld();
    const answers = failureOf(() => ask(world));
    await settle();
    await world.crash();
    await world.model.dispose();
    expect(await answers).toMatchObject({ code: 'RKLLM_DISPOSED' });
  });
});

test('a call of model.runtime is not made again, but one that waited is made to the new engine', async () => {
  const { model, runtime, calls, engine, crash } = await runtimeWorld();
  const running = failureOf(() => runtime.kvCacheSize());
  const waiting = runtime.kvCacheSize();
  await settle();
  await crash();
  expect(await running).toBe(died);
  await pass(500);
  expect(calls.map(({ engines }) => engines)).toEqual([1, 2]);
  calls[1]?.result.resolve(5);
  expect(await waiting).toBe(5);
  expect(model.state).toBe('ready');
  expect(engine.loads[1]?.npu).toMatchObject({ embeddingWidth: 8 }); // what was learned of the first one
});

describe('what is told', () => {
  test('channels: a restart is a load of its own, and what is served again waits again', async () => {
    const load = heldLoad();
    const { model, crash, engine } = await restartable({ topK: 5 }, load);
    const recorder = record();
    const generation = model.generate('Hi');
    const other = model.generate('Hi');
    await crash();
    await pass(500);
    await load.end(died);
    await pass(1000);
    await load.end();
    engine.run.end();
    await generation;
    engine.run.end();
    await other;
    expect(recorder.namesOf(generation.id)).toEqual([
      ...['generate:start', 'queue:started', 'generate:end', 'queue:added', 'queue:started'],
      ...['generate:asyncStart', 'generate:asyncEnd'],
    ]);
    expect(recorder.of('queue:added')).toMatchObject([
      { id: other.id, position: 0, pending: 1 },
      { id: generation.id, position: 0, pending: 2, active: 0 },
    ]);
    const common = { operation: 'restart', backend: 'restartable', options: { onCrash: 'restart', topK: 5 } };
    expect(recorder.of('load:asyncEnd')).toMatchObject([
      { ...common, state: 'failed', error: died },
      { ...common, state: 'done', result: model.info },
    ]);
  });

  /** What is logged from now on. */
  class Lines {
    readonly lines: [message: string, fields: LogFields][] = [];
    readonly debug = this.#keep('debug');
    readonly info = this.#keep('info');
    readonly warn = this.#keep('warn');
    readonly error = this.#keep('error');

    get messages(): string[] {
      return this.lines.map(([message]) => message);
    }

    #keep(level: string): (fields: LogFields, message: string) => void {
      return (fields, message) => void this.lines.push([`${level}: ${message}`, fields]);
    }
  }

  test('log: each crash with the pause that follows, and the end once', async () => {
    const logger = new Lines();
    const { model, crash } = await restartable({ logger, restart: { maxCrashes: 3, delayMs: 20 } });
    logger.lines.length = 0;
    for (const ms of [20, 40, 60]) {
      await crash();
      await pass(ms);
    }
    const failure = await failureOf(() => model.generate('Hi'));
    const restarted = ['warn: engine died, will be loaded again', 'debug: restart started', 'info: restart finished'];
    expect(logger.messages).toEqual([...restarted, ...restarted, 'error: model failed']);
    const ofModel = { model: 'manual-phi3' };
    expect([0, 3, 6].map((line) => logger.lines[line]?.[1])).toEqual([
      { ...ofModel, crashes: 1, delayMs: 20, err: died },
      { ...ofModel, crashes: 2, delayMs: 40, err: died },
      { ...ofModel, err: failure },
    ]);
  });

  test('log: no pause where none follows, because the model is being disposed', async () => {
    const logger = new Lines();
    const { model, crash } = await restartable({ logger });
    const generation = model.generate('Hi');
    logger.lines.length = 0;
    const disposal = model.dispose();
    await crash();
    await disposal;
    expect(await failureOf(() => generation)).toBe(died);
    expect(logger.messages).toEqual(['error: model failed', 'error: generation failed']);
  });

  test('a logger may dispose the model when it hears of the crash', async () => {
    let disposal: Promise<void> | undefined;
    const nothing = (): void => undefined;
    const warn = (): void => void (disposal = model.dispose());
    const logger = { debug: nothing, info: nothing, warn, error: nothing };
    const { model, engine, crash } = await restartable({ logger });
    const generation = model.generate('Hi');
    await crash();
    await disposal;
    expect(await failureOf(() => generation)).toBe(died);
    await turn();
    expect([model.state, engine.loads.length, jest.getTimerCount()]).toEqual(['disposed', 1, 0]);
  });
});
