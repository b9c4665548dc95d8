import { chmodSync, linkSync, mkdirSync, readFileSync, symlinkSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import type { RkllmError } from '../../../lib/errors.js';
import { codeOf, failureOf } from '../../support/reading.js';
import { FakeModel, directory, fakeRuntime, prompt, read } from './fake-model.js';

function file(name: string, content: string | Buffer): string {
  const full = path.join(directory, name);
  writeFileSync(full, content);
  return full;
}

describe('a load that the runtime refuses', () => {
  test.each([
    ['a failure code', 'init-code -1', '-1'],
    ['another failure code', 'init-code 5', '5'],
    ['no handle', 'init-null-handle', '-1'],
  ])('fails with %s', async (_, command, code) => {
    const fake = new FakeModel(command);
    const error = (await failureOf(() => fake.load())) as RkllmError;
    expect(error).toMatchObject({ code: 'RKLLM_INIT_FAILED', details: { code, modelPath: fake.path } });
    expect(error.hint).toContain('NPU driver');
    expect(fake.calls).toEqual(['init']);
  });

  test('can be tried again', async () => {
    expect(await codeOf(() => new FakeModel('init-code -1').load())).toBe('RKLLM_INIT_FAILED');
    const model = await new FakeModel('token a').load();
    expect((await read(model.start(prompt()))).text).toBe('a');
  });

  test('because the file is no model', async () => {
    const notAModel = file('other.rkllm', 'something else');
    expect(await codeOf(() => new FakeModel().load({ path: notAModel }))).toBe('RKLLM_INIT_FAILED');
  });
});

describe('a runtime that is not spoken', () => {
  test('1.0.1 is refused with its evidence', async () => {
    const fake = new FakeModel();
    const error = (await failureOf(() => fake.load({ runtimePath: fakeRuntime('1.0.1') }))) as RkllmError;
    expect(error.code).toBe('RKLLM_RUNTIME_UNSUPPORTED');
    expect(error.message).toContain('rkllm_run_async');
    expect(error.message).toContain('1.1.0 to 1.3.1');
    expect(error.hint).not.toBe('');
    expect(error.details).toMatchObject({
      path: fakeRuntime('1.0.1'),
      version: '1.0.1',
      supported: '1.1.0 to 1.3.1',
      evidence: [{ source: 'symbols' }, { source: 'version string', found: '1.0.1' }],
    });
    expect(fake.journal).toEqual([]);
  });

  test.each([
    ['other', 'rkllm_init', 'rknn-llm'],
    ['incomplete', 'rkllm_abort', 'rknn-llm'],
    ['missing-dependency', 'libfakeabsent.so', 'Install the library'],
  ])('%s is invalid', async (name, evidence, hint) => {
    const error = (await failureOf(() => new FakeModel().load({ runtimePath: fakeRuntime(name) }))) as RkllmError;
    expect(error.code).toBe('RKLLM_RUNTIME_INVALID');
    expect(error.message).toContain(evidence);
    expect(error.hint).toContain(hint);
    expect(error.details['path']).toBe(fakeRuntime(name));
  });

  test('does not spoil a later load', async () => {
    expect(await codeOf(() => new FakeModel().load({ runtimePath: fakeRuntime('1.0.1') }))).toBe(
      'RKLLM_RUNTIME_UNSUPPORTED',
    );
    const model = await new FakeModel('token a').load();
    expect((await read(model.start(prompt()))).text).toBe('a');
  });
});

describe('a runtime that cannot be loaded', () => {
  const elf = readFileSync(fakeRuntime('1.1.1'));
  const withMachine = (machine: number): Buffer => {
    const copy = Buffer.from(elf);
    copy.writeUInt16LE(machine, 18);
    return copy;
  };
  const foreign = process.arch === 'x64' ? { machine: 183, name: 'arm64' } : { machine: 62, name: 'x64' };

  test.each<[string, string | Buffer, string]>([
    ['of another architecture', withMachine(foreign.machine), `built for ${foreign.name}`],
    ['of an unknown architecture', withMachine(9999), 'machine 9999'],
    ['that is a text file', 'version https://git-lfs.github.com/spec/v1\n', 'a text file'],
    ['that is something else', Buffer.from([0, 1, 2, 3, 4, 5, 6, 7]), 'not an ELF shared library'],
    ['that is empty', '', 'empty file'],
    ['that ends in its header', elf.subarray(0, 10), 'cut off'],
    ['that ends after a page', elf.subarray(0, 4096), 'cut off'],
    ['that lacks its last segment', elf.subarray(0, elf.length / 4), 'cut off'],
    ['that is a program', Buffer.from(elf.subarray(0, 64)).fill(2, 16, 17), 'not a shared library'],
  ])('%s', async (name, content, evidence) => {
    const broken = file(`${name.replaceAll(' ', '-')}.so`, content);
    const error = (await failureOf(() => new FakeModel().load({ runtimePath: broken }))) as RkllmError;
    expect(error.code).toBe('RKLLM_RUNTIME_INVALID');
    expect(error.message).toContain(evidence);
    expect(error.message).toContain(broken);
  });

  test('that the dynamic linker refuses', async () => {
    const noDynamicSection = Buffer.from(elf.subarray(0, 64)).fill(0, 56, 58); // no program headers
    const broken = file('no-segments.so', noDynamicSection);
    const error = (await failureOf(() => new FakeModel().load({ runtimePath: broken }))) as RkllmError;
    expect(error.code).toBe('RKLLM_RUNTIME_INVALID');
    expect(error.details['dlerror']).toContain('no-segments.so');
  });

  test('that does not exist', async () => {
    const error = (await failureOf(() => new FakeModel().load({ runtimePath: '/no/such/runtime.so' }))) as RkllmError;
    expect(error.code).toBe('RKLLM_RUNTIME_NOT_FOUND');
    expect(error.details['tried']).toEqual(['/no/such/runtime.so: no such file']);
  });

  test('is found through a link and in a directory', async () => {
    const links = path.join(directory, 'links');
    mkdirSync(links);
    symlinkSync(fakeRuntime('1.1.1'), path.join(links, 'librkllmrt.so'));
    for (const runtimePath of [links, path.join(links, 'librkllmrt.so')]) {
      const model = await new FakeModel().load({ runtimePath });
      expect(model.info.runtime?.path).toBe(path.join(links, 'librkllmrt.so'));
    }
  });
});

describe("a model's file", () => {
  test.each<[string, () => string | undefined, string, string]>([
    ['is missing', () => path.join(directory, 'nothing.rkllm'), 'RKLLM_MODEL_NOT_FOUND', 'nothing.rkllm'],
    ['is not given', () => undefined, 'RKLLM_MODEL_NOT_FOUND', '.rkllm file'],
    ['has no possible name', () => '/tmp/a\0b.rkllm', 'RKLLM_MODEL_NOT_FOUND', '.rkllm file'],
    ['lies below a file', () => `${file('plain', 'x')}/a.rkllm`, 'RKLLM_MODEL_NOT_FOUND', 'plain'],
    ['is a directory', () => directory, 'RKLLM_MODEL_INVALID', 'not a regular file'],
    ['is empty', () => file('empty.rkllm', ''), 'RKLLM_MODEL_INVALID', 'empty'],
    ['cannot be read from its start', () => '/proc/self/mem', 'RKLLM_MODEL_INVALID', 'cannot be read (EIO)'],
    ['has too long a name', () => `/${'x'.repeat(5000)}`, 'RKLLM_MODEL_INVALID', 'ENAMETOOLONG'],
    [
      'is a Git LFS pointer',
      () => file('lfs.rkllm', 'version https://git-lfs.github.com/spec/v1\noid sha256:0\n'),
      'RKLLM_MODEL_INVALID',
      'Git LFS',
    ],
    ['is a web page', () => file('page.rkllm', '\n<!DOCTYPE html><html>'), 'RKLLM_MODEL_INVALID', 'web page'],
  ])('%s', async (_, makePath, code, message) => {
    const modelPath = makePath();
    const load = (): Promise<unknown> => new FakeModel().load({ path: modelPath, runtimePath: '/no/such/runtime.so' });
    const error = (await failureOf(load)) as RkllmError;
    expect(error.code).toBe(code);
    expect(error.message).toContain(message);
    expect(error.hint).not.toBe('');
  });

  test.each([
    ['Phi-3-mini-4k-instruct-rk3588-w8a8_g128-opt-1-hybrid-ratio-0.5', 'w8a8_g128'],
    ['DeepSeek-R1-Distill-Qwen-1.5B_W8A8_RK3588', 'w8a8'],
    ['Qwen3-4B-rk3576-w4a16-g64', 'w4a16_g64'],
    ['Qwen3-w8a8x', undefined],
    ['model', undefined],
  ])('%s says its quantization', async (name, quantization) => {
    const named = path.join(directory, `${name}.rkllm`);
    linkSync(new FakeModel().path, named);
    const model = await new FakeModel().load({ path: named });
    expect(model.info).toMatchObject({ name, quantization });
  });

  test('may be read-only', async () => {
    const fake = new FakeModel();
    chmodSync(fake.path, 0o400);
    expect((await fake.load()).info.contextLength).toBe(4096);
  });
});

describe('a load', () => {
  test('refuses a seed', async () => {
    const fake = new FakeModel();
    expect(await codeOf(() => fake.load({ sampling: { seed: 1 } }))).toBe('RKLLM_UNSUPPORTED_OPTION');
    expect(fake.calls).toEqual([]);
  });

  test('that is aborted beforehand does nothing', async () => {
    const fake = new FakeModel();
    const reason = new Error('changed my mind');
    expect(await failureOf(() => fake.load({ signal: AbortSignal.abort(reason) }))).toBe(reason);
    expect(fake.calls).toEqual([]);
  });

  test('that is aborted meanwhile leaves nothing behind', async () => {
    const fake = new FakeModel('init-delay-ms 100');
    const controller = new AbortController();
    const loading = fake.load({ signal: controller.signal });
    const reason = new Error('changed my mind');
    controller.abort(reason);
    expect(await failureOf(() => loading)).toBe(reason);
    expect(fake.calls.filter((call) => call === 'init').length).toBe(fake.calls.filter((c) => c === 'destroy').length);
  });
});
