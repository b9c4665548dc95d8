import { isRkllmError, loadModel, type Backend, type Model, type RkllmErrorCode } from 'rkllm';
import { scripted } from 'rkllm/testing';
import { checkOptions } from '../../lib/options/check.js';
import { generateTable } from '../../lib/options/generate.js';
import { codeOf, failureOf } from '../support/reading.js';
import { signal, tables, type Values } from './option-values.js';

function rows(values: Readonly<Record<string, Values>>, kind: keyof Values): [string, unknown][] {
  return Object.entries(values).flatMap(([name, cases]) =>
    cases[kind].map((value): [string, unknown] => [name, value]),
  );
}

describe.each(tables)('the options of %s', (owner, table, values) => {
  test.each(rows(values, 'good'))('%s may be %p', (name, value) => {
    expect(checkOptions(owner, table, { [name]: value })).toEqual({ [name]: value });
  });

  test.each(rows(values, 'bad'))('%s may not be %p', async (name, value) => {
    const error = await failureOf(() => checkOptions(owner, table, { [name]: value }));
    expect(error).toMatchObject({ name: 'RkllmError', code: 'RKLLM_INVALID_OPTION' });
    expect((error as Error).message).toContain(owner);
    expect((error as Error).message).toContain(name);
  });

  test('undefined is as good as absent', () => {
    const absent = Object.fromEntries(Object.keys(table).map((name) => [name, undefined]));
    expect(checkOptions(owner, table, absent)).toEqual({});
    expect(checkOptions(owner, table, undefined)).toEqual({});
  });

  test.each([0, 5, '5', '', null, true, [], [5], () => 5, signal, new Map(), Promise.resolve({})])(
    'they may not be %p',
    async (options) => {
      expect(await codeOf(() => checkOptions(owner, table, options))).toBe('RKLLM_INVALID_OPTION');
    },
  );

  test.each(['nope', 'constructor', '__proto__', 'toString', ''])('%p is not one of them', async (name) => {
    const options: unknown = JSON.parse(`{ "${name}": 1 }`);
    const error = await failureOf(() => checkOptions(owner, table, options));
    expect(error).toMatchObject({ code: 'RKLLM_UNKNOWN_OPTION', details: { option: name } });
    expect(isRkllmError(error) && error.hint).toContain(Object.keys(table)[0]);
  });
});

test('how a model is restarted is refused where it is not', async () => {
  const backend = scripted();
  for (const onCrash of [undefined, 'fail'] as const) {
    const error = await failureOf(() => loadModel(undefined, { backend, onCrash, restart: { delayMs: 0 } }));
    expect(error).toMatchObject({ code: 'RKLLM_INVALID_OPTION', details: { option: 'restart' } });
  }
  expect(backend.loads).toEqual([]);
});

test('options without a prototype are options', () => {
  const options: unknown = Object.assign(Object.create(null) as object, { maxNewTokens: 5 });
  expect(checkOptions('generate()', generateTable, options)).toEqual({ maxNewTokens: 5 });
});

test('options that are inherited are refused rather than overlooked', async () => {
  const options: unknown = Object.create({ maxNewTokens: 5 });
  expect(await codeOf(() => checkOptions('generate()', generateTable, options))).toBe('RKLLM_INVALID_OPTION');
});

test('an error in a group says where it is', async () => {
  const error = await failureOf(() => loadModel(undefined, { backend: scripted(), queue: { maxPending: -1 } }));
  expect((error as Error).message).toContain('loadModel() queue: maxPending');
});

test('what was given instead is named', async () => {
  const options = { signal: new AbortController() };
  const error = await failureOf(() => checkOptions('generate()', generateTable, options));
  expect((error as Error).message).toMatch(/signal must be an AbortSignal.*AbortController/u);
});

describe('where they are checked', () => {
  const started: string[] = [];
  let model: Model;

  beforeAll(async () => {
    model = await loadModel(undefined, { backend: scripted({ onRun: (prompt) => started.push(prompt) }) });
  });
  afterAll(() => model.dispose());

  const calls: [string, (options: object) => unknown, object, RkllmErrorCode][] = [
    ['generate()', (options) => model.generate('Hi', options), { maxNewTokens: 0 }, 'RKLLM_INVALID_OPTION'],
    ['generate()', (options) => model.generate('Hi', options), { maxTokens: 5 }, 'RKLLM_UNKNOWN_OPTION'],
    ['send()', (options) => model.chat().send('Hi', options), { topP: 0 }, 'RKLLM_INVALID_OPTION'],
    ['chat()', (options) => model.chat(options), { sistem: 'x' }, 'RKLLM_UNKNOWN_OPTION'],
  ];

  test.each(calls)('%s throws at once and the engine is not asked', (_, call, options, code) => {
    expect(() => call(options)).toThrow(expect.objectContaining({ code }) as Error);
    expect(started).toEqual([]);
    expect(model).toMatchObject({ state: 'ready', pending: 0 });
  });

  test('loadModel() rejects and the backend is not asked', async () => {
    const asked: unknown[] = [];
    const backend: Backend = {
      name: 'spy',
      load: (request) => {
        asked.push(request);
        return Promise.reject(new Error('asked'));
      },
    };
    expect(await codeOf(() => loadModel(undefined, { backend, topK: 0 }))).toBe('RKLLM_INVALID_OPTION');
    expect(asked).toEqual([]);
  });

  test.each([5, '', null, {}, [], new URL('file:///model')])('a path may not be %p', async (path) => {
    expect(await codeOf(() => loadModel(path as string, { backend: scripted() }))).toBe('RKLLM_INVALID_INPUT');
  });
});
