/** What the model's process has of the application: what it needs, and no secret. */
import { closeSync, mkdirSync, openSync, readFileSync, readdirSync, readlinkSync } from 'node:fs';
import path from 'node:path';
import { runNode } from '../support/run-node.js';
import { directory, FakeModel, fakeRuntime } from '../unit/rkllm/fake-model.js';
import { startApp } from './isolated-app.js';

/** The environment that a process was started with. */
function environmentOf(pid: number): Record<string, string> {
  const entries = readFileSync(`/proc/${pid}/environ`, 'utf8').split('\0').filter(Boolean);
  return Object.fromEntries(
    entries.map((entry) => [entry.slice(0, entry.indexOf('=')), entry.slice(entry.indexOf('=') + 1)]),
  );
}

/** What descriptors are open on, by number. */
function descriptorsOf(pid: number): Map<number, string> {
  const numbers = readdirSync(`/proc/${pid}/fd`).map(Number);
  return new Map(numbers.map((number) => [number, readlinkSync(`/proc/${pid}/fd/${number}`)]));
}

/** Inodes of sockets that listen, of all kinds: state 0A is LISTEN for TCP, flag 00010000 for Unix sockets. */
function listeningInodes(pid: number): string[] {
  const rows = (file: string): string[][] =>
    readFileSync(`/proc/${pid}/net/${file}`, 'utf8')
      .trim()
      .split('\n')
      .slice(1)
      .map((line) => line.trim().split(/\s+/u));
  const tcp = ['tcp', 'tcp6'].flatMap(rows).filter((row) => row[3] === '0A');
  const unix = rows('unix').filter((row) => row[3] === '00010000');
  return [...tcp.map((row) => row[9] ?? ''), ...unix.map((row) => row[6] ?? '')];
}

const documented = {
  PATH: process.env['PATH'] ?? '',
  HOME: '/home/someone',
  LANG: 'C.UTF-8',
  LC_ALL: 'C.UTF-8',
  TZ: 'UTC',
  TMPDIR: '/tmp',
  LD_LIBRARY_PATH: `:relative:${directory}:./here:`,
  MALLOC_ARENA_MAX: '2',
  OMP_NUM_THREADS: '4',
  RKLLM_LOG_LEVEL: '1',
};
const secrets = {
  API_KEY: 'secret',
  NODE_OPTIONS: '--no-deprecation',
  RKLLM_MODEL: '/secret',
  LDX: 'x',
  npm_config_token: 'secret',
};

test('it has the documented variables only, and no library from the current directory', async () => {
  const { host } = await startApp(new FakeModel(), 'idle', { env: { ...documented, ...secrets } });
  const environment = environmentOf(host);
  // What the test itself was started with may have more of the documented ones.
  expect(environment).toMatchObject({ ...documented, LD_LIBRARY_PATH: directory });
  const allowed =
    /^(?:PATH|HOME|LANG|LC_[A-Z]+|TZ|TMPDIR|LD_LIBRARY_PATH|LD_PRELOAD|GLIBC_TUNABLES|MALLOC_[A-Z_]+|(?:OMP|GOMP|KMP)_[A-Z_]+|RK(?:LLM|NN)_LOG_LEVEL|[AULT]S(?:AN)?_OPTIONS|(?:AS|UBS|LS|TS)AN_OPTIONS)$/u;
  expect(Object.keys(environment).filter((name) => !allowed.test(name))).toEqual([]);
});

test('LD_LIBRARY_PATH with nothing absolute is not set at all', async () => {
  const { host } = await startApp(new FakeModel(), 'idle', { env: { LD_LIBRARY_PATH: ':.:relative' } });
  expect(environmentOf(host)).not.toHaveProperty('LD_LIBRARY_PATH');
});

test('it has no open file of the application, no listening socket, and / as its directory', async () => {
  const file = path.join(directory, 'left open');
  const leftOpen = openSync(file, 'w');
  const { pid, host } = await startApp(new FakeModel(), 'idle', { leftOpen });
  closeSync(leftOpen);
  expect([...descriptorsOf(pid).values()]).toContain(file);
  expect(readlinkSync(`/proc/${host}/cwd`)).toBe('/');
  const own = descriptorsOf(host);
  expect(own.get(0)).toBe('/dev/null');
  for (const number of [1, 2, 3]) expect(own.get(number)).toMatch(/^socket:/u);
  const applications = new Set(descriptorsOf(pid).values());
  const others = [...own].filter(([number]) => number > 3).map(([, target]) => target);
  expect(
    others.filter((target) => target !== '/dev/null' && !target.startsWith('anon_inode:') && applications.has(target)),
  ).toEqual([]);
  expect(others.filter((target) => target.startsWith('/') && target !== '/dev/null')).toEqual([]);
  const inodes = [...own.values()].flatMap((target) => /^socket:\[(\d+)\]$/u.exec(target)?.[1] ?? []);
  const listening = new Set(listeningInodes(host));
  expect(inodes.filter((inode) => listening.has(inode))).toEqual([]);
});

test.each([
  ['has changed it', ''],
  ['has removed it', "require('node:fs').rmdirSync(there);"],
])('it works when the application’s directory is another one: the application %s', async (name, then) => {
  const there = path.join(directory, `there ${name}`);
  mkdirSync(there);
  const model = new FakeModel('token fine');
  const source = `const { loadModel } = require('rkllm');
    (async () => {
      const there = process.env.THERE;
      const options = { runtimePath: process.env.RUNTIME, template: 'none' };
      const model = require('node:path').relative(process.cwd(), process.env.MODEL);
      const first = await loadModel(model, options);
      process.chdir(there); ${then}
      const second = await loadModel(process.env.MODEL, options);
      for (const loaded of [first, second]) { console.log((await loaded.generate('hi')).text); await loaded.dispose(); }
    })();`;
  const env = { MODEL: model.path, RUNTIME: fakeRuntime('1.1.1'), THERE: there };
  expect(await runNode(['-e', source], { env })).toEqual({ code: 0, signal: null, stderr: '', stdout: 'fine\nfine\n' });
});
