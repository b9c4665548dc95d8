/** Models that ask for their tokens and embeddings. */
import { setTimeout as sleep } from 'node:timers/promises';
import { loadModel, type Embedder, type LoadModelOptions, type Model, type Tokenizer } from 'rkllm';
import { fakeRuntime, isolation, releases, type FakeModel, type Release } from './fake-model.js';

/** Those that ask. */
export const askingReleases = releases.filter((release) => release.startsWith('1.3'));
/** Floats of a row. */
export const width = 2;

/** The id of a word is its length. */
export const lengths: Tokenizer = (text) => text.split(' ').map((word) => word.length);

/** A row for each token: its id, and a half more. */
export const rows: Embedder = (tokenIds) =>
  Float32Array.from(
    { length: tokenIds.length * width },
    (_, i) => (tokenIds[Math.floor(i / width)] ?? 0) + (i % width) / 2,
  );

export const later =
  <A extends unknown[], R>(answer: (...args: A) => R | Promise<R>) =>
  async (...args: A): Promise<R> => {
    await sleep(2);
    return answer(...args);
  };

const open = new Set<Model>();
afterEach(async () => {
  const models = [...open];
  open.clear();
  await Promise.all(models.map((model) => model.dispose({ abort: true })));
});

export async function load(fake: FakeModel, release: Release, options: LoadModelOptions): Promise<Model> {
  const model = await loadModel(fake.path, {
    runtimePath: fakeRuntime(release),
    template: 'none',
    isolation,
    ...options,
  });
  open.add(model);
  return model;
}
