import { appendFileSync, renameSync } from 'node:fs';
import path from 'node:path';
import { loadModel, type Logger } from 'rkllm';
import type { Check } from '../../../lib/checks/check.js';
import type { RkllmError } from '../../../lib/errors.js';
import { failureOf } from '../../support/reading.js';
import { directory, FakeModel, fakeRuntime } from './fake-model.js';

/** A file that was converted by a toolkit that the runtime does not know. */
function newerModel(...script: string[]): string {
  const file = path.join(directory, `phi-3-v9.9.9-${script.join('-').replaceAll(' ', '')}.rkllm`);
  renameSync(new FakeModel(...script).path, file);
  return file;
}

test('what may keep a model from working is told before the runtime is touched, and the load goes on', async () => {
  const warnings: [Check, readonly string[]][] = [];
  const fake = new FakeModel('token a');
  appendFileSync(fake.path, '# rkllm-toolkit version: 1.3.1\n');
  const model = await fake.load({ onWarning: (warning) => warnings.push([warning, fake.calls]) });
  expect(warnings.map(([{ id, status }, calls]) => ({ id, status, calls }))).toContainEqual({
    id: 'model.release',
    status: 'warn',
    calls: [],
  });
  expect(model.info.runtime?.version).toBe('1.1.1');
});

test('runtimeVersion is believed', async () => {
  const warnings: Check[] = [];
  const fake = new FakeModel('token a');
  appendFileSync(fake.path, '# rkllm-toolkit version: 1.1.4\n');
  await fake.load({
    runtimePath: fakeRuntime('1.1.1-unstated'),
    npu: { runtimeVersion: '1.1.4' },
    onWarning: (warning) => warnings.push(warning),
  });
  expect(warnings.map(({ id }) => id)).not.toContain('model.release');
});

test('a load that the runtime refuses says what stood out', async () => {
  const fake = new FakeModel('init-code -1');
  appendFileSync(fake.path, '# rkllm-toolkit version: 1.2.3\n');
  const error = (await failureOf(() => fake.load())) as RkllmError;
  expect(error).toMatchObject({ code: 'RKLLM_INIT_FAILED', details: { code: '-1' } });
  expect(error.hint).toContain('a model of 1.2.3, and the runtime is older: 1.1.1');
  expect(error.details['preflight']).toContainEqual(expect.objectContaining({ id: 'model.release', status: 'warn' }));
  expect(JSON.parse(JSON.stringify(error.details))).toEqual(error.details);
});

test('a library that is not there is told by the load, not by the preflight', async () => {
  const fake = new FakeModel('token a');
  appendFileSync(fake.path, '# rkllm-toolkit version: 1.2.3\n');
  const error = (await failureOf(() => fake.load({ runtimePath: '/not/there.so' }))) as RkllmError;
  expect(error).toMatchObject({ code: 'RKLLM_RUNTIME_NOT_FOUND' });
  expect(error.details).not.toHaveProperty('preflight');
});

test('the logger is told once, also when the model is loaded again', async () => {
  const lines: [string, unknown][] = [];
  const ignore = (): void => undefined;
  const warn: Logger['warn'] = ({ check }, message) => void lines.push([message, check]);
  const model = await loadModel(newerModel('token a'), {
    runtimePath: fakeRuntime('1.1.1'),
    sampling: 'reload',
    template: 'phi3',
    logger: { debug: ignore, info: ignore, warn, error: ignore },
  });
  await model.generate('one', { temperature: 0.5 });
  await model.dispose();
  const expected = 'Model and runtime: a model of 9.9.9, by its name, and the runtime is older: 1.1.1';
  expect(lines.filter(([, check]) => check === 'model.release')).toEqual([[expected, 'model.release']]);
});
