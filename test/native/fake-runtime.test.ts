import { execFileSync, spawnSync, type SpawnSyncReturns } from 'node:child_process';
import { existsSync, readFileSync } from 'node:fs';
import path from 'node:path';

const built = path.resolve(__dirname, '..', '..', 'build', 'Release', 'fake');
const library = (name: string): string => path.join(built, `librkllmrt-${name}.so`);

const always = [
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
];
const from120 = ['rkllm_clear_kv_cache', 'rkllm_set_chat_template'];
const from121 = ['rkllm_get_kv_cache_size', 'rkllm_set_cross_attn_params', 'rkllm_set_function_tools'];

const generations: [string, string[]][] = [
  ['1.1.1', always],
  ['1.2.0', [...always, ...from120]],
  ['1.2.1b1', [...always, ...from120]],
  ['1.2.3', [...always, ...from120, ...from121]],
  ['1.3.0', [...always, ...from120, ...from121]],
  ['1.3.1', [...always, ...from120, ...from121]],
];

function selfTest(...args: string[]): SpawnSyncReturns<string> {
  const env = { ...process.env };
  for (const name of ['FAKE_RKLLM_LOG', 'FAKE_RKLLM_DIRTY_DEFAULTS', 'RKLLM_LOG_LEVEL'])
    Reflect.deleteProperty(env, name);
  return spawnSync(path.join(built, 'self-test'), args, { encoding: 'utf8', env });
}

/** What is wrong with a library, below the name of the check that says so. */
function complaints({ stdout, status, signal }: SpawnSyncReturns<string>): string[] {
  const lines = stdout.split('\n');
  const wrong = lines.filter((line, index) => line.startsWith(' ') || (lines[index + 1] ?? '').startsWith(' '));
  return status === 0 ? wrong : [...wrong, `exit code ${String(status)}, signal ${String(signal)}`];
}

describe.each(generations)('the fake runtime %s', (version, symbols) => {
  const variants = [version, `${version}-unstated`, `${version}-future`];
  const zeroed = variants.map((name) => name.replace(version, `${version}-zeroed`));

  test.each([...variants, ...zeroed])('%s exports what its generation has, and nothing else', (name) => {
    const listing = execFileSync('nm', ['-D', '--defined-only', '--format=posix', library(name)], { encoding: 'utf8' });
    const names = listing
      .trim()
      .split('\n')
      .map((line) => line.split(' ', 1)[0]);
    expect(names.sort()).toEqual([...symbols].sort());
  });

  test('behaves as documented', () => {
    expect(complaints(selfTest(library(version), version))).toEqual([]);
  });

  test('behaves as documented when it fills its defaults with zeros', () => {
    expect(complaints(selfTest(library(`${version}-zeroed`), version, 'zeroed'))).toEqual([]);
  });

  test("prints the vendor's lines where it is told to", () => {
    const { stdout } = selfTest(library(version), version, 'play', 'log', 'print load E RKNN: as the vendor says it');
    expect(stdout).toContain(`I rkllm: rkllm-runtime version: ${version}, rknpu driver version: 0.9.8`);
    expect(stdout).toContain('E RKNN: as the vendor says it');
  });
});

test.each([
  ['1.1.1', '1.1.1'],
  ['1.1.1-unstated', undefined],
  ['1.1-unstated', undefined],
  ['1.2-unstated', undefined],
  ['1.2.1b1', '1.2.1b1'],
  ['1.3.1-future', '1.4.0'],
  ['1.3.1-zeroed-future', '1.4.0'],
  ['1.1-lying', '1.2.3'],
  ['1.2-lying', '1.1.4'],
  ['1.2.3-lying', '1.3.0'],
  ['1.3-lying', '1.2.3'],
  ['1.0.1', '1.0.1'],
])('%s states %s', (name, version) => {
  const bytes = readFileSync(library(name), 'latin1');
  expect(/RKLLM SDK \(version: (\S+)/u.exec(bytes)?.[1]).toBe(version);
});

test.each(['incomplete', 'other', 'missing-dependency'])('%s exists', (name) => {
  expect(existsSync(library(name))).toBe(true);
});
