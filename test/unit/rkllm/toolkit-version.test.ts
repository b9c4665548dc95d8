import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { inspectModelFile } from '../../../lib/backends/rkllm/model-file.js';

const directory = mkdtempSync(path.join(tmpdir(), 'rkllm-toolkit-'));
afterAll(() => rmSync(directory, { recursive: true }));

function file(content: string | Buffer): string {
  const name = path.join(directory, 'model.rkllm');
  writeFileSync(name, content);
  return name;
}

const weights = Buffer.alloc(5000, 7);
const ending = Buffer.from('rkllm-toolkit version: 1.3.1');

test.each<[string, string | Buffer, string | undefined]>([
  ['at the end', Buffer.concat([weights, ending]), '1.3.1'],
  ['before some padding', Buffer.concat([weights, ending, Buffer.alloc(64)]), '1.3.1'],
  ['of a preview', 'rkllm-toolkit version: 1.2.1b1\0', '1.2.1b1'],
  ['that is the whole file', ending, '1.3.1'],
  ['that is cut off', Buffer.concat([weights, ending.subarray(0, -3)]), undefined],
  ['far from the end', Buffer.concat([ending, weights]), undefined],
  ['that is not there', weights, undefined],
])('a version %s', (_, content, version) => {
  expect(inspectModelFile(file(content)).toolkitVersion).toBe(version);
});
