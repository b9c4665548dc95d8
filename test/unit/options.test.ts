import { isRkllmError, loadModel, type Backend, type Model, type RkllmErrorCode } from 'rkllm';
import { scripted } from 'rkllm/testing';
import { chatTable } from '../../lib/options/chat.js';
import { checkOptions } from '../../lib/options/check.js';
import { generateTable } from '../../lib/options/generate.js';
import { batchTable } from '../../lib/options/batch.js';
import { doctorTable } from '../../lib/options/doctor.js';
import { loadTable, queueTable, restartTable } from '../../lib/options/load.js';
import { type mirostatTable, type npuRunTable, type npuTable } from '../../lib/options/npu.js';
import { type samplingTable } from '../../lib/options/sampling.js';
import type { OptionTable } from '../../lib/options/table.js';
import { codeOf, failureOf } from '../support/reading.js';

interface Values {
  readonly good: readonly unknown[];
  readonly bad: readonly unknown[];
}

const signal = new AbortController().signal;
const notANumber = ['5', '', null, NaN, Infinity, -Infinity, true, [], [5], {}, 5n, Symbol('5'), () => 5];
const notAString = [0, 5, NaN, null, true, '', [], ['x'], {}, 5n, Symbol('x'), () => 'x'];

const sampling: Record<keyof typeof samplingTable, Values> = {
  temperature: { good: [0, 0.7, 5], bad: [-1, -0.01, 5.01, ...notANumber] },
  topK: { good: [1, 40, 1_000_000], bad: [0, -1, 1.5, 1_000_001, ...notANumber] },
  topP: { good: [0.01, 1], bad: [0, -1, 1.01, ...notANumber] },
  repeatPenalty: { good: [0.5, 1, 10], bad: [0, -1, 10.1, ...notANumber] },
  frequencyPenalty: { good: [-2, 0, 2], bad: [-2.1, 2.1, ...notANumber] },
  presencePenalty: { good: [-2, 0, 2], bad: [-2.1, 2.1, ...notANumber] },
  seed: { good: [0, 42, 2 ** 32 - 1], bad: [-1, 0.5, 2 ** 32, ...notANumber] },
};

const maxNewTokens: Values = { good: [1, 256], bad: [0, -1, 1.5, 2 ** 53, ...notANumber] };
const signals: Values = {
  good: [signal, AbortSignal.abort()],
  bad: [0, -1, NaN, '5', null, true, {}, [], new AbortController(), new EventTarget(), { aborted: false }],
};

const aFunction: Values = { good: [() => [1], Object], bad: ['', 'encode', 1, null, true, {}, []] };
const flag: Values = { good: [true, false], bad: ['true', '', 0, 1, null, {}, []] };
const mirostat: Record<keyof typeof mirostatTable, Values> = {
  mirostat: { good: [0, 1, 2], bad: [-1, 0.5, 3, ...notANumber] },
  mirostatTau: { good: [0, 5, 100], bad: [-1, 101, ...notANumber] },
  mirostatEta: { good: [0, 0.1, 1], bad: [-0.1, 1.1, ...notANumber] },
};
const npu: Record<keyof typeof npuTable, Values> = {
  runtimeVersion: { good: ['1.1.0', '1.2.1b1', '1.3.1'], bad: ['', '1.0.1', '1.4.0', 'v1.2.0', 1.2, null, {}] },
  keepTokens: { good: [-1, 0, 100], bad: [-2, 0.5, ...notANumber] },
  embeddingWidth: { good: [1, 3072], bad: [0, -1, 0.5, ...notANumber] },
  abortTimeoutMs: { good: [1, 60_000], bad: [0, -1, 0.5, 2 ** 31, ...notANumber] },
  loadTimeoutMs: { good: [1, 60_000], bad: [0, -1, 0.5, 2 ** 31, ...notANumber] },
  stallTimeoutMs: { good: [1, 60_000], bad: [0, -1, 0.5, 2 ** 31, ...notANumber] },
  isolation: { good: ['process', 'none'], bad: ['', 'thread', true, null, 0, {}] },
  runtimeEnv: {
    good: [{}, { RKLLM_LOG_LEVEL: '1', EMPTY: '' }],
    bad: [null, 'A=1', ['A'], { A: 1 }, { A: undefined }, { 'A=B': '1' }, { '': '1' }, { A: 'a\0b' }, 5],
  },
  imageTags: { good: [{}, { start: '<a>' }, { end: '</a>', content: '.' }], bad: ['<a>', 5, null, true, [], () => 5] },
  skipSpecialTokens: flag,
  batchSize: { good: [1, 8], bad: [0, 9, 1.5, ...notANumber] },
  crossAttention: flag,
  ignoreEos: flag,
  baseDomainId: { good: [0, 15], bad: [-1, 16, 0.5, ...notANumber] },
  embedFlash: flag,
  cpus: { good: [[4, 5, 6, 7], [0]], bad: [[], [8], [-1], [1, 1], [0.5], ['4'], 4, '4', null, {}, new Array(1)] },
  tokenizer: aFunction,
  embedder: aFunction,
};
const npuRun: Record<keyof typeof npuRunTable, Values> = {
  enableThinking: flag,
  keepHistory: flag,
  role: { good: ['user', 'tool'], bad: ['', 'system', 0, null, true, {}] },
  stopBy: { good: ['abort', 'pause'], bad: ['', 'stop', 0, null, true, {}] },
  lora: { good: ['mine'], bad: notAString },
  savePromptCache: { good: ['/tmp/cache.bin'], bad: notAString },
};

const generate: Record<keyof typeof generateTable, Values> = {
  ...sampling,
  ...mirostat,
  ...npuRun,
  maxNewTokens,
  stop: {
    good: [[], ['a'], ['a', '\n\n']],
    bad: [0, -1, NaN, 'a', null, true, {}, [''], [5], ['a', null], ['a', undefined], new Array(2), new Set(['a'])],
  },
  stopTokenIds: {
    good: [[], [0], [32007, 2 ** 31 - 1]],
    bad: [0, -1, '5', null, true, {}, [-1], [0.5], ['5'], [2 ** 31], [undefined], new Array(1), Int32Array.of(5)],
  },
  reasoning: { good: ['text', 'split', 'split-open'], bad: ['', 'none', 0, null, true, {}, []] },
  toolCalls: { good: ['text', 'parse'], bad: ['', 'split', 0, null, true, {}, []] },
  signal: signals,
  onAbort: { good: ['throw', 'return'], bad: ['', 'Throw', 'resolve', 0, null, true, {}, []] },
};

const load: Record<keyof typeof loadTable, Values> = {
  ...sampling,
  ...mirostat,
  ...npu,
  maxNewTokens,
  backend: {
    good: ['auto', 'onnx', 'rkllm', scripted()],
    bad: ['', 'cpu', 'ONNX', 0, null, true, {}, [], { name: 'mine' }, { name: 5, load: () => 5 }, () => 5],
  },
  warmup: flag,
  onProgress: { good: [() => undefined], bad: ['', 0, null, true, {}, []] },
  logger: {
    good: [console, { debug: () => 5, info: () => 5, warn: () => 5, error: () => 5, fatal: 5 }],
    bad: ['', 'console', 0, null, true, {}, [], () => 5, { debug: () => 5, info: () => 5, warn: () => 5 }],
  },
  maxContextLength: { good: [16, 4096], bad: [0, -1, 15, 16.5, ...notANumber] },
  threads: { good: [1, 256], bad: [0, -1, 257, 1.5, ...notANumber] },
  runtimePath: { good: ['/usr/lib/librkllmrt.so'], bad: notAString },
  template: {
    good: ['auto', 'phi3', 'chatml', 'qwen2.5', 'none', 'runtime', { jinja: '{{ messages }}' }, { file: 'a.jinja' }],
    bad: ['', 'phi-3', 'qwen', 'jinja', 0, null, true, {}, [], { jinja: '' }, { jinja: 'a', file: 'b' }, { path: 'a' }],
  },
  sampling: { good: ['reject', 'reload'], bad: ['', 'Reload', 0, null, true, {}, []] },
  promptCacheDirectory: { good: ['/tmp'], bad: notAString },
  onCrash: { good: ['fail', 'restart'], bad: ['', 'Restart', 'reload', 0, null, true, {}, []] },
  restart: { good: [{}, { maxCrashes: 5 }, { delayMs: 0 }], bad: [0, 5, '5', null, true, [], [{}], () => 5] },
  queue: { good: [{}, { maxPending: 0 }, { timeoutMs: 1 }], bad: [0, 5, '5', null, true, [], [{}], () => 5] },
  signal: signals,
};

const queue: Record<keyof typeof queueTable, Values> = {
  maxPending: { good: [0, 16], bad: [-1, 0.5, ...notANumber] },
  timeoutMs: { good: [1, 1000], bad: [0, -1, 0.5, 2 ** 31, ...notANumber] },
};

const restart: Record<keyof typeof restartTable, Values> = {
  maxCrashes: { good: [2, 1_000_000], bad: [0, 1, -1, 2.5, 1_000_001, ...notANumber] },
  windowMs: { good: [1, 60_000], bad: [0, -1, 0.5, 2 ** 31, ...notANumber] },
  delayMs: { good: [0, 500], bad: [-1, 0.5, 2 ** 31, ...notANumber] },
  maxDelayMs: { good: [0, 30_000], bad: [-1, 0.5, 2 ** 31, ...notANumber] },
};

const batch: Record<keyof typeof batchTable, Values> = {
  maxNewTokens,
  signal: signals,
  onText: { good: [() => 5], bad: ['x', 0, null, true, {}, []] },
};

const chat: Record<keyof typeof chatTable, Values> = {
  system: { good: ['Be brief.'], bad: notAString },
  from: { good: [{ format: 'rkllm-chat', version: 1, messages: [] }], bad: ['{}', 5, true, null, []] },
  onContextFull: { good: ['error', 'drop-oldest-turns', () => []], bad: ['drop', '', 5, true, null, {}, []] },
  reserveTokens: { good: [1, 500], bad: [0, -1, 0.5, 1_000_000_001, ...notANumber] },
  partialAnswers: { good: ['keep', 'discard'], bad: ['', 'drop', ...notAString] },
};

const doctor: Record<keyof typeof doctorTable, Values> = {
  model: { good: ['phi-3.rkllm'], bad: notAString },
  modelBytes: { good: [1, 4e9], bad: [0, -1, 0.5, 2 ** 53, ...notANumber] },
  maxContextLength: load.maxContextLength,
  runtimePath: load.runtimePath,
  requireNpu: flag,
  verify: flag,
};

function rows(values: Readonly<Record<string, Values>>, kind: keyof Values): [string, unknown][] {
  return Object.entries(values).flatMap(([name, cases]) =>
    cases[kind].map((value): [string, unknown] => [name, value]),
  );
}

const tables: [string, OptionTable, Readonly<Record<string, Values>>][] = [
  ['loadModel()', loadTable, load],
  ['loadModel() queue', queueTable, queue],
  ['loadModel() restart', restartTable, restart],
  ['generate()', generateTable, generate],
  ['chat()', chatTable, chat],
  ['generateBatch()', batchTable, batch],
  ['doctor()', doctorTable, doctor],
];

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
