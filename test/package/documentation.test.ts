import { execFile } from 'node:child_process';
import { existsSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { promisify } from 'node:util';
import { errorCodes } from 'rkllm';

const root = path.join(__dirname, '..', '..');
const documents = ['README.md', ...readdirSync(path.join(root, 'docs')).map((name) => path.join('docs', name))].filter(
  (name) => name.endsWith('.md'),
);
const read = (name: string): string => readFileSync(path.join(root, name), 'utf8');
/** The documentation names `.rkllm` files: here the embedded model takes their place. */
const substituted = { ...process.env, RKLLM_BACKEND: 'onnx' };
const run = promisify(execFile);

const blocks = documents.flatMap((document) =>
  [...read(document).matchAll(/^```js\n(.*?)^```$/gmsu)].map((match, index) => ({
    title: `${document}, block ${index + 1}`,
    code: match[1] ?? '',
  })),
);

describe('code in the documentation', () => {
  // Inside the checkout, so that `rkllm` resolves to this package, as it does for those who installed it.
  mkdirSync(path.join(root, 'build'), { recursive: true });
  const directory = mkdtempSync(path.join(root, 'build', 'documentation-'));

  afterAll(() => {
    rmSync(directory, { recursive: true });
  });

  test('is found', () => {
    expect(blocks.length).toBeGreaterThan(5);
  });

  test.each(blocks)('$title runs', async ({ title, code }) => {
    const file = path.join(directory, `${title.replaceAll(/\W+/gu, '-')}.mjs`);
    writeFileSync(file, code);
    const { stdout } = await run(process.execPath, [file], { cwd: root, env: substituted });
    expect(stdout).not.toBe('');
  });

  test("the README's streaming example fits in ten lines", () => {
    const lines = blocks.find(({ title }) => title === 'README.md, block 1')?.code.split('\n') ?? [];
    expect(lines.filter((line) => line.trim() !== '').length).toBeLessThanOrEqual(10);
    expect(lines.join('\n')).toContain('for await');
  });
});

describe('troubleshooting', () => {
  const headings = [...read('docs/troubleshooting.md').matchAll(/^### (\w+)$/gmu)].map((match) => match[1]);

  test('has a section for each error code, and for nothing else', () => {
    expect([...headings].sort()).toEqual([...errorCodes].sort());
  });
});

describe('links', () => {
  test.each(documents)('of %s lead somewhere', (document) => {
    const targets = [...read(document).matchAll(/\]\((?!https?:)([^)#]+)/gu)].map((match) => match[1] ?? '');
    const missing = targets.filter((target) => !existsSync(path.join(root, path.dirname(document), target)));
    expect(missing).toEqual([]);
  });
});
