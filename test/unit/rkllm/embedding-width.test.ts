import { loadModel, type LoadModelOptions, type Model, type RuntimeControls } from 'rkllm';
import { codeOf } from '../../support/reading.js';
import { FakeModel, fakeRuntime, isolation } from './fake-model.js';

async function load(options: LoadModelOptions = {}): Promise<[FakeModel, Model, RuntimeControls]> {
  const fake = new FakeModel('embed-dim 4', 'token a');
  const runtimePath = fakeRuntime('1.3.1');
  const model = await loadModel(fake.path, { backend: 'rkllm', runtimePath, isolation, ...options });
  if (model.runtime === undefined) throw new Error('no runtime');
  return [fake, model, model.runtime];
}

const embeddings = new Float32Array(8);
const image = { embeddings, tokensEach: 2 };

test('embeddings are refused until their width is known', async () => {
  const [fake, model, runtime] = await load();
  expect(runtime.embeddingWidth).toBeUndefined();
  expect(await codeOf(() => runtime.hiddenStates({ embeddings, tokens: 2 }))).toBe('RKLLM_INVALID_INPUT');
  expect(await codeOf(async () => model.generate({ prompt: '<image>', image }))).toBe('RKLLM_INVALID_INPUT');
  expect(fake.calls.some((call) => call.startsWith('run'))).toBe(false);

  await runtime.hiddenStates({ prompt: 'a' });
  expect(runtime.embeddingWidth).toBe(4);
  expect(await runtime.hiddenStates({ embeddings, tokens: 2 })).toMatchObject({ rows: 2, columns: 4 });
  expect((await model.generate({ prompt: '<image>', image })).text).toBe('a');
  await model.dispose();
});

test.each([1, 3, 4, 8])('8 floats are not %i embeddings of four', async (tokens) => {
  const [fake, model, runtime] = await load({ embeddingWidth: 4 });
  expect(await codeOf(() => runtime.hiddenStates({ embeddings, tokens }))).toBe('RKLLM_INVALID_INPUT');
  expect(fake.calls).toHaveLength(2);
  await model.dispose();
});

test('an image may have several embeddings for each token, and no part of one', async () => {
  const [, model] = await load({ embeddingWidth: 4 });
  const ask = (length: number): Promise<string> =>
    model.generate({ prompt: '<image>', image: { embeddings: new Float32Array(length), tokensEach: 2 } }).text();
  expect(await ask(16)).toBe('a');
  expect(await codeOf(async () => ask(12))).toBe('RKLLM_INVALID_INPUT');
  expect(await codeOf(async () => ask(4))).toBe('RKLLM_INVALID_INPUT');
  await model.dispose();
});
