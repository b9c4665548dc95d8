import { mkdtempSync, rmSync, truncateSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { inspectModelFile } from '../../../lib/backends/rkllm/model-file.js';
import { checkModel, memoryNeedOfFile, preflight, type ModelPlan } from '../../../lib/backends/rkllm/preflight.js';
import { readBoard } from '../../../lib/board/index.js';
import type { Check } from '../../../lib/checks/check.js';
import { boards, machineOf, type BoardName } from '../../support/boards.js';

const directory = mkdtempSync(path.join(tmpdir(), 'models-'));
afterAll(() => rmSync(directory, { recursive: true }));

function modelFile(name: string, content = 'weights'): string {
  const file = path.join(directory, name);
  writeFileSync(file, content);
  return file;
}

function plan(file: string, more: Partial<ModelPlan> = {}): ModelPlan {
  return { file, contextLength: 4096, runtime: undefined, ...more };
}

function look(board: BoardName, name: string, more: Partial<ModelPlan> = {}, content?: string): Record<string, Check> {
  const checks = checkModel(plan(modelFile(`${name}.rkllm`, content), more), readBoard(machineOf(boards[board])));
  return Object.fromEntries(checks.map((check) => [check.id, check]));
}

describe('the file', () => {
  test('that is not there is all that is told', () => {
    const checks = checkModel(plan('/not/there.rkllm'), readBoard(machineOf(boards.rk3588)));
    expect(checks).toEqual([
      expect.objectContaining({ id: 'model.file', status: 'fail', found: 'There is no model at /not/there.rkllm.' }),
    ]);
  });

  test.each([
    ['version https://git-lfs.github.com/spec/v1\n', /Git LFS pointer/u, /git lfs pull/u],
    ['<!doctype html>', /web page/u, /again/u],
    ['', /empty/u, /again/u],
  ])('%j fails', (content, found, fix) => {
    const { 'model.file': check, ...others } = look('rk3588', 'broken', {}, content);
    expect(check).toMatchObject({ status: 'fail' });
    expect(check?.found).toMatch(found);
    expect(check?.fix).toMatch(fix);
    expect(others).toEqual({});
  });

  test('is compared with its size where that is known', () => {
    expect(look('rk3588', 'whole', { expectedBytes: 7 })['model.file']).toMatchObject({
      status: 'ok',
      found: 'whole.rkllm, 7 bytes, complete',
    });
    expect(look('rk3588', 'part', { expectedBytes: 8 })['model.file']).toMatchObject({
      status: 'fail',
      found: expect.stringContaining('has 7 bytes and should have 8') as string,
    });
  });

  test.each(['.aria2', '.part', '.incomplete'])('beside one of a download (%s) warns', (suffix) => {
    modelFile(`loading${suffix}.rkllm${suffix}`);
    expect(look('rk3588', `loading${suffix}`)['model.file']).toMatchObject({
      status: 'warn',
      found: expect.stringContaining(suffix) as string,
    });
  });
});

describe('the name', () => {
  test.each<[string, BoardName, string]>([
    ['phi-3-rk3588-w8a8', 'rk3588', 'ok'],
    ['phi-3-rk3588-w8a8', 'rk3588s', 'ok'],
    ['phi-3-rk3588s-w8a8', 'rk3588', 'ok'],
    ['phi-3-rk3588-w8a8', 'rk3576', 'warn'],
    ['phi-3-rk3576-w4a16', 'rk3588', 'warn'],
    ['phi-3-rk3566-w8a8', 'rk3588', 'warn'],
    ['phi-3-rk3588-w8a8', 'laptop', 'skip'],
    ['phi-3', 'rk3588', 'skip'],
  ])('%s on %s: %s', (name, board, status) => {
    expect(look(board, name)['model.chip']?.status).toBe(status);
  });

  test('of another chip says what to take', () => {
    expect(look('rk3576', 'phi-3-rk3588-w8a8')['model.chip']).toMatchObject({
      found: 'for RK3588, by its name, and this is an RK3576',
      fix: "Take the file for RK3576, or convert the model with target_platform='rk3576'.",
    });
  });

  test.each<[string, BoardName, string]>([
    ['phi-3-rk3588-w8a8_g128', 'rk3588', 'ok'],
    ['phi-3-rk3588-fp16', 'rk3588', 'ok'],
    ['phi-3-w4a16', 'rk3588', 'warn'],
    ['phi-3-w4a16', 'rk3576', 'ok'],
    ['phi-3-w8a8_g128', 'rk3576', 'warn'],
    ['phi-3-rk3588-w4a16', 'laptop', 'warn'],
    ['phi-3-w4a16', 'laptop', 'skip'],
    ['phi-3-rk3588', 'rk3588', 'skip'],
  ])('%s on %s has a quantization that is judged %s', (name, board, status) => {
    expect(look(board, name)['model.quantization']?.status).toBe(status);
  });
});

describe('the release', () => {
  test.each<[string, string, string | undefined, string]>([
    ['phi-3-v1.2.3', '', '1.2.3', 'ok'],
    ['phi-3-v1.1.4', '', '1.3.0', 'ok'],
    ['phi-3-v1.2.0', '', '1.1.4', 'warn'],
    ['phi-3-v1.2.1', '', '1.2.1b1', 'warn'],
    ['phi-3-v1.0.1', '', '1.2.3', 'warn'],
    ['phi-3-v1.2.0', '', undefined, 'skip'],
    ['phi-3', '', '1.2.3', 'skip'],
    // What stands in the file counts more.
    ['phi-3-v1.1.4', 'rkllm-toolkit version: 1.3.1', '1.2.3', 'warn'],
    ['phi-3-v1.3.1', 'rkllm-toolkit version: 1.1.4', '1.2.3', 'ok'],
  ])('%s with %j at its end, on runtime %s: %s', (name, end, runtime, status) => {
    expect(look('rk3588', name, { runtime }, `weights${end}`)['model.release']?.status).toBe(status);
  });

  test('of a newer model names the runtime to take', () => {
    const check = look('rk3588', 'phi-3', { runtime: '1.1.4' }, 'x rkllm-toolkit version: 1.2.3')['model.release'];
    expect(check?.found).toBe('a model of 1.2.3, and the runtime is older: 1.1.4');
    expect(check?.fix).toContain('librkllmrt.so 1.2.3 or newer');
  });
});

test.each<[string, number, string]>([
  ['phi-3-mini-4k', 4096, 'ok'],
  ['phi-3-mini-4k', 4128, 'warn'],
  ['qwen3-ctx8192', 8192, 'ok'],
  ['qwen3', 16_384, 'ok'],
  ['qwen3', 20_000, 'warn'],
  ['phi-3-mini-128k', 20_000, 'warn'],
])('%s with a context of %d: %s', (name, contextLength, status) => {
  expect(look('rk3588', name, { contextLength })['model.context']?.status).toBe(status);
});

describe('the memory that a model needs', () => {
  const gigabyte = 1e9;
  const needOf = (name: string, contextLength: number): { bytes: number; basis: string } => {
    const file = modelFile(name);
    truncateSync(file, gigabyte); // takes no room on disk
    return memoryNeedOfFile(file, contextLength);
  };

  test('is its file, and keys and values of half precision for each token', () => {
    expect(needOf('Phi-3-mini-4k.rkllm', 4096).bytes).toBe(gigabyte + 4096 * 32 * 3072 * 2 * 2);
    // Measured by others: 147,472 bytes a token.
    expect(needOf('Qwen3-4B-rk3588.rkllm', 1).bytes).toBe(gigabyte + 147_456);
  });

  test.each(['model.rkllm', 'qwen3-99b.rkllm'])('of %s is its file and a quarter', (name) => {
    expect(needOf(name, 4096)).toMatchObject({
      bytes: 1.25 * gigabyte,
      basis: expect.stringContaining('not known') as string,
    });
  });
});

test('a preflight looks at the board, too', () => {
  const file = modelFile('phi-3-rk3576-w4a16.rkllm');
  const checks = preflight(plan(file), inspectModelFile(file), readBoard(machineOf(boards['driver 0.8.2'])));
  expect(checks.filter(({ status }) => status === 'warn').map(({ id }) => id)).toEqual([
    'model.chip',
    'model.quantization',
    'driver',
  ]);
});
