import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { root, runNode, type Ended, type NodeChoices } from './run-node.js';

/** Runs `rkllm` as its users do. */
export function rkllm(args: readonly string[], choices?: NodeChoices): Promise<Ended> {
  return runNode([path.join(root, 'dist', 'cli', 'main.js'), ...args], choices);
}

const directory = mkdtempSync(path.join(tmpdir(), 'rkllm-cli-'));
afterAll(() => rmSync(directory, { recursive: true, force: true }));

/** A path in a directory that is removed at the end of the test file. */
export function temporary(name: string): string {
  return path.join(directory, name);
}

let models = 0;

/** Arguments that run a model of the fake runtime; `test/native/README.md` explains the lines of its script. */
export function fakeModel(...script: readonly string[]): string[] {
  const file = temporary(`phi-3-${(models++).toString()}.rkllm`);
  writeFileSync(file, ['#fake-rkllm', ...script, ''].join('\n'));
  return ['--model', file, '--runtime', path.join(root, 'build', 'Release', 'fake', 'librkllmrt-1.1.1.so')];
}
