import { execFileSync } from 'node:child_process';
import { cpSync, mkdirSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { nativeAddonStatus } from '../../../lib/backends/rkllm/addon.js';
import { root, runNode } from '../../support/run-node.js';
import { directory, fakeRuntime } from './fake-model.js';

test('the addon that this test run uses is available', () => {
  expect(nativeAddonStatus()).toEqual({ available: true });
});

test('the addon links neither the vendor runtime nor the C++ library of the host', () => {
  const dynamic = execFileSync('readelf', ['-d', path.join(root, 'build', 'Release', 'rkllm.node')], {
    encoding: 'utf8',
  });
  expect(dynamic).not.toMatch(/rkllmrt|libstdc\+\+/u);
  expect(dynamic).toContain('NODELETE');
});

// A template of the C++ library that is exported gives way to node's, which is of another copy of that library.
test('the addon exports its entry points, and nothing else', () => {
  const file = path.join(root, 'build', 'Release', 'rkllm.node');
  const symbols = execFileSync('nm', ['-D', '--defined-only', '--format=posix', file], { encoding: 'utf8' });
  const names = symbols
    .trim()
    .split('\n')
    .map((line) => line.split(' ', 1)[0]);
  expect(names).toEqual(['napi_register_module_v1', 'node_api_module_get_api_version_v1']);
});

test('the fake runtime exports what 1.1.x exports, and nothing else', () => {
  const symbols = execFileSync('nm', ['-D', '--defined-only', '--format=posix', fakeRuntime('1.1.1')], {
    encoding: 'utf8',
  });
  const names = symbols
    .trim()
    .split('\n')
    .map((line) => line.split(' ', 1)[0]);
  expect(names.sort()).toEqual([
    'rkllm_abort',
    'rkllm_createDefaultParam',
    'rkllm_destroy',
    'rkllm_init',
    'rkllm_is_running',
    'rkllm_load_lora',
    'rkllm_load_prompt_cache',
    'rkllm_release_prompt_cache',
    'rkllm_run',
    'rkllm_run_async',
  ]);
});

describe('without a build of the addon', () => {
  /** The package as it is on a machine without a compiler and without a prebuild. */
  const bare = path.join(directory, 'package');
  beforeAll(() => {
    mkdirSync(path.join(bare, 'node_modules'), { recursive: true });
    cpSync(path.join(root, 'dist'), path.join(bare, 'dist'), { recursive: true });
    writeFileSync(path.join(bare, 'package.json'), '{"name":"rkllm","type":"commonjs"}');
    for (const dependency of ['node-gyp-build', 'fastest-levenshtein']) {
      const installed = path.join('node_modules', dependency);
      symlinkSync(path.join(root, installed), path.join(bare, installed));
    }
  });

  async function inBare(expression: string, env: NodeJS.ProcessEnv = {}): Promise<unknown> {
    const model = path.join(directory, 'any.rkllm');
    writeFileSync(model, '#fake-rkllm');
    const program = `const addon = require(${JSON.stringify(path.join(bare, 'dist/backends/rkllm/addon.js'))});
      const { createRkllmBackend } = require(${JSON.stringify(path.join(bare, 'dist/backends/rkllm/index.js'))});
      const load = () => createRkllmBackend().load({ path: ${JSON.stringify(model)}, sampling: {}, runtimePath: ${JSON.stringify(fakeRuntime('1.1.1'))} });
      (async () => console.log(JSON.stringify(await ${expression})))();`;
    const { stdout, stderr } = await runNode(['-e', program], { env });
    expect(stderr).toBe('');
    return JSON.parse(stdout);
  }

  test('the status says why and what to install', async () => {
    expect(await inBare('addon.nativeAddonStatus()')).toEqual({
      available: false,
      reason: expect.stringContaining(`${process.platform}-${process.arch}`) as string,
      packages: ['g++', 'make', 'cmake'],
    });
  });

  const facts = 'load().catch(({ code, message, hint, details }) => ({ code, message, hint, details }))';
  const prebuilds = path.join('prebuilds', `${process.platform}-${process.arch}`);

  test('a load says where, what and how', async () => {
    const tried = [
      path.join(bare, 'build', 'Release'),
      path.join(bare, 'build', 'Debug'),
      path.join(bare, prebuilds),
      path.join(path.dirname(process.execPath), prebuilds),
    ];
    const told = (await inBare(facts)) as { readonly message: string };
    const glibc = (process.report.getReport() as { header: Record<string, string> }).header['glibcVersionRuntime'];
    expect(told.message).toContain(
      `for ${process.platform}-${process.arch} (glibc ${glibc ?? ''}), Node.js ${process.version}`,
    );
    expect(told.message).toContain(tried.join(', '));
    expect(told).toEqual({
      code: 'RKLLM_ADDON_NOT_FOUND',
      message: expect.stringContaining(`Node.js ${process.version}`) as string,
      hint: expect.stringMatching(/sudo apt-get install g\+\+ make cmake.*npm run build:native.*onnx/u) as string,
      details: {
        platform: process.platform,
        arch: process.arch,
        libc: expect.any(String) as string,
        node: process.version,
        tried,
        packages: ['g++', 'make', 'cmake'],
      },
    });
  });

  test('a load names the places that the environment has chosen', async () => {
    const env = { RKLLM_PREBUILD: directory, PREBUILDS_ONLY: '1' };
    const facts = `Promise.resolve().then(addon.nativeAddon).catch(({ details }) => details)`;
    expect(await inBare(facts, env)).toMatchObject({
      tried: [path.join(directory, prebuilds), path.join(path.dirname(process.execPath), prebuilds)],
    });
  });

  test('a prebuild that this system cannot load says why', async () => {
    const place = path.join(bare, prebuilds);
    mkdirSync(place, { recursive: true });
    writeFileSync(path.join(place, 'rkllm.node'), 'not a library');
    try {
      expect(await inBare(facts)).toMatchObject({
        code: 'RKLLM_ADDON_NOT_FOUND',
        message: expect.stringMatching(/rkllm\.node: (?:file too short|invalid ELF header)/u) as string,
      });
    } finally {
      rmSync(path.join(bare, 'prebuilds'), { recursive: true });
    }
  });
});

describe('the check for the toolchain', () => {
  const check = path.join(root, 'tools', 'check-native-toolchain.mjs');

  test('passes where the addon was built', async () => {
    expect(await runNode([check])).toEqual({ code: 0, signal: null, stdout: '', stderr: '' });
  });

  test('names what is missing, and only that', async () => {
    const tools = path.join(directory, 'tools');
    mkdirSync(tools);
    writeFileSync(path.join(tools, 'cmake'), '', { mode: 0o755 });
    writeFileSync(path.join(tools, 'make'), '', { mode: 0o644 }); // not a program
    const { code, stderr } = await runNode([check], { env: { PATH: tools, CXX: '' } });
    expect(code).toBe(1);
    expect(stderr).toContain('sudo apt-get install g++ make cmake');
    expect(stderr.match(/^ {2}- .*$/gmu)).toEqual(['  - a C++ compiler (g++ or clang++)', '  - make or ninja']);
  });
});
