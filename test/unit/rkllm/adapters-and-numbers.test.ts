/** `embed()`, `logits()` and adapters by name, on each generation of the runtime. */
import { writeFileSync } from 'node:fs';
import path from 'node:path';
import { RkllmError, loadModel, type LoadModelOptions, type Model } from 'rkllm';
import { loadAdapters } from '../../../lib/backends/rkllm/adapters.js';
import { codeOf, failureOf } from '../../support/reading.js';
import { FakeModel, directory, fakeRuntime, isFrom, isolation, releases, type Release } from './fake-model.js';

const open: Model[] = [];
afterEach(async () => {
  await Promise.all(open.splice(0).map((model) => model.dispose({ abort: true })));
});

async function load(release: Release, script: string[], options: LoadModelOptions = {}): Promise<[FakeModel, Model]> {
  const fake = new FakeModel('details', ...script);
  const runtimePath = fakeRuntime(release);
  const model = await loadModel(fake.path, { backend: 'rkllm', runtimePath, template: 'phi3', isolation, ...options });
  open.push(model);
  return [fake, model];
}

const legal = path.join(directory, 'legal.rkllm');
const polite = path.join(directory, 'polite.rkllm');
beforeAll(() => {
  for (const file of [legal, polite]) writeFileSync(file, '#fake-rkllm-lora\n');
});
const adapters = [
  { name: 'legal', path: legal, scale: 0.8 },
  { name: 'polite', path: polite },
];

describe.each(releases)('%s', (release) => {
  test('gives vectors, and logits from 1.2.0 on', async () => {
    const [, model] = await load(release, ['embed-dim 4', 'vocab 6', 'token a']);
    const { vectors, dimensions } = await model.embed(['one two', 'three'], { normalize: false });
    expect(dimensions).toBe(4);
    expect(vectors.map((vector) => [...vector])).toEqual([
      [4, 5, 6, 7],
      [0, 1, 2, 3],
    ]);
    expect([...((await model.embed('one two', { pooling: 'mean', normalize: false })).vectors[0] ?? [])]).toEqual([
      2, 3, 4, 5,
    ]);
    const logits = await model.logits({ prompt: 'one two' }).catch((error: unknown) => error);
    expect(logits).toMatchObject(
      isFrom(release, '1.2.0') ? { rows: 2, columns: 6 } : { code: 'RKLLM_UNSUPPORTED_BY_RUNTIME' },
    );
    expect([model.capabilities.hiddenStates, model.capabilities.logits]).toEqual([true, isFrom(release, '1.2.0')]);
    expect((await model.generate('hi')).text).toBe('a');
  });

  test('loads adapters with the model, by request and by conversation', async () => {
    const [fake, model] = await load(release, ['token a'], { adapters });
    expect(model.runtime?.adapters).toEqual(['legal', 'polite']);
    expect(fake.journal.filter((line) => line.startsWith('load-lora'))).toEqual([
      `load-lora "legal" "${legal}" scale=0.800000`,
      `load-lora "polite" "${polite}" scale=1.000000`,
    ]);
    await model.generate('one', { lora: 'polite' });
    const chat = model.chat({ lora: 'legal' });
    await chat.send('two');
    await chat.fork().send('three');
    await chat.send('four', { lora: 'polite' });
    await model.generate('five');
    const chosen = fake.journal
      .filter((line) => line.startsWith('infer'))
      .map((line) => /lora="?(\w*)/u.exec(line)?.[1]);
    expect(chosen).toEqual(['polite', 'legal', 'legal', 'polite', chosen.at(-1)]);
    expect(['', undefined, 'none', 'null']).toContain(chosen.at(-1));
  });
});

test('an unknown adapter is refused before anything runs, with the name that was meant', async () => {
  const [fake, model] = await load('1.2.3', ['token a'], { adapters });
  expect(await failureOf(async () => model.generate('hi', { lora: 'leagl' }))).toMatchObject({
    code: 'RKLLM_ADAPTER_UNKNOWN',
    hint: "Did you mean 'legal'?",
    details: { owner: 'generate()', known: ['legal', 'polite'] },
  });
  expect(await codeOf(() => model.chat({ lora: 'no' }))).toBe('RKLLM_ADAPTER_UNKNOWN');
  expect(await codeOf(async () => model.chat().send('hi', { lora: 'no' }))).toBe('RKLLM_ADAPTER_UNKNOWN');
  expect(fake.calls.filter((call) => call.startsWith('run'))).toEqual([]);
  await model.runtime?.loadLora({ name: 'no', path: polite });
  expect(model.runtime?.adapters).toEqual(['legal', 'polite', 'no']);
  expect((await model.generate('hi', { lora: 'no' })).text).toBe('a');
});

test('an adapter whose file is missing keeps the model from being loaded', async () => {
  const fake = new FakeModel();
  const missing = [...adapters, { name: 'gone', path: './gone.rkllm' }];
  const options = { backend: 'rkllm', runtimePath: fakeRuntime('1.2.3'), isolation, adapters: missing } as const;
  expect(await failureOf(() => loadModel(fake.path, options))).toMatchObject({
    code: 'RKLLM_MODEL_NOT_FOUND',
    details: { adapter: 'gone', path: path.resolve('gone.rkllm') },
  });
  expect(fake.calls).toEqual([]);
});

test('an adapter that the runtime does not take is named', async () => {
  const refused = new RkllmError('RKLLM_RUN_FAILED', 'rkllm_load_lora returned -1.', {
    hint: '',
    details: { returned: -1 },
  });
  const loadLora = ({ name }: { name: string }): Promise<void> =>
    name === 'polite' ? Promise.reject(refused) : Promise.resolve();
  expect(await failureOf(() => loadAdapters({ loadLora }, adapters, undefined))).toMatchObject({
    code: 'RKLLM_INIT_FAILED',
    details: { adapter: 'polite', path: polite, returned: -1 },
    cause: refused,
  });
});

test('adapters are there again when the model is loaded again for other sampling', async () => {
  const [fake, model] = await load('1.2.3', ['token a'], { adapters, sampling: 'reload' });
  await model.runtime?.loadLora({ name: 'late', path: polite });
  expect((await model.generate('hi', { lora: 'legal', temperature: 0.1 })).text).toBe('a');
  expect(fake.journal.filter((line) => line.startsWith('load-lora'))).toHaveLength(5);
  expect(model.runtime?.adapters).toEqual(['legal', 'polite']);
  expect(await codeOf(async () => model.generate('hi', { lora: 'late' }))).toBe('RKLLM_ADAPTER_UNKNOWN');
});
