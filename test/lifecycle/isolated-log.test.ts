/** What the vendor's runtime prints: where it goes, and what it explains. */
import { subscribe, unsubscribe } from 'node:diagnostics_channel';
import { loadModel, type LogTrace, type Model, type RkllmError } from 'rkllm';
import { failureOf } from '../support/reading.js';
import { root, runNode } from '../support/run-node.js';
import { FakeModel, fakeRuntime, releases, type Release } from '../unit/rkllm/fake-model.js';

function load(fake: FakeModel, release: Release = '1.2.3', options: object = {}): Promise<Model> {
  const runtimePath = fakeRuntime(release);
  return loadModel(fake.path, { backend: 'rkllm', runtimePath, template: 'none', ...options });
}

/** What is published while the action runs. */
async function logOf(action: () => Promise<unknown>): Promise<LogTrace[]> {
  const lines: LogTrace[] = [];
  const listener = (line: unknown): void => void lines.push(line as LogTrace);
  subscribe('rkllm:log', listener);
  await action().finally(() => unsubscribe('rkllm:log', listener));
  return lines;
}

describe('a line', () => {
  test('is published with its level and component, and told to the logger', async () => {
    const told: unknown[][] = [];
    const tell =
      (level: string) =>
      (...args: unknown[]): void =>
        void told.push([level, ...args]);
    const logger = { debug: tell('debug'), info: tell('info'), warn: tell('warn'), error: tell('error') };
    const fake = new FakeModel(
      'print load I rkllm: one',
      'print load W rkllm: two',
      'print load E RKNN: [10:49:05.216] three \\x1b[31mred',
      'print-stderr load four',
      'token a',
    );
    const lines = await logOf(async () => {
      const model = await load(fake, '1.2.3', { logger });
      await model.dispose();
    });
    const expected = [
      { level: 'info', component: 'rkllm', text: 'one', stream: 'stdout' },
      { level: 'warn', component: 'rkllm', text: 'two', stream: 'stdout' },
      { level: 'error', component: 'rknn', text: 'three red', stream: 'stdout' },
      { level: 'warn', component: 'other', text: 'four', stream: 'stderr' },
    ];
    const byStream = (stream: string): object[] => expected.filter((line) => line.stream === stream);
    for (const stream of ['stdout', 'stderr'] as const) {
      expect(lines.filter((line) => line.stream === stream)).toEqual(
        byStream(stream).map((line) => ({ ...line, path: fake.path })),
      );
    }
    for (const { level, component, text, stream } of expected) {
      expect(told).toContainEqual([level, { path: fake.path, component, stream }, text]);
    }
  });

  test('of a run is published, too, and none of ours among them', async () => {
    const model = await load(new FakeModel('token a', 'print prefill I rkllm: thinking'));
    const lines = await logOf(() => model.generate('hi').text());
    expect(lines.map(({ text }) => text)).toEqual(['thinking']);
    await model.dispose();
  });

  test("never reaches the application's own output", async () => {
    const fake = new FakeModel('log', 'token a', 'print load noise', 'print-stderr prefill noise');
    const program = `const { loadModel } = require(${JSON.stringify(`${root}/dist/index.js`)});
      loadModel(${JSON.stringify(fake.path)}, { runtimePath: ${JSON.stringify(fakeRuntime('1.2.3'))}, template: 'none' })
        .then(async (model) => { console.log((await model.generate('hi')).text); await model.dispose(); });`;
    expect(await runNode(['-e', program])).toMatchObject({ stdout: 'a\n', stderr: '', code: 0 });
  });
});

/** The code of each failure that the stand-ins play in the vendor's words. */
const failures = {
  'no-driver': 'RKLLM_DRIVER_NOT_FOUND',
  'unknown-platform': 'RKLLM_PLATFORM_UNSUPPORTED',
  'other-board': 'RKLLM_PLATFORM_UNSUPPORTED',
  'invalid-model': 'RKLLM_MODEL_INVALID',
  'old-model': 'RKLLM_MODEL_INCOMPATIBLE',
  'other-platform': 'RKLLM_MODEL_INCOMPATIBLE',
  'npu-memory': 'RKLLM_NPU_MEMORY',
  'open-files': 'RKLLM_TOO_MANY_OPEN_FILES',
} as const;

describe.each(releases)('with runtime %s', (release) => {
  test.each(Object.entries(failures))('a load that fails as %s is an error %s', async (name, code) => {
    const error = (await failureOf(() => load(new FakeModel(`fail-as ${name}`), release))) as RkllmError;
    expect(error).toMatchObject({ code, details: { runtimeLine: expect.any(String) as string } });
    expect(error.hint).not.toBe('');
    expect(error.message).toContain('rkllm_init returned -1');
  });

  test('a context that is larger than the model allows is an error of the option', async () => {
    const fake = new FakeModel('log', 'max-context 64', 'token a');
    const error = await failureOf(() => load(fake, release, { maxContextLength: 128 }));
    expect(error).toMatchObject({ code: 'RKLLM_INVALID_OPTION', details: { option: 'maxContextLength' } });
  });

  test('a run that computes nonsense fails, though it returns 0', async () => {
    const model = await load(new FakeModel('fail-as old-driver', 'token a'), release);
    const error = await failureOf(() => model.generate('hi').text());
    expect(error).toMatchObject({ code: 'RKLLM_DRIVER_TOO_OLD', details: { returned: 0 } });
    await model.dispose();
  });

  test('a crash is explained by what came before it', async () => {
    const error = (await failureOf(() =>
      load(new FakeModel('fail-as npu-memory', 'fail load segv'), release),
    )) as RkllmError;
    expect(error).toMatchObject({ code: 'RKLLM_RUNTIME_CRASHED', details: { signal: 'SIGSEGV', phase: 'load' } });
    expect(error.hint).toMatch(/memory/u);
  });
});

describe('1.1.x, which says that it has loaded what it has not', () => {
  test.each(['no-driver', 'npu-memory', 'invalid-model'] as const)('is caught by its words (%s)', async (name) => {
    const fake = new FakeModel(`fail-as ${name}`, 'init-false-success assert');
    const error = await failureOf(() => load(fake, '1.1.1'));
    expect(error).toMatchObject({ code: 'RKLLM_INIT_FAILED', details: { cause: failures[name] } });
  });

  test('is believed when it has nothing to complain of', async () => {
    const model = await load(new FakeModel('log', 'token a'), '1.1.1');
    expect((await model.generate('hi')).text).toBe('a');
    await model.dispose();
  });
});
