/** Tools of generations where the runtime's own template writes the prompt. */
import { loadModel, type Model } from 'rkllm';
import { codeOf } from '../../support/reading.js';
import { FakeModel, fakeRuntime, isolation, type Release } from './fake-model.js';

const weather = { name: 'weather', parameters: { type: 'object', properties: { city: { type: 'string' } } } };
const shown = JSON.stringify([{ type: 'function', function: { name: 'weather', parameters: weather.parameters } }]);

async function load(fake: FakeModel, release: Release): Promise<Model> {
  return loadModel(fake.path, { runtimePath: fakeRuntime(release), isolation, template: 'runtime' });
}

const settings = (fake: FakeModel): string[] =>
  fake.journal.filter((line) => line.startsWith('set-function-tools')).map((line) => line.replaceAll('\\"', '"'));

test('are set before the prompt, once, and taken back for a request without', async () => {
  const fake = new FakeModel('token a');
  const model = await load(fake, '1.2.3');
  await model.generate('Graz?');
  expect(settings(fake)).toEqual([]);
  await model.generate('Graz?', { tools: [weather] });
  await model.generate('Graz?', { tools: [weather] });
  expect(settings(fake)).toHaveLength(1);
  expect(settings(fake)[0]).toContain(shown);
  await model.generate('Graz?');
  expect(settings(fake)).toHaveLength(2);
  expect(settings(fake)[1]).toContain('[]');
  await model.dispose();
});

test('that were set by hand stay until a request sets others', async () => {
  const fake = new FakeModel('token a');
  const model = await load(fake, '1.2.3');
  await model.runtime?.setFunctionTools({ tools: '[1]', responseTag: 'tool_response' });
  await model.generate('Graz?');
  expect(settings(fake)).toHaveLength(1);
  await model.dispose();
});

test('are refused before 1.2.1', async () => {
  const model = await load(new FakeModel('token a'), '1.2.0');
  expect(await codeOf(() => model.generate('Graz?', { tools: [weather] }))).toBe('RKLLM_UNSUPPORTED_BY_RUNTIME');
  await model.dispose();
});
