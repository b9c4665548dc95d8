import { execFile, spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, readdirSync, readFileSync, rmSync, statSync } from 'node:fs';
import path from 'node:path';
import { promisify } from 'node:util';
import { addPeers, compileExamples, installPacked, type PackedProject } from '../support/packed.js';
import { root } from '../support/run-node.js';

const run = promisify(execFile);
const read = (...names: string[]): string => readFileSync(path.join(root, ...names), 'utf8');
const filesIn = (directory: string): string[] =>
  readdirSync(directory, { recursive: true, encoding: 'utf8' }).filter((name) =>
    statSync(path.join(directory, name)).isFile(),
  );
const megabytes = (bytes: number): number => bytes / 1e6;

let project: PackedProject;
beforeAll(async () => {
  project = await installPacked();
}, 300_000);
afterAll(() => rmSync(project.directory, { recursive: true }));

/** Runs a program of the project; what it prints. */
async function inProject(args: readonly string[], input = ''): Promise<string> {
  const child = run(process.execPath, args, { cwd: project.directory });
  child.child.stdin?.end(input);
  const { stdout } = await child;
  return stdout;
}

describe('installed from its tarball, without optional peers, the package', () => {
  const loading = `await loadModel().catch(({ code }) => code)`;
  const answering = `(await (await loadModel(undefined, { backend: scripted({ reply: 'Hello' }) })).generate('Hi')).text`;

  test.each([
    [
      'import',
      `import { loadModel } from 'rkllm'; import { scripted } from 'rkllm/testing';
       console.log([${answering}, ${loading}]);`,
      'module',
    ],
    [
      'require',
      `const { loadModel } = require('rkllm'); const { scripted } = require('rkllm/testing');
       (async () => console.log([${answering}, ${loading}]))();`,
      'commonjs',
    ],
  ])('answers, and says what the CPU needs (%s)', async (_, source, type) => {
    expect(await inProject([`--input-type=${type}`, '-e', source])).toBe("[ 'Hello', 'RKLLM_ONNX_NOT_INSTALLED' ]\n");
  });

  test('brings its command', async () => {
    expect(await inProject(['node_modules/.bin/rkllm', '--version'])).toBe(
      `${(JSON.parse(read('package.json')) as { version: string }).version}\n`,
    );
  });

  test('has the size that the README says', () => {
    const [, download = '', installed = ''] =
      /at most (\d+) MB to download and (\d+) MB on the disk/u.exec(read('README.md').replaceAll('\n', ' ')) ?? [];
    const modules = path.join(project.directory, 'node_modules');
    const size = filesIn(modules).reduce((sum, name) => sum + statSync(path.join(modules, name)).size, 0);
    expect(Number(download)).toBeLessThanOrEqual(5);
    expect(megabytes(statSync(project.tarball).size)).toBeLessThan(Number(download));
    expect(megabytes(size)).toBeLessThan(Number(installed));
  });

  test('has nothing but what its list of files means', () => {
    const places = new Set(filesIn(project.installed).map((name) => name.split(path.sep)[0]));
    const expected =
      /^(?:dist|lib|models|native|prebuilds|CHANGELOG\.md|CMakeLists\.txt|LICENSE|NOTICE|README\.md|package\.json)$/u;
    expect([...places].filter((name) => !expected.test(name ?? ''))).toEqual([]);
  });

  test('has a source for everything that its source maps name, and a map for all code', () => {
    const dist = path.join(project.installed, 'dist');
    const code = filesIn(dist).filter((name) => /(?:\.m?js|\.d\.m?ts)$/u.test(name));
    const problems = code.filter((name) => {
      const file = path.join(dist, name);
      const [, map] = /\/\/# sourceMappingURL=(\S+)\s*$/u.exec(readFileSync(file, 'utf8')) ?? [];
      if (map === undefined || !existsSync(path.join(path.dirname(file), map))) return true;
      const { sources } = JSON.parse(readFileSync(path.join(path.dirname(file), map), 'utf8')) as { sources: string[] };
      const inPackage = sources.map((source) => path.resolve(path.dirname(file), source));
      return !inPackage.every((source) => existsSync(source) && source.startsWith(path.join(project.installed, 'lib')));
    });
    expect(code.length).toBeGreaterThan(100);
    expect(problems).toEqual([]);
  });
});

describe('the examples, compiled against the installed package', () => {
  const names = filesIn(path.join(root, 'examples')).filter((name) => /\.(?:mts|cjs)$/u.test(name));
  /** A Node.js that takes TypeScript runs an example as its first line says, another one what the compiler made of it. */
  const runnable = (name: string): string =>
    (process.features as { typescript?: unknown }).typescript
      ? path.join('examples', name)
      : path.join('build', 'examples', name.replace('.mts', '.mjs'));

  beforeAll(async () => {
    addPeers(project);
    await compileExamples(project);
  }, 300_000);

  test.each(names)('%s has at most 40 lines', (name) => {
    expect(read('examples', name).trimEnd().split('\n').length).toBeLessThanOrEqual(40);
  });

  test.each([
    ['abort.mts', /by signal: abort after/u],
    ['chat.mts', /^tiny-phi3 on onnx\..*\n> .{10,}/u],
    [
      'embeddings.mts',
      /^What is a token\? \(192 dimensions\)\n0\.\d{3} A token is a piece of a word\.\n(?:0\.\d{3} .+\n){2}$/u,
    ],
    ['errors.mts', /^RKLLM_MODEL_NOT_FOUND: .+\nWhat to do: /u],
    ['stream.mts', /RK3588.*\n\[stop, \d+ tokens\]\n$/su],
    ['tools.mts', /^\[temperature: \{"room":"attic","celsius":9\}\]\n.*nine degrees\.\n\[stop after 2 steps\]\n$/u],
    ['worker-thread.mts', /RK3588.*token.*\[the worker ended with 0\]\n$/su],
  ])('%s runs', async (name, expected) => {
    expect(await inProject([runnable(name)], 'Hello\n\n')).toMatch(expected);
  });

  test.each([
    ['own-tests.mts', 1],
    ['own-backend.mts', 50],
    ['ci-app/app.test.mts', 2],
  ])('%s passes under node:test', async (name, atLeast) => {
    const output = await inProject(['--test', '--test-reporter=tap', runnable(name)]);
    expect(Number(/^# pass (\d+)$/mu.exec(output)?.[1])).toBeGreaterThanOrEqual(atLeast);
  });

  test('jest/answers.test.cjs passes under jest, run as it says', async () => {
    const [, options = ''] = /npx jest (.*)/u.exec(read('examples', 'jest', 'answers.test.cjs')) ?? [];
    const jest = path.join(root, 'node_modules', 'jest', 'bin', 'jest.js');
    const args = options.split(' ').map((option) => option.replaceAll("'", ''));
    const { stderr } = await run(process.execPath, [jest, ...args], { cwd: project.directory });
    expect(stderr).toMatch(/Tests: +3 passed, 3 total/u);
  });

  const servers: ChildProcess[] = [];
  afterAll(() => servers.forEach((server) => server.kill('SIGKILL')));

  test('server.mts streams an answer, refuses an empty question, and ends when it is told to', async () => {
    const server = spawn(process.execPath, [runnable('server.mts'), '0'], { cwd: project.directory });
    servers.push(server);
    const [line] = (await once(server.stdout, 'data')) as [Buffer];
    const url = `http://localhost:${/port (\d+)/u.exec(line.toString())?.[1] ?? ''}`;
    const answer = await (await fetch(url, { method: 'POST', body: 'What is a token?' })).text();
    const chunks = [...answer.matchAll(/^data: (.*)$/gmu)].map(
      ([, json = '']) => JSON.parse(json) as Record<string, unknown>,
    );
    expect(chunks.map(({ text }) => text).join('')).toContain('A token is');
    expect(chunks.at(-1)).toMatchObject({ type: 'finish', finishReason: 'stop' });
    const refused = await fetch(url, { method: 'POST', body: ' ' });
    expect([refused.status, await refused.text()]).toEqual([400, expect.stringContaining('RKLLM_EMPTY_PROMPT')]);
    server.kill('SIGTERM');
    expect(await once(server, 'close')).toEqual([0, null]);
  });

  test('each of them is run here', () => {
    const here = read('test', 'package', 'tarball.test.ts');
    // ci-app/app.mts is what its test runs.
    expect(names.filter((name) => name !== 'ci-app/app.mts' && !here.includes(`'${name}`))).toEqual([]);
  });
});
