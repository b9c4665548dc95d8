import { loadModel, type GenerateOptions, type GenerationResult, type LoadModelOptions } from 'rkllm';
import { FakeModel, fakeRuntime, isFrom, isolation, releases, type Release } from './fake-model.js';

const eightWords = Array.from({ length: 8 }, (_, index) => `token w${index}\\x20`);

/** What a model of the fake runtime answers. */
async function ask(
  release: Release,
  script: readonly string[],
  generate: GenerateOptions = {},
  load: LoadModelOptions = {},
): Promise<GenerationResult> {
  const { path } = new FakeModel(...script);
  await using model = await loadModel(path, {
    ...load,
    backend: 'rkllm',
    runtimePath: fakeRuntime(release),
    isolation,
  });
  return await model.generate({ prompt: 'one two three' }, generate);
}

describe.each(releases)('runtime %s does not say why an answer ended', (release) => {
  test('an answer that ends by itself: stop', async () => {
    const { finishReason, usage } = await ask(release, eightWords);
    expect([finishReason, usage.outputTokens]).toEqual(['stop', 8]);
  });

  test.each([1, 7])('maxNewTokens %i: length', async (maxNewTokens) => {
    const { finishReason, usage } = await ask(release, eightWords, { maxNewTokens });
    expect([finishReason, usage.outputTokens]).toEqual(['length', maxNewTokens]);
  });

  test('maxNewTokens of the model: length', async () => {
    const { finishReason, usage } = await ask(release, eightWords, {}, { maxNewTokens: 3 });
    expect([finishReason, usage.outputTokens]).toEqual(['length', 3]);
  });

  test('the end of the context: length, where the runtime tells how long the prompt is', async () => {
    const { finishReason, usage } = await ask(
      release,
      ['no-context-shift', 'endless', ...eightWords],
      {},
      { maxContextLength: 32 },
    );
    const tells = isFrom(release, '1.2.3');
    expect(usage.computedInputTokens !== undefined).toBe(tells);
    expect(finishReason).toBe(tells ? 'length' : 'stop');
  });

  test('what it does not tell stays unknown', async () => {
    const { usage, timings } = await ask(release, eightWords);
    const tells = isFrom(release, '1.2.3');
    const { inputTokens, cachedInputTokens, totalTokens } = usage;
    // The first prompt is computed as a whole.
    expect([inputTokens, cachedInputTokens, totalTokens]).toEqual(
      tells ? [3, undefined, 3 + usage.outputTokens] : [undefined, undefined, undefined],
    );
    expect(usage.computedInputTokens !== undefined).toBe(tells);
    expect(timings.prefillTokensPerSecond === undefined || tells).toBe(true);
    expect(timings.decodeMs).toBeGreaterThanOrEqual(0);
  });
});
