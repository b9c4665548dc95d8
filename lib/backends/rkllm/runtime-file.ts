import { readFile } from 'node:fs/promises';

/** What the file of the vendor's library says of itself. It is read, not loaded. */
export interface RuntimeFile {
  /** Such as `'1.2.3'`; undefined: it does not say. */
  readonly version: string | undefined;
  /** Names that it mentions, of those asked for. */
  readonly mentions: (name: string) => boolean;
}

/** `native/runtime/library.cc` looks for the same. */
const versionMark = 'RKLLM SDK (version: ';
const longestVersion = 24;

/**
 * Reads the whole file, some 8 MB.
 *
 * @returns undefined: it cannot be read.
 */
export async function readRuntimeFile(file: string): Promise<RuntimeFile | undefined> {
  try {
    const bytes = await readFile(file);
    return { version: versionIn(bytes), mentions: (name) => bytes.includes(`\0${name}\0`, 0, 'latin1') };
  } catch {
    return undefined;
  }
}

function versionIn(bytes: Buffer): string | undefined {
  const at = bytes.indexOf(versionMark, 0, 'latin1');
  if (at < 0) return undefined;
  const start = at + versionMark.length;
  return /^[\d.a-z]+/u.exec(bytes.toString('latin1', start, start + longestVersion))?.[0];
}
