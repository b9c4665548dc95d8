import { loadModel, type GenerateInput, type LoadModelOptions, type MediaKind, type Model } from 'rkllm';
import { codeOf } from '../../support/reading.js';
import { FakeModel, fakeRuntime, isolation, outcomeOf } from './fake-model.js';

const open: Model[] = [];
afterEach(async () => {
  await Promise.all(open.splice(0).map((model) => model.dispose()));
});

async function load(release: string, options: LoadModelOptions = {}): Promise<[FakeModel, Model]> {
  const fake = new FakeModel('details', 'embed-dim 4', 'token a');
  const model = await loadModel(fake.path, {
    backend: 'rkllm',
    runtimePath: fakeRuntime(release),
    embeddingWidth: 4,
    isolation,
    ...options,
  });
  open.push(model);
  return [fake, model];
}

/** `count` pictures of two tokens with four numbers each. */
const picture = (count = 1): { embeddings: Float32Array; tokensEach: number; count: number } => ({
  embeddings: Float32Array.from({ length: 8 * count }, (_, index) => index),
  tokensEach: 2,
  count,
});

/** What the runtime was told of the input. */
const told = (fake: FakeModel): string =>
  fake.journal.filter((line) => /image|video|audio/u.test(line) && !line.startsWith('init')).join('\n');

describe.each(['1.1.1', '1.2.0', '1.2.1b1', '1.2.3', '1.3.0', '1.3.1'])('%s', (release) => {
  test('takes an image', async () => {
    const [fake, model] = await load(release, { imageTags: { start: '<s>', end: '<e>', content: '<c>' } });
    expect(model.capabilities.media).toContain('image');
    expect(
      await model.generate({ prompt: 'what is <image> ?', image: { ...picture(), width: 3, height: 5 } }).text(),
    ).toBe('a');
    expect(told(fake)).toContain('image count=1 tokens=2 first=0 last=7');
    expect(told(fake).includes('size=3x5')).toBe(!['1.1.1', '1.2.0'].includes(release));
    const tags = release.startsWith('1.3') ? told(fake) : (fake.journal[0] ?? '');
    for (const tag of ['<s>', '<e>', '<c>']) expect(tags).toContain(tag);
  });

  test('takes the video and audio that it has', async () => {
    const [fake, model] = await load(release);
    const video = { ...picture(), tokensEach: 1, framesEach: 2 };
    const inputs: [MediaKind, GenerateInput][] = [
      ['video', { prompt: 'see <video>', video }],
      ['audio', { prompt: 'hear <audio>', audio: picture() }],
    ];
    for (const [kind, input] of inputs) {
      const isTaken = model.capabilities.media?.includes(kind) === true;

      const generate = async (): Promise<unknown> => model.generate(input).result();
      expect(await outcomeOf(generate)).toBe(isTaken ? 'done' : 'RKLLM_UNSUPPORTED_OPTION');
      expect(told(fake).includes(`${kind} count=1 tokens=2 first=0 last=7`)).toBe(isTaken);
    }
    expect(model.capabilities.media).toHaveLength(release === '1.3.1' ? 3 : release === '1.3.0' ? 2 : 1);
  });
});

test.each(['1.2.1b1', '1.2.3', '1.3.1'])('%s takes several images', async (release) => {
  const [fake, model] = await load(release);
  await model.generate({ prompt: '<image> or <image>', image: picture(2) }).result();
  expect(told(fake)).toContain('image count=2 tokens=2 first=0 last=15');
});

test.each(['1.1.1', '1.2.0'])('%s takes only one', async (release) => {
  const [fake, model] = await load(release);
  expect(await codeOf(() => model.generate({ prompt: '<image> or <image>', image: picture(2) }))).toBe(
    'RKLLM_UNSUPPORTED_BY_RUNTIME',
  );
  expect(told(fake)).toBe('');
});

test.each(['1.2.0-unstated', '1.3.1-unstated'])('%s takes none: look-alikes differ in them', async (release) => {
  const [, model] = await load(release);
  expect(model.capabilities.media).toEqual([]);
  expect(await codeOf(() => model.generate({ prompt: '<image>', image: picture() }))).toBe('RKLLM_UNSUPPORTED_OPTION');
});

test.each<[string, unknown]>([
  ['without a mark', { prompt: 'what?', image: picture() }],
  ['with a mark too many', { prompt: '<image> <image>', image: picture() }],
  ['that is nothing', { prompt: '<image>', image: null }],
  ['without embeddings', { prompt: '<image>', image: { tokensEach: 2 } }],
  ['with other numbers', { prompt: '<image>', image: { embeddings: new Float64Array(8), tokensEach: 2 } }],
  ['without a size', { prompt: '<image>', image: { embeddings: new Float32Array(8) } }],
  ['that is too short', { prompt: '<image>', image: { embeddings: new Float32Array(1), tokensEach: 2 } }],
  ['that does not divide', { prompt: '<image>', image: { embeddings: new Float32Array(9), tokensEach: 2 } }],
  ['with a wrong width', { prompt: '<image>', image: { ...picture(), width: -1 } }],
  ['with a wrong tag', { prompt: '<image>', image: { ...picture(), start: 1 } }],
  ['beside something else', { prompt: '<image>', image: picture(), temperature: 1 }],
])('an image %s is refused', async (_, input) => {
  const [fake, model] = await load('1.3.1');
  expect(await codeOf(() => model.generate(input as GenerateInput))).toBe('RKLLM_INVALID_INPUT');
  expect(told(fake)).toBe('');
});

describe('what the caller does with an image later makes no difference', () => {
  test('while its generation waits', async () => {
    const [fake, model] = await load('1.2.3');
    const image = picture();
    const first = model.generate({ prompt: 'busy' });
    const waiting = model.generate({ prompt: '<image>', image });
    image.embeddings.fill(9);
    Object.assign(image, { embeddings: new Float32Array(2), tokensEach: 1, count: 5 });
    await Promise.all([first.result(), waiting.result()]);
    expect(told(fake)).toContain('image count=1 tokens=2 first=0 last=7');
  });

  test('while it is checked', async () => {
    const [fake, model] = await load('1.2.3');
    const given = [picture().embeddings];
    const image = {
      tokensEach: 2,
      get embeddings(): Float32Array {
        return given.pop() ?? new Float32Array(1);
      },
    };
    await model.generate({ prompt: '<image>', image }).result();
    expect(told(fake)).toContain('image count=1 tokens=2 first=0 last=7');
  });
});
