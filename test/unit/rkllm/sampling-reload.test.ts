import { copyFileSync } from 'node:fs';
import { loadModel, type LoadModelOptions, type Model } from 'rkllm';
import { codeOf } from '../../support/reading.js';
import { FakeModel, fakeRuntime, isolation } from './fake-model.js';

const prompt = { prompt: 'hi' };

function load(file: FakeModel, release: string, options: LoadModelOptions = {}): Promise<Model> {
  const { path } = file;
  return loadModel(path, {
    temperature: 0.5,
    isolation,
    ...options,
    backend: 'rkllm',
    runtimePath: fakeRuntime(release),
  });
}

/** The calls, of init only the sampling. */
function calls({ journal }: FakeModel): string[] {
  return journal.map((line) => {
    const [, topK, temperature] = /^init .*?top_k=(\d+) .*?temperature=([\d.]+)/u.exec(line) ?? [];
    return temperature === undefined ? line : `init ${topK ?? ''} ${Number(temperature).toString()}`;
  });
}

test.each(['1.1.1', '1.2.3'])('runtime %s is loaded again with other sampling', async (release) => {
  const file = new FakeModel('token yes');
  const model = await load(file, release, { topK: 5, sampling: 'reload' });
  const texts = [
    await model.generate(prompt).text(),
    await model.generate(prompt, { temperature: 1 }).text(),
    await model.generate(prompt, { temperature: 1 }).text(),
    await model.generate(prompt, { topK: 7 }).text(),
  ];
  expect(texts).toEqual(['yes', 'yes', 'yes', 'yes']);
  const { runtime } = model;
  expect((await runtime?.hiddenStates(prompt))?.rows).toBeGreaterThan(0);
  await model.dispose();
  const lifetimes = calls(file).filter((line) => /^(?:init|destroy|run hi)/u.test(line));
  expect(lifetimes).toEqual([
    ...['init 5 0.5', 'run hi', 'destroy'],
    ...['init 5 1', 'run hi', 'run hi', 'destroy'],
    ...['init 7 0.5', 'run hi', 'run hi', 'destroy'],
  ]);
});

test('runtime 1.3.0 takes it with the generation', async () => {
  const file = new FakeModel('token yes', 'details');
  const model = await load(file, '1.3.0', { sampling: 'reload' });
  await model.generate(prompt, { temperature: 1 });
  await model.dispose();
  expect(file.calls.filter((line) => line === 'init' || line === 'destroy')).toEqual(['init', 'destroy']);
  expect(file.journal.join('\n')).toMatch(/^infer .*temperature=1/mu);
});

test('runtime 1.1.1 that cannot be loaded again has failed', async () => {
  const file = new FakeModel('token yes');
  const model = await load(file, '1.1.1', { sampling: 'reload' });
  const other = new FakeModel('init-code -1');
  copyFileSync(other.path, file.path);
  expect(await codeOf(() => model.generate(prompt, { temperature: 1 }))).toBe('RKLLM_INIT_FAILED');
  expect(model.state).toBe('failed');
  await model.dispose();
});

test('runtime 1.1.1 that is stopped while it loads is loaded by the next', async () => {
  const file = new FakeModel('token yes', 'init-delay-ms 20');
  const model = await load(file, '1.1.1', { sampling: 'reload' });
  const stopped = model.generate(prompt, { temperature: 1 });
  setTimeout(() => stopped.abort(), 5);
  expect(await stopped).toMatchObject({ text: '', finishReason: 'abort' });
  expect(await model.generate(prompt).text()).toBe('yes');
  await model.dispose();
  const { calls } = file;
  const count = (name: string): number => calls.filter((line) => line === name).length;
  expect(count('init')).toBe(count('destroy'));
});
