import { copyFileSync, mkdirSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { doctor as publicDoctor, type Check, type CheckStatus, type DoctorOptions, type DoctorReport } from 'rkllm';
import { doctor, type Surroundings } from '../../../lib/doctor/doctor.js';
import { boards, machineOf, type BoardFixture, type BoardName } from '../../support/boards.js';
import { codeOf } from '../../support/reading.js';
import { root } from '../../support/run-node.js';

const fake = (name: string): string => path.join(root, 'build', 'Release', 'fake', `librkllmrt-${name}.so`);

interface Choices {
  readonly options?: DoctorOptions;
  readonly around?: Partial<Surroundings>;
  /** The stand-in that lies in `/usr/lib` of the machine; undefined: none. */
  readonly runtime?: string | undefined;
}

function examine(fixture: BoardFixture, { options, around, runtime = '1.2.3' }: Choices = {}): Promise<DoctorReport> {
  const machine = machineOf(fixture);
  if (runtime !== 'none') {
    const library = path.join(machine.root, 'usr', 'lib', 'librkllmrt.so');
    mkdirSync(path.dirname(library), { recursive: true });
    copyFileSync(fake(runtime), library);
  }
  return doctor(options, {
    machine,
    env: {},
    addon: () => ({ available: true }),
    ort: () => ({ version: '1.30.0', hasBinary: true }),
    ...around,
  });
}

function find({ checks }: DoctorReport, id: string): Check | undefined {
  return checks.find((check) => check.id === id);
}

const ids = ['platform', 'addon', 'chip', 'driver', 'devices', 'runtime'];
const resources = ['memory', 'open-files', 'cpus', 'clocks', 'cpu-backend'];
const letters: Readonly<Record<CheckStatus, string>> = { ok: '.', warn: 'w', fail: 'F', skip: '-' };

/** In the order of {@link ids} and {@link resources}. */
const verdicts: Readonly<Record<BoardName, string>> = {
  rk3588: '...........',
  rk3588s: '...........',
  rk3576: '...........',
  rk3562: '...........',
  rv1126b: '...........',
  rk3566: '..---.----.',
  laptop: '..---.----.',
  'driver 0.8.2': '...w.......',
  'driver 0.9.6': '...w.......',
  'driver 0.9.7': '...........',
  'no driver': '...F-......',
  'mainline rocket': '...F-......',
  'no permission': '....F......',
  'no device nodes': '....F......',
  'a node without DRM': '...........',
  'a linked node': '....w......',
  'debugfs only': '...........',
  'a driver without a version': '...-.......',
  'a container without device tree': '..F........',
  'an empty container': '..---.----.',
  'low memory': '...........',
  'a memory limit': '...........',
  'few open files': '.......w...',
  'a raised limit': '.......w...',
  'one CPU': '........w..',
  'small CPUs': '........w..',
  'slow clocks': '...........',
  nothing: '..---.----.',
};

test.each(Object.entries(verdicts) as [BoardName, string][])('%s: %s', async (name, statuses) => {
  const report = await examine(boards[name]);
  expect(report.checks.map(({ id }) => id)).toEqual([...ids, ...resources]);
  expect(report.checks.map(({ status }) => letters[status]).join('')).toBe(statuses);
  expect(report).toMatchObject({ ok: !statuses.includes('F'), npu: !statuses.startsWith('..-') });
  expect(JSON.parse(JSON.stringify(report))).toEqual(report);
});

describe('in one sentence', () => {
  test.each<[BoardName, string]>([
    ['rk3588s', 'The NPU of this RK3588S is ready as far as can be seen.'],
    ['one CPU', 'The NPU of this RK3588 is ready as far as can be seen. One thing stands out.'],
    ['laptop', 'No NPU here, and none is needed: models run on the CPU.'],
    ['no driver', 'One thing keeps it from working.'],
  ])('%s: %s', async (name, summary) => {
    expect((await examine(boards[name])).summary).toBe(summary);
  });

  test('several things', async () => {
    const tree = { ...boards['no driver'].tree, '/proc/self/limits': 'Max open files  1024  4096  files\n' };
    const report = await examine({ tree }, { runtime: 'none' });
    expect(report.summary).toBe('2 things keep it from working. One thing stands out.');
  });
});

test('where an NPU is required, a laptop fails', async () => {
  expect(await examine(boards.laptop, { options: { requireNpu: true } })).toMatchObject({ ok: false, npu: false });
});

describe('the platform', () => {
  const status = async (name: BoardName, machine: Partial<BoardFixture['machine']>): Promise<unknown> =>
    find(await examine({ ...boards[name], machine: { ...machine } }), 'platform')?.status;

  test('needs a Node.js that is not too old', async () => {
    expect(await status('laptop', { nodeVersion: '18.18.2' })).toBe('fail');
    expect(await status('laptop', { nodeVersion: '18.19.0' })).toBe('ok');
  });

  test('needs 64 bits and glibc on a board, and nowhere else', async () => {
    expect(await status('rk3588', { arch: 'arm' })).toBe('fail');
    expect(await status('rk3588', { glibcVersion: undefined })).toBe('fail');
    expect(await status('laptop', { arch: 'x64', glibcVersion: undefined })).toBe('ok');
    expect(await status('laptop', { platform: 'darwin', glibcVersion: undefined })).toBe('ok');
  });
});

describe('the addon and the CPU backend', () => {
  const addon = (): { available: false; reason: string; packages: string[] } => ({
    available: false,
    reason: 'No native build was found\n and more',
    packages: ['g++', 'make'],
  });

  test.each<[BoardName, CheckStatus]>([
    ['rk3588', 'fail'],
    ['laptop', 'skip'],
  ])('an addon that is missing on %s: %s', async (name, status) => {
    expect(find(await examine(boards[name], { around: { addon } }), 'addon')).toMatchObject({
      status,
      found: 'No native build was found',
      fix: '`sudo apt-get install g++ make && npm run build:native`',
    });
  });

  test.each<[BoardName, ReturnType<Surroundings['ort']>, CheckStatus]>([
    ['rk3588', undefined, 'skip'],
    ['laptop', undefined, 'fail'],
    ['laptop', { version: '1.30.0', hasBinary: false }, 'fail'],
    ['laptop', { version: '1.17.0', hasBinary: true }, 'fail'],
    ['rk3588', { version: '1.17.0', hasBinary: true }, 'skip'],
    ['laptop', { version: '2.0.0', hasBinary: true }, 'warn'],
    ['laptop', { version: '1.25.0', hasBinary: true }, 'ok'],
  ])('onnxruntime-node on %s (%j): %s', async (name, ort, status) => {
    expect(find(await examine(boards[name], { around: { ort: () => ort } }), 'cpu-backend')?.status).toBe(status);
  });
});

describe('the runtime', () => {
  test.each([
    ['1.1.1', 'ok', /^1\.1\.1: /u],
    ['1.2.1b1', 'ok', /^1\.2\.1b1: /u],
    ['1.3.1', 'ok', /^1\.3\.1: /u],
    ['1.1.1-unstated', 'ok', /^1\.1\.x, not stated/u],
    ['1.2.0-unstated', 'ok', /^1\.2\.0 or 1\.2\.1b1, not stated/u],
    ['1.3.0-unstated', 'ok', /^1\.2\.1 or later, not stated/u],
    ['1.3.1-future', 'fail', /^1\.4\.0, which is not spoken \(1\.1\.0 to 1\.3\.1 are\)/u],
    ['1.0.1', 'fail', /^1\.0\.x, which is not spoken/u],
    ['other', 'fail', /is another library$/u],
  ])('%s: %s', async (runtime, status, found) => {
    const check = find(await examine(boards.rk3588, { runtime }), 'runtime');
    expect(check?.status).toBe(status);
    expect(check?.found).toMatch(found);
  });

  test('that is missing on a board fails', async () => {
    const check = find(await examine(boards.rk3588, { runtime: 'none' }), 'runtime');
    expect(check).toMatchObject({
      status: 'fail',
      found: expect.stringMatching(/^no librkllmrt\.so in .*usr\/lib/u) as string,
      fix: expect.stringContaining('sudo cp librkllmrt.so /usr/lib/') as string,
    });
  });

  test('that is missing on a laptop does not matter', async () => {
    const check = find(await examine(boards.laptop, { runtime: 'none' }), 'runtime');
    expect(check).toMatchObject({ status: 'skip', found: 'none that can be used, and none is needed' });
  });

  test('that was asked for has to be there, on any computer', async () => {
    const report = await examine(boards.laptop, { options: { runtimePath: '/not/there.so' } });
    expect(find(report, 'runtime')?.status).toBe('fail');
    const byName = await examine(boards.laptop, { around: { env: { RKLLM_RUNTIME_PATH: '/not/there.so' } } });
    expect(find(byName, 'runtime')?.status).toBe('skip');
    const found = await examine(boards.laptop, { around: { env: { RKLLM_RUNTIME_PATH: fake('1.3.0') } } });
    expect(find(found, 'runtime')?.found).toBe(`1.3.0: ${fake('1.3.0')}`);
  });

  test('that cannot be one is named', async () => {
    const machine = machineOf(boards.rk3588);
    mkdirSync(path.join(machine.root, 'usr', 'lib'), { recursive: true });
    writeFileSync(path.join(machine.root, 'usr', 'lib', 'librkllmrt.so'), '<html>');
    const around = { machine, env: {}, addon: () => ({ available: true }) as const, ort: () => undefined };
    expect(find(await doctor({}, around), 'runtime')?.found).toMatch(/librkllmrt\.so: a text file/u);
  });

  test('that needs a library that is not there', async () => {
    const machine = machineOf(boards.rk3588);
    const library = path.join(machine.root, 'usr', 'lib', 'librkllmrt.so');
    mkdirSync(path.dirname(library), { recursive: true });
    copyFileSync(fake('1.2.3'), library);
    writeFileSync(library, '\0libgomp.so.1\0', { flag: 'a' });
    const around = { machine, env: {}, addon: () => ({ available: true }) as const, ort: () => undefined };
    expect(find(await doctor({}, around), 'runtime')).toMatchObject({
      status: 'warn',
      fix: '`sudo apt-get install libgomp1`',
    });
    writeFileSync(path.join(machine.root, 'usr', 'lib', 'libgomp.so.1'), '');
    expect(find(await doctor({}, around), 'runtime')?.status).toBe('ok');
  });
});

describe('a model', () => {
  const directory = machineOf({ tree: {} }).root;
  const model = path.join(directory, 'Phi-3-mini-4k-rk3588-w8a8-v1.2.3.rkllm');
  writeFileSync(model, 'weights');
  const ofModel = ({ checks }: DoctorReport): string[] =>
    checks.filter(({ id }) => id.startsWith('model.')).map(({ id, status }) => `${id} ${status}`);

  test('is looked at between the runtime and the memory', async () => {
    const report = await examine(boards.rk3588, { options: { model } });
    const at = report.checks.findIndex(({ id }) => id === 'model.file');
    expect([report.checks[at - 1]?.id, report.checks[at + 6]?.id]).toEqual(['runtime', 'memory']);
    expect(ofModel(report)).toEqual([
      'model.file ok',
      'model.chip ok',
      'model.quantization ok',
      'model.release ok',
      'model.context ok',
      'model.checksum skip',
    ]);
    expect(find(report, 'memory')?.found).toContain('1.5 GiB for 4096 tokens of context');
  });

  test('is compared with the board and the runtime', async () => {
    const report = await examine(boards.rk3576, { options: { model, maxContextLength: 8192 }, runtime: '1.1.1' });
    expect(ofModel(report)).toEqual([
      'model.file ok',
      'model.chip warn',
      'model.quantization ok',
      'model.release warn',
      'model.context warn',
      'model.checksum skip',
    ]);
    expect(report.ok).toBe(true);
  });

  test('that needs more memory than there is', async () => {
    expect(find(await examine(boards['low memory'], { options: { model } }), 'memory')?.status).toBe('warn');
    expect(find(await examine(boards['a memory limit'], { options: { model } }), 'memory')?.status).toBe('warn');
  });

  test('that is not whole fails', async () => {
    const report = await examine(boards.rk3588, { options: { model, modelBytes: 4_000_000_000 } });
    expect([report.ok, ...ofModel(report)]).toEqual([false, 'model.file fail']);
  });

  test('of the environment is looked at, too', async () => {
    const report = await examine(boards.rk3588, { around: { env: { RKLLM_MODEL: model } } });
    expect(ofModel(report)).toHaveLength(6);
    expect(ofModel(await examine(boards.rk3588, { around: { env: { RKLLM_MODEL: '' } } }))).toEqual([]);
  });

  test('for the CPU', async () => {
    const embedded = path.join(root, 'models', 'tiny-phi3');
    expect(ofModel(await examine(boards.laptop, { options: { model: embedded } }))).toEqual(['model.file ok']);
    const report = await examine(boards.laptop, { options: { model: '/not/there' } });
    expect([report.ok, ...ofModel(report)]).toEqual([false, 'model.file fail']);
  });
});

test('whatever the model is called, nothing is thrown', async () => {
  const names = ['', 'a\0b', 'x'.repeat(5000), '/', '/dev/null', '/proc/self/mem', 'y'.repeat(245)];
  for (const name of names.flatMap((text) => [text, `${text}.rkllm`]).filter((text) => text !== '')) {
    const { checks } = await examine(boards.rk3588, { options: { model: name } });
    expect(checks.map(({ id }) => id)).toContain('model.file');
  }
});

describe('doctor() of the package', () => {
  test('looks at this computer', async () => {
    const report = await publicDoctor();
    expect(report.checks.map(({ id }) => id)).toEqual(expect.arrayContaining([...ids, ...resources]));
    expect(find(report, 'platform')?.found).toContain(process.version.slice(1));
    expect(find(report, 'cpu-backend')?.found).toContain('onnxruntime-node');
  });

  test.each<[string, unknown]>([
    ['RKLLM_UNKNOWN_OPTION', { modle: 'x' }],
    ['RKLLM_INVALID_OPTION', { model: 5 }],
  ])('rejects with %s', async (code, options) => {
    expect(await codeOf(() => publicDoctor(options as DoctorOptions))).toBe(code);
  });
});
