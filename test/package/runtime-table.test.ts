import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { mirostatTable, npuRunTable, npuTable } from '../../lib/options/npu.js';
import { runtimeCallTitle, runtimeCalls } from '../../lib/options/runtime-calls.js';
import { root, runNode, type Ended } from '../support/run-node.js';

const tool = path.join(root, 'tools', 'runtime-table.mjs');
const document = readFileSync(path.join(root, 'docs', 'runtime.md'), 'utf8');
const named = document
  .split('\n')
  .filter((row) => row.startsWith('| `'))
  .map((row) => row.split(' | ', 1)[0]?.slice(2));

/** Compares a changed copy of the document with the tables. */
async function check(text: string): Promise<Ended> {
  const directory = mkdtempSync(path.join(tmpdir(), 'rkllm-document-'));
  const file = path.join(directory, 'runtime.md');
  writeFileSync(file, text);
  try {
    return await runNode([tool, '--check', file]);
  } finally {
    rmSync(directory, { recursive: true });
  }
}

test('docs/runtime.md and docs/compatibility.md are what `npm run docs:runtime` writes', async () => {
  expect(await runNode([tool, '--check'])).toMatchObject({ code: 0, stderr: '' });
});

test.each([
  [
    'a release',
    '| `kvCacheSize()` | `rkllm_get_kv_cache_size` | 1.2.1 |',
    '| `kvCacheSize()` | `rkllm_get_kv_cache_size` | 1.2.0 |',
  ],
  ['a row', /^\| `keepHistory` .*\n/mu, ''],
  ['a mark', '| – | ✓ |', '| ✓ | ✓ |'],
])('%s that is changed by hand is noticed', async (_, from, to) => {
  const changed = document.replace(from, to);
  expect(changed).not.toBe(document);
  expect((await check(changed)).stderr).toContain('npm run docs:runtime');
});

test('docs/runtime.md has a row for every option and call of the runtime', () => {
  const options = Object.keys({ ...npuTable, ...npuRunTable, ...mirostatTable });
  const calls = Object.keys(runtimeCalls).map(runtimeCallTitle);
  // These are for the library: no release has them.
  const ofTheLibrary = [
    'runtimeVersion',
    'embeddingWidth',
    'abortTimeoutMs',
    'loadTimeoutMs',
    'stallTimeoutMs',
    'isolation',
    'runtimeEnv',
  ];
  const expected = [...options.filter((name) => !ofTheLibrary.includes(name)), ...calls].map((name) => `\`${name}\``);
  expect(named).toEqual(expect.arrayContaining(expected));
});
