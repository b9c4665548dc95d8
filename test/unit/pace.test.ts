import { loadModel, type PaceOptions } from 'rkllm';
import { manualClock, scripted, type ManualClock, type Script } from 'rkllm/testing';
import { decode, type Decoding } from '../../lib/backends/onnx/decode-loop.js';
import { fixedChunks } from '../../lib/backends/onnx/prefill-chunks.js';
import { Pacer } from '../../lib/backends/pacer.js';
import { resolvePace } from '../../lib/options/pace.js';
import { failureOf } from '../support/reading.js';

const preset = 'rk3588-phi3-w8a8';

describe('a pace', () => {
  test('has what Rockchip states of a board', () => {
    const { prefillTokensPerSecond = NaN, ...rest } = resolvePace({ preset });
    expect(rest).toEqual({ preset, decodeTokensPerSecond: 7.45 });
    expect(1000 / prefillTokensPerSecond).toBeCloseTo(7.9475, 6);
  });

  test.each<[string, PaceOptions, PaceOptions]>([
    ['one figure', { decodeTokensPerSecond: 5 }, { decodeTokensPerSecond: 5 }],
    ['a figure in place of the preset’s', { preset, decodeTokensPerSecond: 5 }, { preset, decodeTokensPerSecond: 5 }],
  ])('may be %s', (_, options, expected) => {
    expect(resolvePace(options)).toMatchObject(expected);
  });

  test('is none by default', async () => {
    const model = await loadModel(undefined, { backend: scripted() });
    expect(model.info.pace).toBeUndefined();
  });

  test('is refused when it says nothing', async () => {
    for (const pace of [{}, { preset: undefined }]) {
      const error = await failureOf(() => loadModel(undefined, { backend: scripted(), pace }));
      expect(error).toMatchObject({ code: 'RKLLM_INVALID_OPTION', details: { option: 'pace' } });
    }
  });

  test('is refused by the NPU, before anything is looked for', async () => {
    const error = await failureOf(() => loadModel(__filename, { backend: 'rkllm', pace: { preset } }));
    expect(error).toMatchObject({
      code: 'RKLLM_UNSUPPORTED_OPTION',
      message: 'loadModel(): the rkllm backend has no pace.',
    });
  });
});

describe('the scripted backend keeps to it', () => {
  async function paced(
    script: Script,
    pace: PaceOptions,
  ): Promise<{ clock: ManualClock; ask: () => ReturnType<typeof start> }> {
    const clock = manualClock();
    const model = await loadModel(undefined, { backend: scripted({ ...script, clock }), template: 'none', pace });
    expect(model.info.pace).toEqual(resolvePace(pace));
    const start = () => model.generate('one two three four five');
    return { clock, ask: start };
  }
  const pace = { prefillTokensPerSecond: 100, decodeTokensPerSecond: 10 };

  test('in prefill, by the tokens that are not cached, and in decode', async () => {
    const { clock, ask } = await paced({ reply: 'a b c', cachedPromptTokens: 2 }, pace);
    const generation = ask();
    await clock.advance(29);
    expect(generation.state).toBe('prefill');
    await clock.advance(1);
    expect(generation.state).toBe('decode');
    await clock.advance(199);
    expect(generation.state).toBe('decode');
    await clock.advance(1);
    expect(await generation).toMatchObject({ text: 'a b c', timings: { prefillMs: 30, decodeMs: 200 } });
  });

  test('but for what the script wants to take longer', async () => {
    const { clock, ask } = await paced({ reply: ['a', { text: 'b', delayMs: 500 }, 'c'], prefillMs: 10 }, pace);
    const generation = ask();
    await clock.advance(650);
    expect(await generation).toMatchObject({ timings: { prefillMs: 50, decodeMs: 600 } });
  });

  test.each([
    ['prefill', 10, ''],
    ['decode', 60, 'a'],
  ])('and stops at once in %s', async (state, ms, text) => {
    const { clock, ask } = await paced({ reply: 'a b c' }, pace);
    const generation = ask();
    await clock.advance(ms);
    expect(generation.state).toBe(state);
    generation.abort();
    expect(await generation).toMatchObject({ finishReason: 'abort', text });
  });
});

describe('the decode loop keeps to it', () => {
  /** Computes a chunk in `chunkMs` of the clock's time. */
  function decoding(
    clock: ManualClock,
    chunkMs: number,
  ): { stop: AbortController; emitted: number[]; done: ReturnType<typeof decode> } {
    const compute = async (): Promise<Float32Array> => {
      if (chunkMs > 0) await clock.sleep(chunkMs);
      return new Float32Array(1);
    };
    const stop = new AbortController();
    const emitted: number[] = [];
    const options: Decoding = {
      prompt: new Int32Array(10),
      chooser: { next: () => 1 },
      eosTokenIds: new Set<number>(),
      limit: 3,
      chunks: fixedChunks(4),
      startedAt: 0,
      pacer: new Pacer({ preset: undefined, prefillTokensPerSecond: 100, decodeTokensPerSecond: 10 }, clock),
      stop: stop.signal,
      emit: () => emitted.push(clock.now()),
    };
    // Two tokens are in its cache.
    const decoder = { rewindTo: () => 2, textToRecompute: () => undefined, smallestChunk: 0, compute };
    return { stop, emitted, done: decode(decoder, options) };
  }

  test.each([
    ['nothing', 0, [80, 180, 280]],
    ['less than on the device', 30, [80, 180, 280]],
    ['longer in prefill than on the device', 60, [120, 220, 320]],
    ['longer in all', 150, [300, 450, 600]],
  ])('when computing takes %s', async (_, chunkMs, expected) => {
    const clock = manualClock();
    const { emitted, done } = decoding(clock, chunkMs);
    await clock.advance(1000);
    expect(emitted).toEqual(expected);
    expect((await done).reason).toBe('length');
  });

  test.each([
    ['prefill', 20, 0],
    ['decode', 90, 1],
  ])('and stops at once in %s', async (_, ms, tokens) => {
    const clock = manualClock();
    const { stop, emitted, done } = decoding(clock, 0);
    await clock.advance(ms);
    stop.abort();
    expect((await done).reason).toBe('aborted');
    expect(emitted).toHaveLength(tokens);
    expect(clock.sleepers).toBe(0);
  });
});
