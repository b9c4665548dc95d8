import { RkllmError, type ChatSession, type Generation, type Model, type RkllmErrorCode } from 'rkllm';
import type { ManualBackend } from '../support/manual-backend.js';
import { manualModel } from '../support/models.js';
import { codeOf, collect } from '../support/reading.js';

const died = new RkllmError('RKLLM_WORKER_FAILED', 'The worker is gone.', { hint: 'Load the model again.' });

interface World {
  readonly model: Model;
  readonly backend: ManualBackend;
  readonly chat: ChatSession;
}

/** Every method of a model, in every state: what comes out of it. */
const modelStates: Record<Model['state'], (world: World) => void | Promise<void>> = {
  ready: () => undefined,
  busy: ({ model }) => void model.generate('Hi'),
  restarting: ({ backend }) => {
    backend.die(died);
  },
  disposing: ({ model }) => {
    model.generate('Hi');
    void model.dispose();
  },
  disposed: ({ model }) => model.dispose(),
  failed: ({ backend }) => {
    backend.die(died);
  },
};

type Outcome = 'ok' | RkllmErrorCode;
const modelMethods: [string, (world: World) => unknown, Record<Model['state'], Outcome>][] = [
  ['generate()', ({ model }) => model.generate('Hi').state, outcomes('ok', 'ok')],
  [
    'generate() with a bad option',
    ({ model }) => model.generate('Hi', { topK: 0 }),
    outcomes('RKLLM_INVALID_OPTION', 'RKLLM_INVALID_OPTION'),
  ],
  ['chat()', ({ model }) => model.chat().messages, outcomes('ok', 'ok')],
  ['send() of a chat', ({ chat }) => chat.send('Hi').state, outcomes('ok', 'ok')],
  ['reset() of a chat', ({ chat }) => chat.reset(), everywhere('ok')],
  ['warm() of a chat', ({ chat }) => chat.warm(), outcomes('RKLLM_UNSUPPORTED_OPTION', 'RKLLM_UNSUPPORTED_OPTION')],
  ['messages of a chat', ({ chat }) => chat.messages, everywhere('ok')],
  ['dispose()', endAnd((model) => model.dispose()), everywhere('ok')],
  ['dispose({ abort: true })', ({ model }) => model.dispose({ abort: true }), everywhere('ok')],
  ['await using', ({ model }) => model[Symbol.asyncDispose](), everywhere('ok')],
  ['info and capabilities', ({ model }) => [model.info.name.length, model.capabilities.slots], everywhere('ok')],
  ['pending', ({ model }) => model.pending, everywhere('ok')],
];

function outcomes(ready: Outcome, busy: Outcome): Record<Model['state'], Outcome> {
  const gone = 'RKLLM_DISPOSED';
  return { ready, busy, restarting: busy, disposing: gone, disposed: gone, failed: 'RKLLM_WORKER_FAILED' };
}

function everywhere(outcome: Outcome): Record<Model['state'], Outcome> {
  const alive = { ready: outcome, busy: outcome, restarting: outcome };
  return { ...alive, disposing: outcome, disposed: outcome, failed: outcome };
}

/** Calls, then lets the running generation come to its end. */
function endAnd(call: (model: Model) => Promise<void>): (world: World) => Promise<void> {
  return async ({ model, backend }) => {
    const called = call(model);
    for (const run of backend.runs) run.end();
    await called;
  };
}

async function outcomeOf(action: () => unknown): Promise<Outcome> {
  let outcome: Outcome | undefined;
  const code = await codeOf(async () => {
    await action();
    outcome = 'ok';
    throw died;
  });
  return outcome ?? code;
}

describe.each(Object.keys(modelStates) as Model['state'][])('a model that is %s', (state) => {
  test.each(modelMethods)('%s', async (_, call, expected) => {
    const onCrash = state === 'restarting' ? 'restart' : 'fail';
    const { model, backend } = await manualModel({ recoverable: true }, { onCrash });
    const world = { model, backend, chat: model.chat() };
    await modelStates[state](world);
    await Promise.resolve();
    expect(model.state).toBe(state);
    expect(await outcomeOf(() => call(world))).toBe(expected[state]);
    await model.dispose({ abort: true });
    expect(model).toMatchObject({ state: 'disposed', pending: 0 });
    expect(backend.disposals).toBe(1);
  });
});

/** A generation is a thenable: in an object it can be returned from an async function without being awaited. */
interface Held {
  readonly generation: Generation;
}

const generationStates: Record<Generation['state'], (world: World) => Held | Promise<Held>> = {
  queued: ({ model }) => {
    model.generate('first');
    return { generation: model.generate('second') };
  },
  prefill: ({ model }) => ({ generation: model.generate('Hi') }),
  decode: async ({ model, backend }) => {
    const generation = model.generate('Hi');
    backend.run.write('a');
    await new Promise(setImmediate);
    return { generation };
  },
  aborting: async ({ model, backend }) => {
    const generation = model.generate('Hi');
    backend.run.write('a');
    await new Promise(setImmediate);
    generation.abort();
    return { generation };
  },
  done: async ({ model, backend }) => {
    const generation = model.generate('Hi');
    backend.run.end();
    await generation;
    return { generation };
  },
  aborted: async ({ model }) => {
    const generation = model.generate('Hi');
    generation.abort();
    await generation;
    return { generation };
  },
  failed: async ({ model, backend }) => {
    const generation = model.generate('Hi');
    backend.run.fail(died);
    await generation.result().catch(() => undefined);
    return { generation };
  },
};

const ways: [string, (generation: Generation) => unknown, 'outcome' | 'ok'][] = [
  ['result()', (generation) => generation.result(), 'outcome'],
  ['text()', (generation) => generation.text(), 'outcome'],
  ['iterating', (generation) => collect(generation), 'outcome'],
  ['reading a branch of tee()', (generation) => collect(generation.tee()[1]), 'outcome'],
  ['reading toReadableStream()', (generation) => collect(generation.toReadableStream()), 'outcome'],
  ['cancelling toReadableStream()', (generation) => generation.toReadableStream().cancel(), 'ok'],
  ['result() of handle()', (generation) => generation.handle().result(), 'outcome'],
  ['iterating handle()', (generation) => collect(generation.handle()), 'outcome'],
  ['abort()', (generation) => generation.abort(), 'ok'],
  ['await using', (generation) => generation[Symbol.asyncDispose](), 'ok'],
  ['id', (generation) => generation.id, 'ok'],
  ['textStream', (generation) => generation.textStream, 'ok'],
];

describe.each(Object.keys(generationStates) as Generation['state'][])('a generation that is %s', (state) => {
  test.each(ways)('%s', async (_, use, expected) => {
    const { model, backend } = await manualModel({ endsOnAbort: state !== 'aborting' });
    const { generation } = await generationStates[state]({ model, backend, chat: model.chat() });
    expect(generation.state).toBe(state);
    const outcome = outcomeOf(() => use(generation));
    await Promise.resolve();
    while (model.state === 'busy') {
      backend.run.end();
      await new Promise(setImmediate);
    }
    expect(await outcome).toBe(state === 'failed' && expected === 'outcome' ? died.code : 'ok');
    expect(['done', 'aborted', 'failed']).toContain(generation.state);
    expect(model).toMatchObject({ state: 'ready', pending: 0 });
  });
});
