import os from 'node:os';
import path from 'node:path';
import { absolutePath, currentDirectory } from '../absolute-path.js';

/** What tells who and where somebody is. */
export interface Traces {
  readonly user: string;
  readonly host: string;
  /** Directories, each with what is written in its place. */
  readonly directories: readonly (readonly [directory: string, instead: string])[];
}

/** Of whoever runs this process. */
export function ourTraces(model: string | undefined): Traces {
  const directory = model === undefined ? undefined : path.dirname(absolutePath(model));
  const here = currentDirectory();
  return {
    user: userName(),
    host: os.hostname(),
    directories: [
      ...(directory === undefined ? [] : [[directory, '<directory of the model>'] as const]),
      ...(here === undefined ? [] : [[here, '<current directory>'] as const]),
      [os.homedir(), '~'],
    ],
  };
}

function userName(): string {
  try {
    return os.userInfo().username;
  } catch {
    return ''; // a container may run as a user that has no name
  }
}

/** A copy of plain values without traces, for a report that is shown to others. */
export function withoutTraces<T>(value: T, traces: Traces): T {
  return JSON.parse(JSON.stringify(value), (_, inner: unknown) =>
    typeof inner === 'string' ? clean(inner, traces) : inner,
  ) as T;
}

function clean(text: string, { user, host, directories }: Traces): string {
  const isRoot = (directory: string): boolean => path.dirname(directory) === directory;
  // The longest first: the model may be in the home directory.
  const named = [...directories].filter(([name]) => !isRoot(name)).sort(([a], [b]) => b.length - a.length);
  const placed = named.reduce((found, [name, instead]) => replaceWords(found, name, instead), text);
  const shortened = placed.replaceAll(belowNamed, '$1/…/');
  const nowhere = shortened.replaceAll(someDirectory, (directory, top: string) =>
    ofEverySystem.has(top) ? directory : '<directory>/',
  );
  return replaceWords(replaceWords(nowhere, user, '<user>'), host, '<host>');
}

const belowNamed = /(~|<[^<>]+>)\/(?:[^\s/'"`:,;()]+\/)+/gu;

/** Those of absolute paths: what the runtime prints and what errors say may have others than those that are known. */
const someDirectory = /(?<![\p{L}\p{N}_.~:>/-])\/([^\s/'"`:,;()]+)\/(?:[^\s/'"`:,;()]+\/)*/gu;

/** What is below these is alike for everybody. */
const ofEverySystem: ReadonlySet<string> = new Set([
  ...['bin', 'boot', 'dev', 'etc', 'lib', 'lib64', 'proc', 'run', 'sbin', 'sys', 'usr'],
]);

/** Replaces what is not part of a longer word: a user `pi` is not in `pipe`. */
function replaceWords(text: string, word: string, instead: string): string {
  if (word === '') return text;
  const literal = word.replaceAll(/[.*+?^${}()|[\]\\]/gu, String.raw`\$&`);
  return text.replaceAll(new RegExp(String.raw`(?<![\p{L}\p{N}_-])${literal}(?![\p{L}\p{N}_-])`, 'gu'), () => instead);
}
