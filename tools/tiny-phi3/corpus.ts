import { readFileSync } from 'node:fs';
import path from 'node:path';

/** One answer and the wordings that ask for it. */
export interface Group {
  readonly trained: readonly string[];
  readonly heldOut: readonly string[];
  readonly answer: string;
}

/** What the embedded model was trained on, and what was kept from it to test it. */
export interface Corpus {
  readonly groups: readonly Group[];
  readonly outOfScope: readonly string[];
  readonly outOfScopeAnswer: string;
  readonly unseenSystemPrompts: readonly string[];
}

const topics = ['library', 'boards', 'models', 'small-talk', 'facts'];

/** Reads the corpus from its directory; the format is described in tools/tiny-phi3/README.md. */
export function readCorpus(directory: string): Corpus {
  const read = (name: string): string => readFileSync(path.join(directory, name), 'utf8').trimEnd();
  return {
    groups: topics.flatMap((topic) => groupsOf(read(`${topic}.txt`))),
    outOfScope: read('out-of-scope/held-out.txt').split('\n'),
    outOfScopeAnswer: read('out-of-scope/answer.txt'),
    unseenSystemPrompts: read('system-prompts.txt').split('[held-out]')[1]?.trim().split('\n') ?? [],
  };
}

function groupsOf(text: string): Group[] {
  return text
    .split(/\n\s*\n/u)
    .map((block) => block.split('\n'))
    .filter((lines) => lines.some((line) => line.startsWith('A: ')))
    .map((lines) => ({
      trained: valuesOf(lines, 'Q: '),
      heldOut: valuesOf(lines, 'H: '),
      answer: valuesOf(lines, 'A: ').join('').replaceAll('\\n', '\n'),
    }));
}

function valuesOf(lines: readonly string[], prefix: string): string[] {
  return lines.filter((line) => line.startsWith(prefix)).map((line) => line.slice(prefix.length).trim());
}
