import { subscribe, unsubscribe } from 'node:diagnostics_channel';
import { channels, RkllmError, type Generation, type QueueTrace } from 'rkllm';
import { manualModel } from '../../support/models.js';
import { codeOf, failureOf } from '../../support/reading.js';
import { record } from './recorder.js';

test('what waits is added, with its position, and started when its turn comes', async () => {
  const { model, backend } = await manualModel();
  const recorder = record();
  const [first, second, third] = ['1', '2', '3'].map((prompt) => model.generate(prompt)) as [
    Generation,
    Generation,
    Generation,
  ];
  const common = { model: 'manual-phi3', active: 1 };
  expect(recorder.of('queue:started')).toEqual([{ event: 'started', id: first.id, pending: 0, ...common }]);
  expect(recorder.of('queue:added')).toEqual([
    { event: 'added', id: second.id, position: 0, pending: 1, ...common },
    { event: 'added', id: third.id, position: 1, pending: 2, ...common },
  ]);
  backend.run.end();
  await first;
  expect(recorder.of('queue:started')[1]).toEqual({ event: 'started', id: second.id, pending: 1, ...common });
  await model.dispose({ abort: true });
  expect(recorder.namesOf(third.id)).toEqual([
    ...['generate:start', 'queue:added', 'generate:end', 'queue:refused'],
    ...['generate:error', 'generate:asyncStart', 'generate:asyncEnd'],
  ]);
});

describe('what never has the engine is refused, and it is said why:', () => {
  const reasons = (recorder: ReturnType<typeof record>): unknown[] =>
    (recorder.of('queue:refused') as Extract<QueueTrace, { event: 'refused' }>[]).map(({ reason }) => reason);

  test('the queue is full', async () => {
    const { model } = await manualModel({}, { queue: { maxPending: 0 } });
    model.generate('1');
    const recorder = record();
    expect(await codeOf(() => model.generate('2'))).toBe('RKLLM_QUEUE_FULL');
    expect(recorder.names).toEqual(['generate:start', 'queue:refused', 'generate:error', 'generate:end']);
    expect(recorder.of('generate:error')).toMatchObject([{ state: 'failed', error: { code: 'RKLLM_QUEUE_FULL' } }]);
    expect(reasons(recorder)).toEqual(['full']);
  });

  test('it waited too long', async () => {
    const { model } = await manualModel({}, { queue: { timeoutMs: 1 } });
    const recorder = record();
    model.generate('1');
    expect(await codeOf(() => model.generate('2'))).toBe('RKLLM_QUEUE_TIMEOUT');
    expect(reasons(recorder)).toEqual(['timeout']);
    expect(recorder.of('generate:error')).toMatchObject([{ error: { code: 'RKLLM_QUEUE_TIMEOUT' } }]);
  });

  test('the model was disposed', async () => {
    const { model } = await manualModel();
    const recorder = record();
    model.generate('1');
    model.generate('2');
    await model.dispose({ abort: true });
    expect(reasons(recorder)).toEqual(['disposed']);
    expect(recorder.of('generate:error')).toMatchObject([{ state: 'failed', error: { code: 'RKLLM_DISPOSED' } }]);
  });

  test.each(['abort', 'signal'])('it was aborted (%s)', async (how) => {
    const { model } = await manualModel();
    const recorder = record();
    const controller = new AbortController();
    model.generate('1');
    const second = model.generate('2', { signal: controller.signal, onAbort: 'return' });
    if (how === 'abort') second.abort();
    else controller.abort();
    expect((await second).finishReason).toBe('abort');
    expect(reasons(recorder)).toEqual(['aborted']);
  });

  test('the model has failed', async () => {
    const { model, backend } = await manualModel();
    const recorder = record();
    model.generate('1');
    const second = model.generate('2');
    const died = new RkllmError('RKLLM_WORKER_FAILED', 'It died.', { hint: 'Load it again.' });
    backend.die(died);
    expect(await failureOf(() => second)).toBe(died);
    expect(reasons(recorder)).toEqual(['failed']);
  });
});

test('who is told of the queue may ask for more', async () => {
  const { model, backend } = await manualModel();
  const more: Generation[] = [];
  const ask = (message: unknown): void => {
    if ((message as QueueTrace).event === 'started' && more.length < 2) more.push(model.generate('more'));
  };
  subscribe(channels.queue.name, ask);
  try {
    const first = model.generate('first');
    expect(backend.runs).toHaveLength(1);
    backend.run.end();
    await first;
    expect(backend.runs).toHaveLength(2);
    expect(more.map(({ queuePosition }) => queuePosition)).toEqual([undefined, 0]);
  } finally {
    unsubscribe(channels.queue.name, ask);
    await model.dispose({ abort: true });
  }
});

describe('who is told of a generation may dispose its model:', () => {
  /** Does something once, at the first message of the channel that it is for. */
  async function once(
    channel: string | symbol,
    event: string | undefined,
    act: () => void,
    during: () => Promise<void>,
  ) {
    let hasActed = false;
    const listener = (message: unknown): void => {
      if (hasActed || (event !== undefined && (message as QueueTrace).event !== event)) return;
      hasActed = true;
      act();
    };
    subscribe(channel, listener);
    try {
      await during();
    } finally {
      unsubscribe(channel, listener);
    }
    expect(hasActed).toBe(true);
  }

  test.each([
    ['when the call ends', channels.generate.end.name, undefined],
    ['when it has the engine', channels.queue.name, 'started'],
  ])('%s, it is stopped', async (_, channel, event) => {
    const { model, backend } = await manualModel();
    const dispose = (): void => void model.dispose({ abort: true });
    await once(channel, event, dispose, async () => {
      const generation = model.generate('1');
      expect(backend.run.aborts).toBe(1);
      expect((await generation).finishReason).toBe('abort');
    });
    await model.dispose();
    expect(backend.disposals).toBe(1);
  });

  test('when one that waited is refused, the model takes no more', async () => {
    const { model, backend } = await manualModel();
    model.generate('1');
    const waiting = model.generate('2');
    let more: Promise<unknown> | undefined;
    const ask = (): void => void (more = codeOf(() => model.generate('more')));
    await once(channels.queue.name, 'refused', ask, async () => {
      const disposal = model.dispose({ abort: true });
      expect(model.dispose()).toBe(disposal);
      expect(await more).toBe('RKLLM_DISPOSED');
      expect(await codeOf(() => waiting)).toBe('RKLLM_DISPOSED');
      await disposal;
    });
    expect(backend.runs).toHaveLength(1);
    expect(backend.disposals).toBe(1);
  });
});
