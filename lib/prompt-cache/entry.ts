import { createHash } from 'node:crypto';
import { createReadStream } from 'node:fs';
import { lstat, open, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { canonical, type PromptCacheKey } from './key.js';

const format = 'rkllm-prompt-cache';
const version = 1;

/** What the runtime has written. */
export const cacheFile = 'prompt.cache';
/** What it is, by which it is known again. Its time is that of the last use. */
export const describingFile = 'entry.json';

/** What has been found where a key's entry would be. */
export type Found = { readonly path: string } | { readonly refused: string };

/** Writes what describes a cache file that is whole, and has both reach the disk. */
export async function describeEntry(directory: string, key: PromptCacheKey): Promise<void> {
  const path = join(directory, cacheFile);
  const { size } = await lstat(path);
  const described = { format, version, key: canonical(key), size, sha256: await sha256Of(path) };
  await writeFile(join(directory, describingFile), JSON.stringify(described), { mode: 0o600 });
  for (const name of [cacheFile, describingFile]) await sync(join(directory, name));
}

/** Looks at an entry: a runtime must not get a file that is not what it has written for this key. */
export async function readEntry(directory: string, key: PromptCacheKey): Promise<Found> {
  const path = join(directory, cacheFile);
  try {
    for (const own of [directory, path, join(directory, describingFile)]) await refuseForeign(own);
    const described: unknown = JSON.parse(await readFile(join(directory, describingFile), 'utf8'));
    if (!isDescription(described)) return { refused: 'what describes it is of another version, or broken' };
    if (described.key !== canonical(key)) return { refused: 'it was computed of something else' };
    const { size } = await lstat(path);
    if (size !== described.size) {
      return { refused: `it has ${String(size)} bytes, and was written with ${String(described.size)}` };
    }
    if ((await sha256Of(path)) !== described.sha256) return { refused: 'its content has changed' };
    return { path };
  } catch (error) {
    return { refused: error instanceof Error ? error.message : String(error) };
  }
}

/** The vendor's runtime reads it with no check of its own: only what this user alone may write is given to it. */
async function refuseForeign(path: string): Promise<void> {
  const stats = await lstat(path);
  if (stats.isSymbolicLink()) throw new Error(`${path} is a link`);
  if (stats.uid !== process.getuid?.()) throw new Error(`${path} belongs to another user`);
  if ((stats.mode & 0o022) !== 0) throw new Error(`${path} may be written to by other users`);
}

interface Description {
  readonly key: string;
  readonly size: number;
  readonly sha256: string;
}

function isDescription(value: unknown): value is Description {
  if (typeof value !== 'object' || value === null) return false;
  const { format: itsFormat, version: itsVersion, key, size, sha256 } = value as Record<string, unknown>;
  const isOurs = itsFormat === format && itsVersion === version;
  return isOurs && typeof key === 'string' && typeof size === 'number' && typeof sha256 === 'string';
}

async function sha256Of(path: string): Promise<string> {
  const hash = createHash('sha256');
  for await (const bytes of createReadStream(path, { highWaterMark: 1024 * 1024 })) hash.update(bytes as Buffer);
  return hash.digest('hex');
}

async function sync(path: string): Promise<void> {
  const file = await open(path, 'r');
  try {
    await file.sync();
  } finally {
    await file.close();
  }
}
