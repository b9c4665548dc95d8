import { createHash } from 'node:crypto';
import { createReadStream, readFileSync, realpathSync } from 'node:fs';
import path from 'node:path';
import { pipeline } from 'node:stream/promises';
import { conclude, type Check, type Subject } from '../../checks/check.js';

/** What a file should be, as its download has left it. */
interface KnownChecksum {
  /** In hexadecimal, small letters. */
  readonly sha256: string;
  /** The file that says so. */
  readonly source: string;
}

/** Undefined: nothing beside the file tells. */
function findChecksum(file: string): KnownChecksum | undefined {
  return ofHubCache(file) ?? ofHubDirectory(file) ?? ofSidecar(file);
}

/** The cache of Hugging Face's tools has links to files that are named by their checksum. */
function ofHubCache(file: string): KnownChecksum | undefined {
  try {
    const blob = realpathSync(file);
    const name = path.basename(blob);
    return /^[\da-f]{64}$/u.test(name) ? { sha256: name, source: blob } : undefined;
  } catch {
    return undefined;
  }
}

/** Where they download into a directory (`--local-dir`), the second line of a file for each is its ETag. */
function ofHubDirectory(file: string): KnownChecksum | undefined {
  const { dir, base } = path.parse(file);
  const source = path.join(dir, '.cache', 'huggingface', 'download', `${base}.metadata`);
  return checksumIn(source, /^[^\n]*\n"?([\da-f]{64})"?\s/u);
}

/** As `sha256sum` writes it. */
function ofSidecar(file: string): KnownChecksum | undefined {
  return checksumIn(`${file}.sha256`, /^\\?([\da-f]{64})(?:\s|$)/iu);
}

function checksumIn(source: string, pattern: RegExp): KnownChecksum | undefined {
  try {
    const sha256 = pattern.exec(readFileSync(source, 'utf8'))?.[1]?.toLowerCase();
    return sha256 === undefined ? undefined : { sha256, source };
  } catch {
    return undefined;
  }
}

const subject: Subject = {
  id: 'model.checksum',
  title: 'Checksum',
  why: 'A download that was cut off or damaged looks like a model until the NPU computes nonsense with it.',
};

/** @param verify - reads the whole file and compares; otherwise it is only said whether there is something to compare. */
export async function checkChecksum(file: string, verify: boolean): Promise<Check> {
  const known = findChecksum(file);
  if (known === undefined) return conclude(subject, 'skip', 'nothing beside the file tells which it should have');
  const { sha256, source } = known;
  if (!verify) return conclude(subject, 'skip', `known (${source}), not compared`, '`npx rkllm doctor --verify`');
  try {
    const hash = createHash('sha256');
    await pipeline(createReadStream(file), hash);
    const found = hash.digest('hex');
    if (found === sha256) return conclude(subject, 'ok', `${sha256}, as ${source} says`);
    return conclude(subject, 'fail', `${found}, and ${source} says ${sha256}`, 'Download the model again.');
  } catch (error) {
    return conclude(
      subject,
      'fail',
      `the file cannot be read to its end: ${String(error)}`,
      'Download the model again.',
    );
  }
}
