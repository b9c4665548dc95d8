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

/** A stand-in for each generation of the vendor's runtime. */
const releases = ['1.1.1', '1.2.0', '1.2.1b1', '1.2.3', '1.3.0', '1.3.1'];

const directory = mkdtempSync(path.join(tmpdir(), 'rkllm-conformance-'));
afterAll(() => rmSync(directory, { recursive: true }));

const fileOf = (kind: AnswerKind): string => path.join(directory, `phi-3-${kind}.rkllm`);
for (const [kind, texts] of Object.entries(scripts) as [AnswerKind, readonly string[]][]) {
  const tokens = texts.map((text) => `token ${text}`);
  writeFileSync(fileOf(kind), ['#fake-rkllm', 'token-us 200', ...tokens, ''].join('\n'));
}

/** The suite, with each generation of the runtime. */
export function describeRuntimes(isolation: 'process' | 'none'): void {
  for (const release of releases) {
    const runtimePath = path.join(root, 'build', 'Release', 'fake', `librkllmrt-${release}.so`);
    describeBackend(`rkllm (${release}, isolation: '${isolation}')`, (kind) => ({
      path: fileOf(kind),
      options: { backend: 'rkllm', runtimePath, isolation },
      question: 'How are you?',
    }));
  }
}
