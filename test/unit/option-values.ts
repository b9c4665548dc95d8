/** Values that options take, and values that they refuse. */
import { scripted } from 'rkllm/testing';
import { chatTable } from '../../lib/options/chat.js';
import { generateTable } from '../../lib/options/generate.js';
import { batchTable } from '../../lib/options/batch.js';
import { embedTable, logitsTable } from '../../lib/options/embed.js';
import { doctorTable } from '../../lib/options/doctor.js';
import { loadTable, queueTable, restartTable } from '../../lib/options/load.js';
import { type mirostatTable, type npuRunTable, type npuTable } from '../../lib/options/npu.js';
import { paceTable } from '../../lib/options/pace.js';
import { type samplingTable } from '../../lib/options/sampling.js';
import type { OptionTable } from '../../lib/options/table.js';

export interface Values {
  readonly good: readonly unknown[];
  readonly bad: readonly unknown[];
}

export const signal = new AbortController().signal;
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
  adapters: {
    good: [
      [],
      [{ name: 'a', path: 'a.rkllm' }],
      [
        { name: 'a', path: 'x', scale: 0.5 },
        { name: 'b', path: 'x' },
      ],
    ],
    bad: [
      ...[
        null,
        'a',
        5,
        {},
        ['a'],
        [{ name: 'a' }],
        [{ path: 'x' }],
        [{ name: '', path: 'x' }],
        [{ name: 'a', path: '' }],
      ],
      ...[[{ name: 'a', path: 'x', scale: 1001 }], [{ name: 'a', path: 'x', scale: NaN }]],
      ...[
        [{ name: 'a', path: 'x', sacle: 1 }],
        [
          { name: 'a', path: 'x' },
          { name: 'a', path: 'y' },
        ],
      ],
    ],
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
  maxReasoningTokens: { good: [0, 1, 512], bad: [-1, 0.5, NaN, Infinity, '5', null, true, {}, []] },
  responseFormat: {
    good: [{ type: 'json' }, { type: 'json', schema: { type: 'string' }, maxRepairs: 0, instruct: false }],
    bad: ['json', 5, null, true, [], { type: 'text' }, { type: 'json', schema: 'x' }, { type: 'json', maxRepairs: 11 }],
  },
  tools: { good: [[], [{ name: 'a' }]], bad: ['', 0, null, true, {}, () => 5] },
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
  prefillChunk: { good: [1, 4096], bad: [0, -1, 4097, 1.5, ...notANumber] },
  threads: { good: [1, 256], bad: [0, -1, 257, 1.5, ...notANumber] },
  pace: {
    good: [{ preset: 'rk3588-phi3-w8a8' }, { decodeTokensPerSecond: 7 }],
    bad: [0, 5, 'rk3588-phi3-w8a8', null, true, [], [{}], () => 5],
  },
  runtimePath: { good: ['/usr/lib/librkllmrt.so'], bad: notAString },
  promptCacheFiles: {
    good: [{ directory: '/tmp/caches' }, { directory: '/tmp/caches', maxBytes: 1 }],
    bad: ['/tmp/caches', 5, null, true, [], { directory: '' }, { directory: '/tmp/caches', maxBytes: 0 }],
  },
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

const pace: Record<keyof typeof paceTable, Values> = {
  preset: { good: ['rk3588-phi3-w8a8', 'rk3576-phi3-w4a16'], bad: ['', 'rk3588', 0, null, true, {}, []] },
  prefillTokensPerSecond: { good: [0.001, 125.8, 1_000_000], bad: [0, -1, 1_000_001, ...notANumber] },
  decodeTokensPerSecond: { good: [0.001, 7.45, 1_000_000], bad: [0, -1, 1_000_001, ...notANumber] },
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
  lora: generate.lora,
};

const embed: Record<keyof typeof embedTable, Values> = {
  pooling: { good: ['last', 'mean'], bad: ['', 'max', ...notAString] },
  normalize: flag,
  signal: signals,
  onProgress: { good: [() => 5], bad: ['x', 0, null, true, {}, []] },
};

const logits: Record<keyof typeof logitsTable, Values> = { signal: signals };

const doctor: Record<keyof typeof doctorTable, Values> = {
  model: { good: ['phi-3.rkllm'], bad: notAString },
  modelBytes: { good: [1, 4e9], bad: [0, -1, 0.5, 2 ** 53, ...notANumber] },
  maxContextLength: load.maxContextLength,
  runtimePath: load.runtimePath,
  requireNpu: flag,
  verify: flag,
};

/** Every table, with who takes its options. */
export const tables: [string, OptionTable, Readonly<Record<string, Values>>][] = [
  ['loadModel()', loadTable, load],
  ['loadModel() queue', queueTable, queue],
  ['loadModel() restart', restartTable, restart],
  ['loadModel() pace', paceTable, pace],
  ['generate()', generateTable, generate],
  ['chat()', chatTable, chat],
  ['generateBatch()', batchTable, batch],
  ['embed()', embedTable, embed],
  ['logits()', logitsTable, logits],
  ['doctor()', doctorTable, doctor],
];
