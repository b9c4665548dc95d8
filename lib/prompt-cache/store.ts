import { chmod, lstat, mkdtemp, mkdir, readdir, rename, rm, utimes } from 'node:fs/promises';
import { join } from 'node:path';
import { cacheFile, describeEntry, describingFile, readEntry, type Found } from './entry.js';
import { entryName, type PromptCacheKey } from './key.js';

const unfinished = '.unfinished-';
/** Nobody takes so long to write one: whoever did has died. */
const unfinishedMs = 60 * 60 * 1000;
const entryPattern = /^[0-9a-f]{64}$/u;

/** An entry that is being written. */
export interface UnfinishedEntry {
  /** Where the runtime writes it. */
  readonly path: string;
  /**
   * Puts what was written in its place.
   *
   * @returns the path of the file there; undefined when nothing was written.
   */
  keep(): Promise<string | undefined>;
  discard(): Promise<void>;
}

/**
 * Prompt caches in a directory that processes share: one directory for each key, put there whole by one rename, and of
 * those that were not used for longest as many removed as are too much.
 */
export class PromptCacheStore {
  readonly #directory: string;
  readonly #maxBytes: number;

  private constructor(directory: string, maxBytes: number) {
    this.#directory = directory;
    this.#maxBytes = maxBytes;
  }

  /**
   * Makes the directory where it is missing.
   *
   * @throws what the file system says against it.
   */
  static async open(directory: string, maxBytes: number): Promise<PromptCacheStore> {
    await mkdir(directory, { recursive: true, mode: 0o700 });
    await rm(await mkdtemp(join(directory, unfinished)), { recursive: true }); // may it be written to?
    return new PromptCacheStore(directory, maxBytes);
  }

  /** @returns undefined when there is no such entry. One that is refused has been removed, if that may be. */
  async find(key: PromptCacheKey): Promise<Found | undefined> {
    const entry = join(this.#directory, entryName(key));
    if (!(await exists(entry))) return undefined;
    const found = await readEntry(entry, key);
    // One that cannot be removed belongs to somebody else, and is not used either.
    if ('refused' in found) await remove(entry).catch(() => undefined);
    else await touch(entry);
    return found;
  }

  async remove(key: PromptCacheKey): Promise<void> {
    await remove(join(this.#directory, entryName(key)));
  }

  async begin(key: PromptCacheKey): Promise<UnfinishedEntry> {
    const own = await mkdtemp(join(this.#directory, unfinished));
    const path = join(own, cacheFile);
    const discard = (): Promise<void> => remove(own);
    const keep = async (): Promise<string | undefined> => {
      try {
        if (!(await exists(path))) return undefined;
        await chmod(path, 0o600);
        await describeEntry(own, key);
        return await this.#place(own, key);
      } finally {
        await discard();
      }
    };
    return { path, keep, discard };
  }

  async #place(own: string, key: PromptCacheKey): Promise<string> {
    const entry = join(this.#directory, entryName(key));
    await rename(own, entry).catch(async (error: unknown) => {
      // Another process was faster; what it has put there is as good, if it is whole.
      const found = await readEntry(entry, key);
      if ('refused' in found) throw error;
    });
    await this.#shrink(entry);
    return join(entry, cacheFile);
  }

  /** @param newest - stays, even where it alone is too much. */
  async #shrink(newest: string): Promise<void> {
    const entries: { path: string; bytes: number; usedMs: number }[] = [];
    for (const name of await readdir(this.#directory)) {
      const path = join(this.#directory, name);
      if (name.startsWith(unfinished)) await removeAbandoned(path);
      else if (entryPattern.test(name) && path !== newest) entries.push({ path, ...(await sizeOf(path)) });
    }
    entries.sort((a, b) => b.usedMs - a.usedMs);
    let left = this.#maxBytes - (await sizeOf(newest)).bytes;
    for (const { path, bytes } of entries) {
      left -= bytes;
      if (left < 0) await remove(path);
    }
  }
}

/** Of an entry that another process removes at this moment: nothing. */
async function sizeOf(entry: string): Promise<{ bytes: number; usedMs: number }> {
  try {
    const [cache, described] = await Promise.all([lstat(join(entry, cacheFile)), lstat(join(entry, describingFile))]);
    return { bytes: cache.size + described.size, usedMs: described.mtimeMs };
  } catch {
    return { bytes: 0, usedMs: 0 };
  }
}

async function touch(entry: string): Promise<void> {
  const now = new Date();
  await utimes(join(entry, describingFile), now, now).catch(() => undefined); // removed meanwhile: the runtime will say so
}

async function removeAbandoned(path: string): Promise<void> {
  const stats = await lstat(path).catch(() => undefined);
  if (stats !== undefined && Date.now() - stats.mtimeMs > unfinishedMs) await remove(path);
}

async function exists(path: string): Promise<boolean> {
  return lstat(path).then(
    () => true,
    () => false,
  );
}

/** Another process may be removing the same. */
async function remove(path: string): Promise<void> {
  await rm(path, { recursive: true, force: true });
}
