import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import type { BackendName } from '../../lib/options/load.js';
import { resolveModel } from '../../lib/resolve-model.js';
import { scripted } from 'rkllm/testing';
import { codeOf } from '../support/reading.js';

const embedded = path.resolve(__dirname, '../../models/tiny-phi3');
let directory: string;
const at = (name: string): string => path.join(directory, name);

beforeAll(() => {
  directory = mkdtempSync(path.join(tmpdir(), 'rkllm-resolve-'));
  mkdirSync(at('folder'));
  mkdirSync(at('folder.rkllm'));
  for (const name of ['model.rkllm', 'MODEL.RKLLM', 'model.onnx', 'model.gguf', 'plain']) writeFileSync(at(name), '');
});
afterAll(() => rmSync(directory, { recursive: true }));

type Env = Partial<Record<'RKLLM_MODEL' | 'RKLLM_BACKEND', string>>;

/** `@name` is a file of the test's folder. */
const real = (name: string | undefined): string | undefined => (name?.startsWith('@') ? at(name.slice(1)) : name);

function resolve(given: string | undefined, backend: BackendName | undefined, env: Env): unknown {
  const model = real(env.RKLLM_MODEL);
  const resolved = resolveModel(real(given), backend, {
    ...env,
    ...(model === undefined ? {} : { RKLLM_MODEL: model }),
  });
  return { ...resolved, backend: resolved.backend.name };
}

const onnxEmbedded = { backend: 'onnx', path: embedded, embedded: true, substituteFor: undefined };

test.each<[string | undefined, BackendName | undefined, Env]>([
  [undefined, undefined, {}],
  [undefined, 'auto', {}],
  [undefined, 'onnx', {}],
  [undefined, undefined, { RKLLM_BACKEND: 'onnx' }],
  [undefined, undefined, { RKLLM_BACKEND: '', RKLLM_MODEL: '' }],
])('path %p, backend %p, %j: the embedded model', (given, backend, env) => {
  expect(resolve(given, backend, env)).toEqual(onnxEmbedded);
});

test.each<[string | undefined, BackendName | undefined, Env, string, string]>([
  ['@folder', undefined, {}, 'onnx', 'folder'],
  ['@folder.rkllm', undefined, {}, 'onnx', 'folder.rkllm'],
  ['@model.onnx', undefined, {}, 'onnx', 'model.onnx'],
  ['@model.rkllm', undefined, {}, 'rkllm', 'model.rkllm'],
  ['@MODEL.RKLLM', 'auto', {}, 'rkllm', 'MODEL.RKLLM'],
  ['@plain', 'onnx', {}, 'onnx', 'plain'],
  ['@model.gguf', 'rkllm', {}, 'rkllm', 'model.gguf'],
  ['@plain', undefined, { RKLLM_BACKEND: 'rkllm' }, 'rkllm', 'plain'],
  ['@model.rkllm', 'rkllm', { RKLLM_BACKEND: 'onnx' }, 'rkllm', 'model.rkllm'],
  ['@model.rkllm', 'auto', { RKLLM_BACKEND: 'onnx' }, 'rkllm', 'model.rkllm'],
  ['@model.rkllm', 'onnx', { RKLLM_BACKEND: 'rkllm' }, 'onnx', 'model.rkllm'],
  [undefined, undefined, { RKLLM_MODEL: '@folder' }, 'onnx', 'folder'],
  [undefined, undefined, { RKLLM_MODEL: '@model.rkllm' }, 'rkllm', 'model.rkllm'],
  ['@model.rkllm', undefined, { RKLLM_MODEL: '@folder' }, 'rkllm', 'model.rkllm'],
])('path %p, backend %p, %j: %s loads %s', (given, backend, env, name, file) => {
  expect(resolve(given, backend, env)).toEqual({
    backend: name,
    path: at(file),
    embedded: false,
    substituteFor: undefined,
  });
});

test.each<[string | undefined, Env, object]>([
  ['@model.rkllm', {}, onnxEmbedded],
  ['@model.rkllm', { RKLLM_MODEL: '@MODEL.RKLLM' }, onnxEmbedded],
  ['@missing.rkllm', {}, onnxEmbedded],
  [undefined, { RKLLM_MODEL: '@model.rkllm' }, onnxEmbedded],
])('RKLLM_BACKEND=onnx with path %p and %j puts the embedded model in its place', (given, env, expected) => {
  const substituteFor = real(given ?? env.RKLLM_MODEL);
  expect(resolve(given, undefined, { ...env, RKLLM_BACKEND: 'onnx' })).toEqual({ ...expected, substituteFor });
});

test('RKLLM_BACKEND=onnx puts the model of RKLLM_MODEL in the place of a .rkllm file', () => {
  expect(resolve('@model.rkllm', undefined, { RKLLM_BACKEND: 'onnx', RKLLM_MODEL: '@folder' })).toEqual({
    backend: 'onnx',
    path: at('folder'),
    embedded: false,
    substituteFor: at('model.rkllm'),
  });
});

test('RKLLM_BACKEND=onnx leaves a model alone that the CPU can run', () => {
  const env = { RKLLM_BACKEND: 'onnx', RKLLM_MODEL: '@model.onnx' };
  expect(resolve('@folder', undefined, env)).toMatchObject({ path: at('folder'), substituteFor: undefined });
});

test('a relative path becomes absolute', () => {
  const relative = path.relative(process.cwd(), at('folder'));
  expect(resolve(relative, undefined, {})).toMatchObject({ path: at('folder') });
});

test('the embedded model is recognized by its path', () => {
  mkdirSync(embedded, { recursive: true });
  expect(resolve(embedded, undefined, {})).toEqual(onnxEmbedded);
});

test('a backend of your own decides for itself what its path means, and no environment gets in its way', () => {
  const backend = scripted();
  const env = { RKLLM_BACKEND: 'rkllm', RKLLM_MODEL: at('model.rkllm') };
  const common = { backend, embedded: false, substituteFor: undefined };
  expect(resolveModel(undefined, backend, env)).toEqual({ ...common, path: undefined });
  expect(resolveModel('not/there', backend, env)).toEqual({ ...common, path: path.resolve('not/there') });
});

test.each<[string | undefined, BackendName | undefined, Env, string]>([
  ['@missing', undefined, {}, 'RKLLM_MODEL_NOT_FOUND'],
  ['@missing.rkllm', undefined, {}, 'RKLLM_MODEL_NOT_FOUND'],
  ['@missing', 'onnx', {}, 'RKLLM_MODEL_NOT_FOUND'],
  ['@nul\0', undefined, {}, 'RKLLM_MODEL_NOT_FOUND'],
  [undefined, undefined, { RKLLM_MODEL: '@missing' }, 'RKLLM_MODEL_NOT_FOUND'],
  ['@model.rkllm', undefined, { RKLLM_BACKEND: 'onnx', RKLLM_MODEL: '@missing' }, 'RKLLM_MODEL_NOT_FOUND'],
  [undefined, 'rkllm', {}, 'RKLLM_MODEL_NOT_FOUND'],
  [undefined, undefined, { RKLLM_BACKEND: 'rkllm' }, 'RKLLM_MODEL_NOT_FOUND'],
  ['@plain', undefined, {}, 'RKLLM_MODEL_NOT_RECOGNIZED'],
  ['@model.gguf', 'auto', {}, 'RKLLM_MODEL_NOT_RECOGNIZED'],
  [undefined, undefined, { RKLLM_BACKEND: 'cpu' }, 'RKLLM_BACKEND_UNKNOWN'],
  ['@model.onnx', undefined, { RKLLM_BACKEND: 'ONNX' }, 'RKLLM_BACKEND_UNKNOWN'],
])('path %p, backend %p, %j is refused: %s', async (given, backend, env, code) => {
  expect(await codeOf(() => resolve(given, backend, env))).toBe(code);
});
