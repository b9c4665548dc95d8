import { execFileSync } from 'node:child_process';
import { copyFileSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { root, runModule, runNode } from '../support/run-node.js';

const addon = path.join(root, 'build', 'Release', 'rkllm.node');
const arch = process.arch;
const otherArch = arch === 'x64' ? 'arm64' : 'x64';
/** An addon that asks for more of the system than ours may. */
const foreign = ['node_modules', 'onnxruntime-node', 'bin', 'napi-v6', 'linux', arch, 'onnxruntime_binding.node'];

let directory: string;
const prebuild = (name: string): string => path.join(directory, `linux-${name}`, 'rkllm.node');
beforeEach(() => {
  directory = mkdtempSync(path.join(tmpdir(), 'rkllm-prebuilds-'));
  for (const name of [arch, otherArch]) mkdirSync(path.dirname(prebuild(name)));
});
afterEach(() => rmSync(directory, { recursive: true }));

const check = (): ReturnType<typeof runNode> => runNode([path.join(root, 'tools', 'prebuilt', 'check.mjs'), directory]);

test('the addon, stripped as it is for the package, is small and asks for nothing that an old system lacks', async () => {
  execFileSync('strip', ['-o', prebuild(arch), addon]);
  const { code, stdout, stderr } = await check();
  expect(stdout).toMatch(/^[\da-f]{64} {2}\S+rkllm\.node {2}[12]\d{5} bytes, GLIBC_2\.(?:1\d|2[0-8])\n$/u);
  expect({ code, stderr }).toEqual({
    code: 1,
    stderr: expect.stringMatching(
      new RegExp(`^\\S+linux-${otherArch}/rkllm.node: is not there: npm run prebuilds\n$`, 'u'),
    ) as string,
  });
});

test('what does not belong into the package is refused with each reason', async () => {
  copyFileSync(path.join(root, ...foreign), prebuild(otherArch));
  writeFileSync(prebuild(arch), readFileSync(addon).subarray(0, 5000));
  const { code, stdout, stderr } = await check();
  expect({ code, stdout }).toEqual({ code: 1, stdout: '' });
  expect(stderr).toMatch(new RegExp(`linux-${arch}/rkllm.node: the file is cut off\n`, 'u'));
  const reasons = [
    `built for ${arch}`,
    '\\d+ bytes, which should be less than 300000',
    'needs [^;]*GLIBCXX_3\\.4[^;]*: old systems do not have it',
    'needs the libraries libonnxruntime\\.so\\.1, libstdc\\+\\+\\.so\\.6',
  ];
  expect(stderr).toMatch(new RegExp(`linux-${otherArch}/rkllm.node: ${reasons.join('; ')}`, 'u'));
});

test('the check reads from a file what readelf reads', async () => {
  const file = path.join(root, ...foreign);
  const { stdout } = await runModule(`
    import { readFileSync } from 'node:fs';
    const { readElf } = await import(${JSON.stringify(path.join(root, 'tools', 'prebuilt', 'elf.mjs'))});
    console.log(JSON.stringify(readElf(readFileSync(${JSON.stringify(file)}))));`);
  const versions = execFileSync('readelf', ['-V', '-W', file], { encoding: 'utf8' });
  const dynamic = execFileSync('readelf', ['-d', '-W', file], { encoding: 'utf8' });
  const all = (text: string, pattern: RegExp): (string | undefined)[] =>
    [...text.matchAll(pattern)].map(([, it]) => it);
  expect(JSON.parse(stdout)).toEqual({
    arch,
    libraries: all(dynamic, /\(NEEDED\).*\[(.*)\]/gu),
    versions: all(versions, / Name: (\S+) +Flags:/gu),
    searchPaths: all(dynamic, /\(R(?:UN)?PATH\).*\[(.*)\]/gu),
    stripped: false,
  });
});
