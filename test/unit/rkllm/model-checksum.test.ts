import { createHash } from 'node:crypto';
import { mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { checkChecksum } from '../../../lib/backends/rkllm/model-checksum.js';

const directory = mkdtempSync(path.join(tmpdir(), 'rkllm-checksum-'));
afterAll(() => rmSync(directory, { recursive: true }));

const weights = Buffer.alloc(200_000, 'weights');
const right = createHash('sha256').update(weights).digest('hex');
const wrong = right.replaceAll(/./gu, (digit) => (digit === '0' ? '1' : '0'));

let made = 0;

/** A model in a directory of its own. */
function model(): string {
  const file = path.join(directory, (made++).toString(), 'model.rkllm');
  mkdirSync(path.dirname(file));
  writeFileSync(file, weights);
  return file;
}

/** Each writes down a checksum as some tool does. */
const places: Record<string, (sha256: string) => string> = {
  "Hugging Face's cache": (sha256) => {
    const blob = path.join(directory, (made++).toString(), 'blobs', sha256);
    mkdirSync(path.dirname(blob), { recursive: true });
    writeFileSync(blob, weights);
    const link = path.join(path.dirname(blob), 'model.rkllm');
    symlinkSync(sha256, link);
    return link;
  },
  "the metadata of Hugging Face's downloads": (sha256) => {
    const file = model();
    const metadata = path.join(path.dirname(file), '.cache', 'huggingface', 'download', 'model.rkllm.metadata');
    mkdirSync(path.dirname(metadata), { recursive: true });
    writeFileSync(metadata, `0123456789abcdef0123456789abcdef01234567\n${sha256}\n1700000000.5\n`);
    return file;
  },
  'what sha256sum wrote': (sha256) => {
    const file = model();
    writeFileSync(`${file}.sha256`, `${sha256.toUpperCase()}  model.rkllm\n`);
    return file;
  },
};

describe.each(Object.entries(places))('by %s', (_, place) => {
  test('a model that is whole is told', async () => {
    expect(await checkChecksum(place(right), true)).toMatchObject({
      status: 'ok',
      found: expect.stringContaining(right) as string,
    });
  });

  test('a model that is damaged fails', async () => {
    expect(await checkChecksum(place(wrong), true)).toMatchObject({
      status: 'fail',
      found: expect.stringContaining(`says ${wrong}`) as string,
      fix: 'Download the model again.',
    });
  });

  test('nothing is read unless it is asked for', async () => {
    expect(await checkChecksum(place(wrong), false)).toMatchObject({
      status: 'skip',
      fix: '`npx rkllm doctor --verify`',
    });
  });
});

test.each<[string, string | undefined]>([
  ['nothing beside it', undefined],
  ['a file that says something else', 'not a checksum'],
  ['a checksum of another kind', 'd41d8cd98f00b204e9800998ecf8427e'],
])('with %s there is nothing to compare', async (_, text) => {
  const file = model();
  if (text !== undefined) writeFileSync(`${file}.sha256`, text);
  expect(await checkChecksum(file, true)).toMatchObject({ status: 'skip' });
});

test('a file that cannot be read fails', async () => {
  const file = path.join(directory, 'gone.rkllm');
  writeFileSync(`${file}.sha256`, right);
  expect(await checkChecksum(file, true)).toMatchObject({
    status: 'fail',
    found: expect.stringContaining('ENOENT') as string,
  });
});
