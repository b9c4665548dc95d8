import {
  diagnose,
  initFailedSilently,
  knownLines,
  warningsIn,
  type DiagnosisContext,
} from '../../../lib/backends/rkllm/diagnosis/index.js';
import type { RuntimeLogLine } from '../../../lib/backends/rkllm/runtime-log/line.js';
import { LogLines } from '../../../lib/backends/rkllm/runtime-log/log-lines.js';
import {
  parse,
  explain,
  opening,
  badAddress,
  noMemory,
  tooManyFiles,
  noModule,
  noDevice,
  notLoaded,
  assertion,
} from './runtime-lines.js';

describe('every known line', () => {
  test.each(knownLines.map((known) => ({ known, example: known.example })))('$example', ({ known, example }) => {
    const lines = parse('something else', example, 'rkllm init failed');
    const context: DiagnosisContext = { phase: 'load' };
    const found = known.weight === 'warning' ? warningsIn(lines, context) : [diagnose(lines, context)];
    expect(found).toHaveLength(1);
    expect(found[0]).toMatchObject({ code: known.code });
    const { summary = '', hint = '', details = {} } = found[0] ?? {};
    expect(details['runtimeLine']).toContain(parse(example)[0]?.text);
    for (const text of [summary, hint]) {
      expect(text).toMatch(/^\S.*[.=\w]$/u);
      expect(text).not.toMatch(/undefined|NaN|\?/u);
    }
    expect(Object.values(details)).not.toContain(undefined);
    expect(JSON.stringify(details)).not.toMatch(/null|NaN/u);
    expect(known.weight === 'warning' ? diagnose(lines, context) : warningsIn(lines, context)).toEqual(
      known.weight === 'warning' ? undefined : [],
    );
  });

  test('is told from the others', () => {
    const fitting = (example: string): number =>
      knownLines.filter(({ pattern }) => pattern.test(parse(example)[0]?.text ?? '')).length;
    expect(knownLines.filter(({ example }) => fitting(example) > 1).map(({ example }) => example)).toEqual([]);
  });
});

describe('what is found', () => {
  test.each<[string, string[], string, Record<string, unknown>]>([
    [
      'a context that is too large',
      [...opening(), "E rkllm: max_context[16384] must be less than the model's max_context_limit[4096]"],
      'RKLLM_INVALID_OPTION',
      { option: 'maxContextLength', given: 16384, limit: 4096 },
    ],
    [
      'too few CPUs',
      [
        ...opening(),
        'I rkllm: Enabled cpus: [4, 5]',
        'I rkllm: Enabled cpus num: 2',
        'E rkllm: The number of enabled CPUs must be greater than or equal to the number of NPU cores.',
      ],
      'RKLLM_INVALID_OPTION',
      { option: 'cpus', npuCores: 3, enabledCpus: 2 },
    ],
    [
      'no NPU memory',
      [...opening(), badAddress, noMemory, ...notLoaded],
      'RKLLM_NPU_MEMORY',
      { size: 3085697024, driverVersion: '0.9.8' },
    ],
    [
      'no NPU memory, as 1.1.4 says it',
      [
        'I rkllm: rkllm-runtime version: 1.1.4, rknpu driver version: 0.9.6, platform: RK3588',
        '',
        badAddress,
        noMemory,
        'E RKNN: [19:58:54.145] load model file error!',
        'rknn_init fail! ret=-1',
      ],
      'RKLLM_NPU_MEMORY',
      { size: 3085697024, driverVersion: '0.9.6' },
    ],
    [
      'only that a handle could not be made',
      [...opening(), badAddress, ...notLoaded],
      'RKLLM_NPU_MEMORY',
      { errno: 14, driverVersion: '0.9.8' },
    ],
    [
      'memory of a domain',
      ['can not create weight memory for domain2', ...notLoaded],
      'RKLLM_NPU_MEMORY',
      { domain: 2 },
    ],
    [
      'too many open files, though they end as a lack of memory',
      [tooManyFiles, 'E RKNN: [10:49:05.216] failed to malloc npu memory, size: 80, flags: 0xa', ...notLoaded],
      'RKLLM_TOO_MANY_OPEN_FILES',
      {},
    ],
    [
      'no driver',
      [noModule, noDevice, 'E RKNN: [12:35:17.533] Device is not available', 'Get device properties failed'],
      'RKLLM_DRIVER_NOT_FOUND',
      {},
    ],
    [
      'no permission',
      ["E RKNN: [1:2:3.4] failed to open '/dev/dri/renderD129': Permission denied", noDevice],
      'RKLLM_NPU_ACCESS_DENIED',
      {},
    ],
    [
      'no permission, by its other number',
      ['E RKNN: failed to open rknn device, ret: -1, errno: 1, errstr: Operation not permitted'],
      'RKLLM_NPU_ACCESS_DENIED',
      {},
    ],
    ['too many open files by their number', ['failed to create fd, errno: 24'], 'RKLLM_TOO_MANY_OPEN_FILES', {}],
    [
      'a board that the runtime does not know',
      ['Platform error: must be either RK3588, RK3576, RV1126B, or RK3562.', 'Your platform is lite.'],
      'RKLLM_PLATFORM_UNSUPPORTED',
      { platform: 'lite', supported: ['RK3588', 'RK3576', 'RV1126B', 'RK3562'] },
    ],
    [
      'a board that the runtime cannot tell',
      ['rkllm-runtime version: 1.0.1', '', 'Query platform error!'],
      'RKLLM_PLATFORM_UNSUPPORTED',
      {},
    ],
    [
      'a model that is too old, which also has no platform',
      [
        'Warning: The model version is too old, please use the latest toolkit to reconvert the model!',
        'The model target_platform does not match!',
        "RKLLM: failed to load model 'qwen.rkllm'!!!",
      ],
      'RKLLM_MODEL_INCOMPATIBLE',
      { runtimeLine: expect.stringContaining('too old') as string },
    ],
    [
      'a model for another SoC',
      [...opening({ target: 'RK3576' }), 'The model target_platform does not match!'],
      'RKLLM_MODEL_INCOMPATIBLE',
      { targetPlatform: 'RK3576', platform: 'RK3588' },
    ],
    [
      'a file that is no model',
      [
        'I rkllm: rkllm-runtime version: 1.1.2, rknpu driver version: 0.9.8, platform: RK3588',
        ": invalid magic characters '\uFFFD\u0314'",
      ],
      'RKLLM_MODEL_INVALID',
      { runtimeVersion: '1.1.2' },
    ],
    [
      'a file that is not there',
      ["E rkllm: failed to open './qwen.rkllm'"],
      'RKLLM_MODEL_NOT_FOUND',
      { path: './qwen.rkllm' },
    ],
    ['nothing but that it failed', [...opening(), ...notLoaded], 'RKLLM_INIT_FAILED', {}],
    [
      "a runtime's own death",
      [...opening(), assertion],
      'RKLLM_RUNTIME_CRASHED',
      { assertion: 'view_src == NULL || data_size == 0' },
    ],
    [
      'an assertion as older ggml words it',
      ['GGML_ASSERT: ggml.c:3812: view_src == NULL'],
      'RKLLM_RUNTIME_CRASHED',
      { assertion: 'ggml.c:3812: view_src == NULL' },
    ],
    [
      'why it died, if it says so',
      [...opening(), noMemory, ...notLoaded, assertion],
      'RKLLM_NPU_MEMORY',
      { size: 3085697024 },
    ],
  ])('%s', (_, lines, code, details) => {
    expect(explain(lines)).toMatchObject({ code, details });
  });

  test.each<[string, string[], string, Record<string, unknown>]>([
    [
      'a prompt that is too long',
      ['error: prompt gather than max context (prompt: 1299 tokens, max context: 1020)'],
      'RKLLM_CONTEXT_OVERFLOW',
      { promptTokens: 1299, contextLength: 1020 },
    ],
    [
      'a file of the run that is not there',
      ["E rkllm: failed to open 'adapter.rkllm'"],
      'RKLLM_INVALID_INPUT',
      { path: 'adapter.rkllm' },
    ],
    [
      'a job that the NPU did not finish',
      ['E RKNN: [1:2:3.4] failed to submit!, op id: 0, op name: MatMul, flags: 0x5, task start: 0'],
      'RKLLM_RUN_FAILED',
      { operation: 'MatMul' },
    ],
  ])('in a run: %s', (_, lines, code, details) => {
    expect(explain(lines, { phase: 'run' })).toMatchObject({ code, details });
  });
});

describe('nothing is made of', () => {
  test.each<[string, string[]]>([
    ['no lines', []],
    [
      'a load that went well',
      [...opening(), 'I rkllm: Enabled cpus: [4, 5, 6, 7]', 'I rkllm: Using mrope', 'rkllm init success'],
    ],
    [
      'half a line',
      ['E rkllm: max_context[16384] must be less', 'E RKNN: failed to mall', 'error: prompt gather than max'],
    ],
    ['an affinity that could not be set', ['W rkllm: sched_setaffinity failed, err: 22']],
    ['noise', ['0.1 + 0.2', '\uFFFD\uFFFD', 'errno: 0', 'node: warning']],
  ])('%s', (_, lines) => {
    for (const phase of ['load', 'run'] as const) expect(explain(lines, { phase })).toBeUndefined();
    expect(warningsIn(parse(...lines), { phase: 'load' })).toEqual([]);
    expect(initFailedSilently(parse(...lines))).toBe(false);
  });
});

test('a line that is cut short by the death of the runtime is read as far as it goes', () => {
  const lines: RuntimeLogLine[] = [];
  const reader = new LogLines('stdout', (line) => lines.push(line));
  for (const byte of Buffer.from(`${opening().join('\n')}\n${noMemory.slice(0, -12)}`)) reader.write(Buffer.of(byte));
  reader.end();
  expect(diagnose(lines, { phase: 'load' })).toMatchObject({ code: 'RKLLM_NPU_MEMORY', details: { size: 3085697024 } });
});
