import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { root } from '../support/run-node.js';
import type { AnswerKind } from './harness.js';
import { describeBackend } from './suite.js';

/** What the fake runtime's models write; `test/native/README.md` explains the lines. */
const scripts: Record<AnswerKind, readonly string[]> = {
  short: ['This', '\\x20answer', '\\x20has', '\\x20six', '\\x20tokens', '.'],
  long: Array.from({ length: 200 }, (_, index) => `\\x20word${index}`),
  unicode: ['At 80 ', '\\xC2', '\\xB0', 'C ', '\\xF0\\x9F', '\\x99', '\\x82!'],
};

const runtimePath = path.join(root, 'build', 'Release', 'fake', 'librkllmrt-1.1.1.so');
const directory = mkdtempSync(path.join(tmpdir(), 'rkllm-conformance-'));
afterAll(() => rmSync(directory, { recursive: true }));

const fileOf = (kind: AnswerKind): string => path.join(directory, `phi-3-${kind}.rkllm`);
for (const [kind, texts] of Object.entries(scripts) as [AnswerKind, readonly string[]][]) {
  const tokens = texts.map((text) => `token ${text}`);
  writeFileSync(fileOf(kind), ['#fake-rkllm', 'token-us 200', ...tokens, ''].join('\n'));
}

describeBackend('rkllm', (kind) => ({
  path: fileOf(kind),
  options: { backend: 'rkllm', runtimePath },
  question: 'How are you?',
}));
