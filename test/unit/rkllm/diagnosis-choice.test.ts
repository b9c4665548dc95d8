import {
  diagnose,
  initFailedSilently,
  warningsIn,
  type DiagnosisContext,
} from '../../../lib/backends/rkllm/diagnosis/index.js';
import { factsIn, type RuntimeFacts } from '../../../lib/backends/rkllm/diagnosis/runtime-facts.js';
import {
  parse,
  explain,
  opening,
  tooOldDriver,
  badAddress,
  noMemory,
  tooManyFiles,
  noModule,
  noDevice,
  notLoaded,
  assertion,
} from './runtime-lines.js';

describe('the driver', () => {
  const matmul = 'E rkllm: matmul(w8a8) run failed';

  test.each<[string, string[], RuntimeFacts | undefined, string]>([
    [
      'is too old by the warning',
      [tooOldDriver, ...opening({ driver: '0.8.2' }), matmul],
      undefined,
      'RKLLM_DRIVER_TOO_OLD',
    ],
    ['is too old by its version', [matmul], { driverVersion: '0.9.6' }, 'RKLLM_DRIVER_TOO_OLD'],
    ['is not known', [matmul], undefined, 'RKLLM_DRIVER_TOO_OLD'],
    ['is not known, as 1.1.x says it', ['matmul run failed'], undefined, 'RKLLM_DRIVER_TOO_OLD'],
    ['is new enough', [matmul], { driverVersion: '0.9.7' }, 'RKLLM_RUN_FAILED'],
    ['has a version that says nothing', [matmul], { driverVersion: 'unknown' }, 'RKLLM_DRIVER_TOO_OLD'],
  ])('when a run fails to compute, %s', (_, lines, facts, code) => {
    expect(explain(lines, { phase: 'run', facts })).toMatchObject({ code });
  });

  test('that is too old is named when there is no memory', () => {
    const old = explain([tooOldDriver, ...opening({ driver: '0.9.6' }), noMemory, ...notLoaded]);
    expect(old).toMatchObject({
      code: 'RKLLM_NPU_MEMORY',
      hint: expect.stringContaining('0.9.6 is older than 0.9.7') as string,
    });
    expect(explain([...opening(), noMemory, ...notLoaded])?.hint).not.toContain('older');
    expect(explain([tooOldDriver, noMemory, ...notLoaded])?.hint).toContain('is older than 0.9.7');
  });

  test('that is too old is no failure by itself', () => {
    const lines = parse(tooOldDriver, ...opening({ driver: '0.9.6' }));
    expect(diagnose(lines, { phase: 'load' })).toBeUndefined();
    expect(warningsIn(lines, { phase: 'load' })).toMatchObject([
      {
        code: 'RKLLM_DRIVER_TOO_OLD',
        details: { driverVersion: '0.9.6' },
        summary: expect.stringContaining('0.9.7') as string,
      },
    ]);
  });

  test.each([noModule, noDevice, 'E RKNN: Device is not available'])(
    'that the system has cannot be opened, though the runtime says: %s',
    (line) => {
      expect(explain([line], { installedDriver: '0.9.8' })).toMatchObject({
        code: 'RKLLM_NPU_ACCESS_DENIED',
        details: { driverVersion: '0.9.8' },
        hint: expect.stringContaining('usermod -aG render,video') as string,
      });
    },
  );
});

describe('a model that is newer than the runtime', () => {
  test.each([
    ['known from its file', ['E rkllm: invalid rkllm model!'], { runtimeVersion: '1.2.0', toolkitVersion: '1.2.1b1' }],
    ['known from the lines', [...opening({ runtime: '1.2.1b1', toolkit: '1.2.1' }), ...notLoaded], undefined],
    ['refused without a word', opening({ runtime: '1.2.3', toolkit: '1.3.0' }), undefined],
    ['ended by an assertion', [...opening({ runtime: '1.2.3', toolkit: '1.3.0' }), assertion], undefined],
  ])('%s', (_, lines, facts) => {
    const { runtimeVersion, toolkitVersion } = { ...facts, ...factsIn(parse(...lines)) };
    expect(explain(lines, { facts })).toMatchObject({
      code: 'RKLLM_MODEL_INCOMPATIBLE',
      details: { runtimeVersion, toolkitVersion },
    });
  });

  test.each(['1.2.3', '1.2.1b1', '1.1.4', 'unknown'])('is not suspected of toolkit %s on runtime 1.2.3', (toolkit) => {
    expect(explain([...opening({ toolkit }), ...notLoaded])).toMatchObject({ code: 'RKLLM_INIT_FAILED' });
    expect(explain(opening({ toolkit }))).toBeUndefined();
  });

  test('is not what fails a run', () => {
    expect(explain(opening({ toolkit: '1.3.0' }), { phase: 'run' })).toBeUndefined();
  });
});

test('a model for another SoC that is refused without a word', () => {
  expect(explain([...opening({ target: 'RK3576' }), ...notLoaded])).toMatchObject({
    code: 'RKLLM_MODEL_INCOMPATIBLE',
    details: { runtimeLine: 'E rkllm: rkllm_init failed' },
  });
});

describe('of several lines', () => {
  test('the last of those that explain the same counts', () => {
    const other = noMemory.replace('3085697024', '80');
    expect(explain([noMemory, other])?.details).toMatchObject({ size: 80 });
    expect(explain([other, noMemory])?.details).toMatchObject({ size: 3085697024 });
  });

  test.each([
    ['before', [tooManyFiles, noMemory, assertion, ...notLoaded]],
    ['after', [...notLoaded, assertion, noMemory, tooManyFiles]],
  ])('a cause counts, be it %s its consequences', (_, lines) => {
    expect(explain(lines)).toMatchObject({ code: 'RKLLM_TOO_MANY_OPEN_FILES' });
  });

  test('those of the last load count, and what an older one said does not', () => {
    const older = [...opening({ driver: '0.9.6' }), tooManyFiles, ...notLoaded];
    expect(explain([...older, ...opening(), noMemory, ...notLoaded])).toMatchObject({
      code: 'RKLLM_NPU_MEMORY',
      details: { driverVersion: '0.9.8' },
    });
    expect(explain([...older, ...opening()])).toBeUndefined();
  });

  test('the warning before the version is one of the same load', () => {
    const older = [tooOldDriver, ...opening({ driver: '0.9.6' })];
    const context: DiagnosisContext = { phase: 'load' };
    expect(warningsIn(parse(...older, ...older), context)).toHaveLength(1);
    expect(warningsIn(parse(...older, ...opening()), context)).toEqual([]);
  });

  test('several warnings are told, each once', () => {
    const template = 'W rkllm: Chat template auto-parsing failed: please configure it via rkllm_set_chat_template';
    const cache = 'W rkllm: The qwen35 model does not support saving prompt cache!';
    const found = warningsIn(parse(tooOldDriver, ...opening(), template, cache, cache), { phase: 'load' });
    expect(found.map(({ code }) => code)).toEqual([
      'RKLLM_DRIVER_TOO_OLD',
      'RKLLM_TEMPLATE_UNKNOWN',
      'RKLLM_UNSUPPORTED_OPTION',
    ]);
    expect(found[2]?.details).toMatchObject({ option: 'savePromptCache', architecture: 'qwen35' });
  });
});

describe('a load that returned 0 has failed all the same', () => {
  const version = 'I rkllm: rkllm-runtime version: 1.1.2, rknpu driver version: 0.9.8, platform: RK3588';

  test.each<[string, string[]]>([
    [
      '1.1.2 and no model',
      ['E RKNN: [08:48:14.826] invalid rknn llm model magic', 'rknn_init fail! ret=-1', 'rkllm init success'],
    ],
    ['1.1.2 and no memory', [noMemory, 'E RKNN: [08:48:14.826] load model file error!']],
    ['no device', [noDevice]],
    ['only the consequence', ['rknn_init fail! ret=-6']],
  ])('%s', (_, lines) => {
    expect(initFailedSilently(parse(version, ...lines))).toBe(true);
  });

  test.each<[string, string[]]>([
    ['one that went well', [version]],
    ['memory that was got at the second try', [version, 'can not create weight memory for domain1', badAddress]],
    ['a driver that is too old', [tooOldDriver, version]],
    ['one after another that failed', [version, noMemory, 'rknn_init fail! ret=-1', version]],
  ])('but not %s', (_, lines) => {
    expect(initFailedSilently(parse(...lines))).toBe(false);
  });
});

test('facts are what the lines of a load say', () => {
  const lines = [
    ...opening({ toolkit: '1.2.2' }),
    'I rkllm: Enabled cpus: [4, 5, 6, 7]',
    'I rkllm: Enabled cpus num: 4',
  ];
  expect(factsIn(parse(tooOldDriver, ...lines))).toEqual({
    runtimeVersion: '1.2.3',
    driverVersion: '0.9.8',
    driverWanted: '0.9.7',
    platform: 'RK3588',
    toolkitVersion: '1.2.2',
    targetPlatform: 'RK3588',
    contextLimit: 4096,
    npuCores: 3,
    modelType: 'W8A8_G128',
    enabledCpus: 4,
  });
  expect(
    factsIn(parse('I rkllm: rkllm-runtime version: 1.1.4, rknpu driver version: 0.9.6, platform: RK3576')),
  ).toEqual({
    runtimeVersion: '1.1.4',
    driverVersion: '0.9.6',
    platform: 'RK3576',
  });
  expect(factsIn([])).toEqual({});
});
