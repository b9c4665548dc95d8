/** The fake models of a soak, and what their runtimes say about how they were called. */
import { existsSync, mkdtempSync, readFileSync, rmSync, truncateSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { fileURLToPath } from 'node:url';

const root = path.join(path.dirname(fileURLToPath(import.meta.url)), '../..');
const directory = mkdtempSync(path.join(tmpdir(), 'rkllm-soak-'));
process.on('exit', () => rmSync(directory, { recursive: true, force: true }));

/** All models write into one, since in one process the last one decides where. */
const journal = path.join(directory, 'journal');

export const releases = ['1.1.1', '1.2.3', '1.3.1'];

export function runtimeOf(release) {
  return path.join(root, 'build/Release/fake', `librkllmrt-${release}.so`);
}

/** What a whole answer of so many tokens is. */
export function answer(tokens) {
  return Array.from({ length: tokens }, (_, index) => `t${index}é `).join('');
}

/** A model whose answers have so many tokens, that behaves as the further lines say. */
export function fakeModel(name, tokens, ...lines) {
  const file = path.join(directory, `${name}.rkllm`);
  const reply = Array.from({ length: tokens }, (_, index) => `token t${index}é `);
  writeFileSync(file, ['#fake-rkllm', `journal ${journal}`, ...reply, ...lines, ''].join('\n'));
  return { file, remove: () => rmSync(file) };
}

/** What the runtimes were asked since the last call: how often each prompt was run, and promises that were broken. */
export function takeJournal() {
  const lines = existsSync(journal) ? readFileSync(journal, 'utf8').split('\n') : [];
  if (lines.length > 0) truncateSync(journal);
  const runs = new Map();
  for (const line of lines) {
    if (!line.startsWith('run ')) continue;
    for (const [prompt] of line.matchAll(/c\d+r\d+/gu)) runs.set(prompt, (runs.get(prompt) ?? 0) + 1);
  }
  return { runs, violations: lines.filter((line) => line.startsWith('violation')) };
}
