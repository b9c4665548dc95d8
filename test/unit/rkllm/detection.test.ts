import { copyFileSync, symlinkSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import type { RkllmError } from '../../../lib/errors.js';
import { failureOf } from '../../support/reading.js';
import { root, runNode } from '../../support/run-node.js';
import { FakeModel, directory, fakeRuntime, prompt, read } from './fake-model.js';

/** A release of each generation: what it is called when its file says so, and when it does not. */
const releases = [
  { release: '1.1.1', named: '1.1', unnamed: '1.1' },
  { release: '1.2.0', named: '1.2.0', unnamed: '1.2.0 to 1.2.1b1' },
  { release: '1.2.1b1', named: '1.2.1b1', unnamed: '1.2.0 to 1.2.1b1' },
  { release: '1.2.3', named: '1.2.1', unnamed: '1.2.1' },
  { release: '1.3.0', named: '1.3.0', unnamed: '1.3.0 to 1.3.1' },
  { release: '1.3.1', named: '1.3.1', unnamed: '1.3.0 to 1.3.1' },
];
const styles = [
  { style: 'field by field', suffix: '' },
  { style: 'over zeros', suffix: '-zeroed' },
];
const grid = releases.flatMap((release) => styles.map((style) => ({ ...release, ...style })));

describe.each(grid)('$release that writes its defaults $style', ({ release, suffix, named, unnamed }) => {
  test('is known by its version string', async () => {
    const model = await new FakeModel('token a').load({ runtimePath: fakeRuntime(release + suffix) });
    expect(model.info.runtime).toMatchObject({ version: release, generation: named, overridden: false });
    const evidence = model.info.runtime?.evidence ?? [];
    expect(evidence.map(({ source }) => source)).toEqual(['symbols', 'version string', 'rkllm_createDefaultParam']);
    for (const { found, suggests } of evidence) expect([found, suggests]).not.toContain(undefined);
    expect((await read(model.start(prompt()))).text).toBe('a');
  });

  test('is known without a version string as far as it matters', async () => {
    const model = await new FakeModel('token a').load({ runtimePath: fakeRuntime(`${release}${suffix}-unstated`) });
    expect(model.info.runtime).toMatchObject({ version: undefined, generation: unnamed, overridden: false });
    expect((await read(model.start(prompt()))).text).toBe('a');
  });

  test('is refused as a release that is not known yet, with the evidence', async () => {
    const fake = new FakeModel();
    const load = (): Promise<unknown> => fake.load({ runtimePath: fakeRuntime(`${release}${suffix}-future`) });
    const error = (await failureOf(load)) as RkllmError;
    expect(error).toMatchObject({ code: 'RKLLM_RUNTIME_UNSUPPORTED', details: { version: '1.4.0' } });
    expect(error.message).toMatch(/1\.1\.0 to 1\.3\.1.*Evidence: symbols: .*version string: 1\.4\.0/u);
    expect(error.details['evidence']).toHaveLength(2); // it was not called
    expect(error.hint).toContain('runtimeVersion');
    expect(fake.journal).toEqual([]);
  });

  test('is taken for what the user says it is', async () => {
    const model = await new FakeModel('token a').load({
      runtimePath: fakeRuntime(`${release}${suffix}-future`),
      npu: { runtimeVersion: release as '1.1.1' },
    });
    expect(model.info.runtime).toMatchObject({ version: '1.4.0', generation: named, overridden: true });
    expect(model.info.runtime?.evidence).toContainEqual({
      source: 'option runtimeVersion',
      found: release,
      suggests: expect.any(String) as string,
    });
    expect((await read(model.start(prompt()))).text).toBe('a');
  });
});

describe('evidence that contradicts itself is refused', () => {
  test.each([
    ['1.1-lying', '1.2.3', 2],
    ['1.2-lying', '1.1.4', 2],
    ['1.2.3-lying', '1.3.0', 3],
    ['1.3-lying', '1.2.3', 3],
  ])('%s says %s', async (name, version, findings) => {
    const fake = new FakeModel();
    const error = (await failureOf(() => fake.load({ runtimePath: fakeRuntime(name) }))) as RkllmError;
    expect(error).toMatchObject({ code: 'RKLLM_RUNTIME_UNSUPPORTED', details: { version } });
    expect(error.message).toContain('contradictory');
    expect(error.details['evidence']).toHaveLength(findings);
    expect(fake.journal).toEqual([]);
  });

  test.each([
    ['1.2.3', '1.1.4'],
    ['1.1.1', '1.2.3'],
    ['1.2.3', '1.3.0'],
    ['1.3.1', '1.2.3'],
    ['1.2.0', '1.2.1'],
  ] as const)('%s is not %s because the user says so', async (name, runtimeVersion) => {
    const fake = new FakeModel();
    const load = (): Promise<unknown> => fake.load({ runtimePath: fakeRuntime(name), npu: { runtimeVersion } });
    expect(await failureOf(load)).toMatchObject({ code: 'RKLLM_RUNTIME_UNSUPPORTED' });
    expect(fake.journal).toEqual([]);
  });

  test('a lie is corrected by the user', async () => {
    const model = await new FakeModel('token a').load({
      runtimePath: fakeRuntime('1.3-lying'),
      npu: { runtimeVersion: '1.3.0' },
    });
    expect(model.info.runtime).toMatchObject({ version: '1.2.3', generation: '1.3.0', overridden: true });
  });
});

test('a library is known by its content: not by its name, nor by that of a link', async () => {
  const renamed = path.join(directory, 'librkllmrt-1.1.4.so');
  copyFileSync(fakeRuntime('1.3.0'), renamed);
  const link = path.join(directory, 'librkllmrt-1.2.0.so');
  symlinkSync(fakeRuntime('1.2.3'), link);
  expect((await new FakeModel().load({ runtimePath: renamed })).info.runtime?.generation).toBe('1.3.0');
  expect((await new FakeModel().load({ runtimePath: link })).info.runtime).toMatchObject({
    generation: '1.2.1',
    path: link,
  });
});

test.each([
  ['garbage in the padding', { FAKE_RKLLM_DIRTY_DEFAULTS: '1' }],
  ['4 CPUs', { FAKE_RKLLM_CPUS: '4' }],
  ['6 CPUs', { FAKE_RKLLM_CPUS: '6' }],
  ['8 CPUs', { FAKE_RKLLM_CPUS: '8' }],
])('all are known, and get what they expect, with %s', async (_, env) => {
  const model = path.join(directory, 'any.rkllm');
  writeFileSync(model, '#fake-rkllm\ntoken a\n');
  const runtimes = releases.flatMap(({ release }) => [release, `${release}-unstated`]).map(fakeRuntime);
  const program = `const { createRkllmBackend } = require(${JSON.stringify(path.join(root, 'dist/backends/rkllm/index.js'))});
    (async () => {
      for (const runtimePath of ${JSON.stringify(runtimes)}) {
        const model = await createRkllmBackend().load({ path: ${JSON.stringify(model)}, sampling: {}, runtimePath, npu: { isolation: 'none' } });
        await model.start({ input: { type: 'text', text: 'hi' }, sampling: {} }).ended;
        console.log(model.info.runtime.generation);
        await model.dispose();
      }
    })();`;
  const { stdout, stderr } = await runNode(['-e', program], { env });
  expect(stderr).toBe(''); // where the fake runtime complains
  expect(stdout.trim().split('\n')).toEqual(releases.flatMap(({ named, unnamed }) => [named, unnamed]));
});
