/** What happens when the optional package onnxruntime-node is not there, or is not as it should be. */
import { cpSync, existsSync, mkdirSync, symlinkSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { installOrt } from '../../../lib/backends/onnx/ort-package.js';
import { writeGenaiModel } from '../../../tools/onnx/write-genai-model.js';
import { Fixtures } from './helpers.js';
import { runNode, type NodeResult } from './run-node.js';

const fixtures = new Fixtures();
afterAll(() => fixtures.cleanUp());

/** A copy of the build that finds this in place of onnxruntime-node; undefined: nothing. */
function buildWith(packageSource: string | undefined, version?: string): string {
  const root = fixtures.directory();
  const modules = path.join(root, 'node_modules');
  cpSync(path.resolve('dist'), path.join(root, 'dist'), { recursive: true });
  mkdirSync(modules);
  symlinkSync(path.resolve('node_modules/@huggingface'), path.join(modules, '@huggingface'));
  if (packageSource !== undefined) {
    mkdirSync(path.join(modules, 'onnxruntime-node'));
    writeFileSync(path.join(modules, 'onnxruntime-node/index.js'), packageSource);
  }
  if (version !== undefined) {
    mkdirSync(path.join(modules, 'onnxruntime-node/bin'));
    writeFileSync(path.join(modules, 'onnxruntime-node/package.json'), JSON.stringify({ version }));
  }
  return path.join(root, 'dist');
}

function load(packageSource: string | undefined, version?: string): Promise<NodeResult> {
  const model = JSON.stringify(writeGenaiModel(fixtures.directory()).directory);
  return runNode(
    `await createOnnxBackend().load(request(${model})).catch((error) => console.log(error.code, error.message, error.hint));`,
    buildWith(packageSource, version),
  );
}

it('says how to install it when it is missing', async () => {
  const result = await load(undefined);
  expect(result.stdout).toMatch(
    /^RKLLM_ONNX_NOT_INSTALLED .* is not installed\. Run: (?:ONNXRUNTIME_NODE_INSTALL=skip )?npm install onnxruntime-node@1 .* firewall/,
  );
  expect(result).toMatchObject({ code: 0, stderr: '' });
});

it.each([
  ['has no binary for it', "require('../bin/napi-v6/sunos/mips/onnxruntime_binding.node');"],
  [
    'has one that does not fit',
    "throw Object.assign(new Error('ld-linux.so.2: not found'), { code: 'ERR_DLOPEN_FAILED' });",
  ],
])('says what platforms it is for when it %s', async (_, packageSource) => {
  const result = await load(packageSource);
  expect(result.stdout).toMatch(
    /^RKLLM_ONNX_LOAD_FAILED .* is installed but cannot be loaded: .* It has binaries for 64-bit Linux .* npm install onnxruntime-node@1$/m,
  );
  expect(result).toMatchObject({ code: 0, stderr: '' });
});

it('says that it is too old, and does not load it', async () => {
  const result = await load("console.log('loaded');", '1.24.3');
  expect(result.stdout).toMatch(
    /^RKLLM_ONNX_LOAD_FAILED The package onnxruntime-node 1\.24\.3 is too old: 1\.25\.0 or newer is needed\. Run: /,
  );
  expect(result).toMatchObject({ code: 0, stderr: '' });
});

it.each<[NodeJS.Platform, string, string]>([
  ['linux', 'x64', 'ONNXRUNTIME_NODE_INSTALL=skip npm install onnxruntime-node@1'],
  ['linux', 'arm64', 'npm install onnxruntime-node@1'],
  ['win32', 'x64', 'npm install onnxruntime-node@1'],
  ['darwin', 'arm64', 'npm install onnxruntime-node@1'],
])('is installed on %s %s by %s', (platform, arch, command) => {
  expect(installOrt(platform, arch)).toBe(command);
});

it('is not touched by who imports the library, or uses another backend', async () => {
  const dist = buildWith("throw new Error('touched');");
  for (const name of ['@cfworker', 'fastest-levenshtein', 'node-gyp-build']) {
    symlinkSync(path.resolve('node_modules', name), path.join(dist, '../node_modules', name));
  }
  const main = JSON.stringify(path.join(dist, 'index.js'));
  const result = await runNode(
    `const library = require(${main});
     await import(${JSON.stringify(path.join(dist, 'index.mjs'))});
     const { scripted } = require(${JSON.stringify(path.join(dist, 'testing.js'))});
     const model = await library.loadModel(undefined, { backend: scripted({ reply: 'Hello' }) });
     console.log((await model.generate('Hi')).text);
     console.log(Object.keys(require.cache).some((file) => file.includes('onnxruntime')));`,
    dist,
  );
  expect(result).toEqual({ code: 0, signal: null, stdout: 'Hello\nfalse\n', stderr: '' });
});

it('is not left while it is loaded: that is a native call, too', async () => {
  const [entered, left] = [fixtures.directory('entered'), fixtures.directory('left')];
  // A thread that is terminated is woken from this, and does not come to the line after it.
  const dist = buildWith(`
    require('node:fs').writeFileSync(${JSON.stringify(entered)}, '');
    Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, 500);
    require('node:fs').writeFileSync(${JSON.stringify(left)}, '');
  `);
  const model = JSON.stringify(writeGenaiModel(fixtures.directory()).directory);
  const result = await runNode(
    `setInterval(() => { if (require('node:fs').existsSync(${JSON.stringify(entered)})) process.exit(3); }, 5);
     await createOnnxBackend().load(request(${model}));`,
    dist,
  );
  expect(result).toEqual({ code: 3, signal: null, stdout: '', stderr: '' });
  expect(existsSync(left)).toBe(true);
});
