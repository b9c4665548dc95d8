import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { root, runModule, runNode, runScript } from '../support/run-node.js';

interface Manifest {
  readonly main: string;
  readonly types: string;
  readonly bin: Readonly<Record<string, string>>;
  readonly exports: Readonly<Record<string, string | Readonly<Record<string, Readonly<Record<string, string>>>>>>;
}

const manifest = JSON.parse(readFileSync(path.join(root, 'package.json'), 'utf8')) as Manifest;

/** What a program prints as JSON. */
async function resultOf(run: typeof runModule, source: string): Promise<unknown> {
  const { code, stdout, stderr } = await run(source);
  expect({ code, stderr }).toEqual({ code: 0, stderr: '' });
  return JSON.parse(stdout);
}

const requiring = `const { createRequire } = await import('node:module');
  const require = createRequire(process.cwd() + '/');`;

test.each([
  [
    'rkllm',
    [
      'RkllmError',
      'channels',
      'defineTool',
      'doctor',
      'errorCodes',
      'isRkllmError',
      'loadModel',
      'toGenAiAttributes',
      'toGenAiMetrics',
    ],
  ],
  ['rkllm/testing', ['conformance', 'manualClock', 'scripted']],
])('%s: import and require give the same things', async (name, names) => {
  const source = `${requiring} const imported = await import('${name}'); const required = require('${name}');
    const { default: _, 'module.exports': __, __esModule: ___, ...named } = imported;
    console.log(JSON.stringify({ names: Object.keys(named).sort(), required: Object.keys(required).sort(),
      same: Object.keys(named).every((key) => imported[key] === required[key]) }));`;
  expect(await resultOf(runModule, source)).toEqual({ names, required: names, same: true });
});

test('an error that was made by one copy is known to the other', async () => {
  const source = `${requiring} const { isRkllmError, RkllmError } = await import('rkllm');
    const error = await require('rkllm').loadModel('/not/there').catch((error) => error);
    console.log(JSON.stringify([isRkllmError(error, 'RKLLM_MODEL_NOT_FOUND'), error instanceof RkllmError]));`;
  expect(await resultOf(runModule, source)).toEqual([true, true]);
});

describe.each([
  ['require', runScript, (name: string): string => `require('${name}');`],
  [
    'import',
    runModule,
    (name: string): string => `await import('${name}'); const { createRequire } = await import('node:module');
    const require = createRequire(process.cwd() + '/');`,
  ],
])('%s', (_, run, load) => {
  test.each(['rkllm', 'rkllm/testing'])(
    'of %s loads neither onnxruntime-node nor the addon, and starts nothing',
    async (name) => {
      const source = `${load(name)}
      console.log(JSON.stringify({
        modules: Object.keys(require.cache).filter((file) => /onnxruntime|\\.node$|@huggingface/.test(file)),
        libraries: process.report.getReport().sharedObjects.filter((file) => /onnxruntime|rkllm.*\\.(node|so)/.test(file)),
        active: process.getActiveResourcesInfo().filter((type) => !/Pipe|TTY|Close/.test(type)),
      }));`;
      expect(await resultOf(run, source)).toEqual({ modules: [], libraries: [], active: [] });
    },
  );

  const loadedBy = async (name: string): Promise<string[]> => {
    const source = `${load(name)} console.log(JSON.stringify(Object.keys(require.cache).sort()));`;
    const files = (await resultOf(run, source)) as string[];
    return files.map((file) => path.relative(root, file));
  };

  test('of rkllm loads next to nothing before a model is asked for', async () => {
    expect(await loadedBy('rkllm')).toEqual(['dist/errors.js', 'dist/index.js']);
  });

  test('of rkllm/testing loads nothing of the models and engines', async () => {
    const files = await loadedBy('rkllm/testing');
    expect(files.filter((file) => file.startsWith('node_modules'))).toEqual([
      'node_modules/fastest-levenshtein/mod.js',
    ]);
    const ofModels = /load-model|loaded-model|active-generation|backends.(?:onnx|rkllm)/u;
    expect(files.filter((file) => ofModels.test(file))).toEqual([]);
    expect(files).toContain('dist/testing.js');
  });
});

test('in a Jest project without a configuration a model can be loaded', async () => {
  const project = mkdtempSync(path.join(tmpdir(), 'rkllm-jest-'));
  try {
    mkdirSync(path.join(project, 'node_modules'));
    symlinkSync(root, path.join(project, 'node_modules', 'rkllm'));
    writeFileSync(path.join(project, 'package.json'), '{}');
    const source = `const { loadModel } = require('rkllm'); const { scripted } = require('rkllm/testing');
      test('answers', async () => {
        const model = await loadModel(undefined, { backend: scripted({ reply: 'Hello' }) });
        expect((await model.generate('hi')).text).toBe('Hello');
        await model.dispose();
      });`;
    writeFileSync(path.join(project, 'answers.test.js'), source);
    const jest = path.join(root, 'node_modules', 'jest', 'bin', 'jest.js');
    const { code, stderr } = await runNode([
      jest,
      '--config',
      JSON.stringify({ rootDir: project }),
      '--watchman=false',
    ]);
    expect({ code, stderr }).toEqual({ code: 0, stderr: expect.stringContaining('1 passed, 1 total') as string });
  } finally {
    rmSync(project, { recursive: true });
  }
});

test('what is for tests is loaded by rkllm/testing only', async () => {
  const source = `const loaded = () => Object.keys(require.cache).filter((file) => /conformance|scripted/.test(file)).length;
    require('rkllm'); const before = loaded(); require('rkllm/testing');
    console.log(JSON.stringify([before, loaded() > 5]));`;
  expect(await resultOf(runScript, source)).toEqual([0, true]);
});

test('nothing else of the package can be imported', async () => {
  const source = `const names = ['rkllm/dist/model.js', 'rkllm/lib/model.ts', 'rkllm/dist/index.js'];
    const codes = await Promise.all(names.map((name) => import(name).then(() => 'imported', ({ code }) => code)));
    console.log(JSON.stringify(codes));`;
  expect(await resultOf(runModule, source)).toEqual(Array(3).fill('ERR_PACKAGE_PATH_NOT_EXPORTED'));
});

test('every file that package.json names is there', () => {
  const targets = Object.values(manifest.exports).flatMap((entry) =>
    typeof entry === 'string' ? [entry] : Object.values(entry).flatMap((conditions) => Object.values(conditions)),
  );
  const files = [manifest.main, manifest.types, ...Object.values(manifest.bin), ...targets];
  expect(files.filter((file) => !existsSync(path.join(root, file)))).toEqual([]);
});

test('the command is executable by its first line', () => {
  const [command = ''] = Object.values(manifest.bin);
  expect(readFileSync(path.join(root, command), 'utf8')).toMatch(/^#!\/usr\/bin\/env node\n/u);
});
