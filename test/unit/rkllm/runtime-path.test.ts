import { mkdirSync, symlinkSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import type { RkllmError } from '../../../lib/errors.js';
import { findRuntime, runtimeSearch, systemDirectories } from '../../../lib/backends/rkllm/runtime-path.js';
import { failureOf } from '../../support/reading.js';
import { directory, fakeRuntime } from './fake-model.js';

let folders = 0;

/** A directory with libraries of these names; names that start with `!` are text files. */
function folder(...names: string[]): string {
  const made = path.join(directory, `folder-${(folders++).toString()}`);
  mkdirSync(made);
  for (const name of names) {
    if (name.startsWith('!')) writeFileSync(path.join(made, name.slice(1)), 'text');
    else symlinkSync(fakeRuntime('1.1.1'), path.join(made, name));
  }
  return made;
}

function search(option?: string, environment?: string, ...directories: string[]): string {
  return findRuntime({ option, environment, directories });
}

async function failure(...given: Parameters<typeof search>): Promise<RkllmError> {
  return (await failureOf(() => search(...given))) as RkllmError;
}

describe('the runtime is looked for', () => {
  const option = fakeRuntime('1.1.1');
  const environment = fakeRuntime('1.1-unstated');

  test('in the option first, then the environment, then the directories', () => {
    const system = folder('librkllmrt.so');
    expect(search(option, environment, system)).toBe(option);
    expect(search(undefined, environment, system)).toBe(environment);
    expect(search(undefined, undefined, system)).toBe(path.join(system, 'librkllmrt.so'));
    expect(search(undefined, '', system)).toBe(path.join(system, 'librkllmrt.so'));
  });

  test('in RKLLM_RUNTIME_PATH and the system paths, never in the current directory', () => {
    const { environment: found, directories } = runtimeSearch(undefined, { RKLLM_RUNTIME_PATH: '/somewhere' });
    expect(found).toBe('/somewhere');
    expect(directories).toBe(systemDirectories);
    expect(directories).toEqual(expect.arrayContaining(['/usr/lib', '/usr/local/lib', '/usr/lib/aarch64-linux-gnu']));
    expect(directories.every((name) => path.isAbsolute(name))).toBe(true);
  });

  test('relative to the current directory where a path is given', () => {
    expect(search(path.relative(process.cwd(), option))).toBe(option);
  });

  test('by its plain name before versioned ones, and the newest of those', () => {
    const versioned = ['librkllmrt-1.1.2.so', 'librkllmrt-1.1.10.so', 'librkllmrt-1.1.9.so'];
    expect(search(undefined, undefined, folder(...versioned, 'librkllmrt.so'))).toMatch(/\/librkllmrt\.so$/u);
    expect(search(folder(...versioned))).toMatch(/\/librkllmrt-1\.1\.10\.so$/u);
    expect(search(folder('librkllmrt.so.1.1.4', 'other.so', 'librkllmrt.so.txt'))).toMatch(/librkllmrt\.so\.1\.1\.4$/u);
  });

  test('past files that are no libraries', () => {
    const system = [folder('!librkllmrt.so'), folder(), '/no/such/directory', folder('librkllmrt.so')];
    expect(search(undefined, undefined, ...system)).toBe(path.join(system[3] ?? '', 'librkllmrt.so'));
    const given = folder('!librkllmrt.so', 'librkllmrt-1.1.1.so');
    expect(search(given)).toBe(path.join(given, 'librkllmrt-1.1.1.so'));
  });
});

describe('a runtime that is not found', () => {
  test('names all that was tried, each directory once', async () => {
    const [empty, wrong] = [folder(), folder('!librkllmrt.so')];
    const link = path.join(directory, 'link-to-empty');
    symlinkSync(empty, link);
    const error = await failure(undefined, undefined, empty, wrong, link, '/no/such/directory');
    expect(error.code).toBe('RKLLM_RUNTIME_NOT_FOUND');
    expect(error.details['tried']).toEqual([
      `${empty}: no librkllmrt*.so in this directory`,
      `${wrong}/librkllmrt.so: a text file, not a shared library`,
      '/no/such/directory: no librkllmrt*.so in this directory',
    ]);
    for (const tried of error.details['tried'] as string[]) expect(error.message).toContain(tried);
    expect(error.hint).toContain('RKLLM_RUNTIME_PATH');
  });

  test.each([
    ['the option runtimePath', (given: string) => failure(given, fakeRuntime('1.1.1'), folder('librkllmrt.so'))],
    ['RKLLM_RUNTIME_PATH', (given: string) => failure(undefined, given, folder('librkllmrt.so'))],
  ])('is not replaced by another when %s names it', async (source, fail) => {
    const missing = await fail('/no/such/file.so');
    expect(missing).toMatchObject({ code: 'RKLLM_RUNTIME_NOT_FOUND', details: { source } });
    expect(await fail(folder())).toMatchObject({ code: 'RKLLM_RUNTIME_NOT_FOUND', details: { source } });
    expect(await fail('a\0b')).toMatchObject({ code: 'RKLLM_RUNTIME_NOT_FOUND', details: { source } });
    expect(await fail(folder('!librkllmrt.so'))).toMatchObject({ code: 'RKLLM_RUNTIME_INVALID', details: { source } });
    expect(await fail('/dev/null')).toMatchObject({ code: 'RKLLM_RUNTIME_INVALID', details: { source } });
  });
});
