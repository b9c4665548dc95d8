import { inspect } from 'node:util';
import { loadModel, RkllmError, type Logger } from 'rkllm';
import { scripted } from 'rkllm/testing';
import { manualModel, scriptedModel } from '../../support/models.js';
import { codeOf, failureOf } from '../../support/reading.js';

/** Keeps the lines: level, message, fields. */
class Lines implements Logger {
  readonly lines: [level: string, message: string, fields: Record<string, unknown>][] = [];
  debug = this.#keep('debug');
  info = this.#keep('info');
  warn = this.#keep('warn');
  error = this.#keep('error');

  get messages(): string[] {
    return this.lines.map(([level, message]) => `${level}: ${message}`);
  }

  #keep(level: string): Logger['info'] {
    return (fields, message) => void this.lines.push([level, message, fields]);
  }
}

test('what is logged of a model that works', async () => {
  const logger = new Lines();
  const model = await scriptedModel({ reply: 'private', name: 'my-model' }, { logger, maxNewTokens: 5 });
  const generation = model.generate('private', { temperature: 0 });
  const { usage, timings } = await generation;
  const stopped = model.generate('private');
  stopped.abort();
  await stopped;
  await model.dispose();
  expect(logger.messages).toEqual([
    ...['debug: load started', 'info: load finished', 'debug: generation finished', 'debug: generation aborted'],
  ]);
  const [started, loaded, finished] = logger.lines;
  expect(started?.[2]).toEqual({ path: undefined, backend: 'scripted', options: { maxNewTokens: 5 } });
  expect(loaded?.[2]).toMatchObject({ ...model.info, durationMs: expect.any(Number) as number });
  const { id } = generation;
  const figures = { finishReasons: ['length'], usage, timings, durationMs: expect.any(Number) as number };
  expect(finished?.[2]).toMatchObject({
    id,
    operation: 'generate',
    model: 'my-model',
    ...figures,
    finishReasons: ['stop'],
  });
  expect(inspect(logger.lines, { depth: null })).not.toContain('private');
});

test('a load that fails, and one that is aborted', async () => {
  const logger = new Lines();
  const err = await failureOf(() => loadModel('/not/there', { logger }));
  await failureOf(() => scriptedModel({}, { logger, signal: AbortSignal.abort() }));
  expect(logger.lines).toEqual([
    ['debug', 'load started', { path: '/not/there', backend: 'auto', options: {} }],
    ['error', 'load failed', { path: '/not/there', backend: 'auto', durationMs: expect.any(Number) as number, err }],
    ['debug', 'load started', { path: undefined, backend: 'scripted', options: {} }],
    ['debug', 'load aborted', { path: undefined, backend: 'scripted', durationMs: expect.any(Number) as number }],
  ]);
});

test('a generation that fails', async () => {
  const logger = new Lines();
  const model = await scriptedModel({ failAfterTokens: 0 }, { logger });
  const generation = model.generate('Hi');
  const err = await failureOf(() => generation);
  expect(logger.lines.at(-1)).toEqual([
    ...['error', 'generation failed'],
    { id: generation.id, operation: 'generate', model: 'scripted', durationMs: expect.any(Number) as number, err },
  ]);
});

test('a full queue', async () => {
  const logger = new Lines();
  const { model } = await manualModel({}, { logger, queue: { maxPending: 0 } });
  model.generate('1');
  expect(await codeOf(() => model.generate('2'))).toBe('RKLLM_QUEUE_FULL');
  const fields = { id: expect.any(String) as string, model: 'manual-phi3', pending: 0, active: 1 };
  expect(logger.lines.at(-1)).toEqual(['warn', 'queue full', fields]);
});

test('a model that dies', async () => {
  const logger = new Lines();
  const { model, backend } = await manualModel({}, { logger });
  const err = new RkllmError('RKLLM_RUNTIME_HUNG', 'It hangs.', { hint: 'Restart.' });
  const generation = model.generate('1');
  backend.die(err);
  backend.run.fail(err);
  expect(await failureOf(() => generation)).toBe(err);
  expect(logger.messages.slice(2)).toEqual(['error: model failed', 'error: generation failed']);
  expect(logger.lines[2]?.[2]).toEqual({ model: 'manual-phi3', err });
});

test('a reload', async () => {
  const logger = new Lines();
  const capabilities = { perRequestSampling: false };
  const model = await scriptedModel({ reply: 'a', capabilities }, { logger, sampling: 'reload' });
  await model.generate('Hi', { temperature: 0 });
  expect(logger.messages.slice(2)).toEqual([
    'debug: reload started',
    'info: reload finished',
    'debug: generation finished',
  ]);
});

test('without a logger nothing is printed, whatever happens', async () => {
  const written: unknown[] = [];
  const spies = [
    ...[process.stdout, process.stderr].map((stream) =>
      jest.spyOn(stream, 'write').mockImplementation((text) => written.push(text) > 0),
    ),
    ...(['debug', 'info', 'log', 'warn', 'error'] as const).map((level) =>
      jest.spyOn(console, level).mockImplementation((...args) => written.push(args)),
    ),
  ];
  try {
    const model = await scriptedModel({ replies: ['a', { failAfterTokens: 0 }] });
    await model.generate('Hi');
    await failureOf(() => model.generate('Hi'));
    await failureOf(() => loadModel('/not/there'));
    await model.dispose();
  } finally {
    for (const spy of spies) spy.mockRestore();
  }
  expect(written).toEqual([]);
});

test.each([
  [
    'throws',
    (error: Error): never => {
      throw error;
    },
  ],
  ['rejects', async (error: Error): Promise<void> => Promise.reject(error)],
])('a logger that %s is reported once, and nothing else becomes of it', async (_, fail) => {
  const warnings: unknown[] = [];
  const spy = jest.spyOn(process, 'emitWarning').mockImplementation((...args: unknown[]) => void warnings.push(args));
  try {
    let calls = 0;
    const explode = (): unknown => fail(new Error(`call ${++calls}`));
    const logger = { debug: explode, info: explode, warn: explode, error: explode };
    const model = await loadModel(undefined, { backend: scripted({ reply: 'a' }), logger });
    expect((await model.generate('Hi')).text).toBe('a');
    await model.dispose();
    expect(calls).toBe(3);
  } finally {
    spy.mockRestore();
  }
  expect(warnings).toEqual([
    [
      expect.stringContaining('logger'),
      { type: 'RkllmWarning', code: 'RKLLM_LOGGER', detail: expect.stringContaining('call 1') as string },
    ],
  ]);
});
