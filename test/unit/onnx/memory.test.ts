/** Memory that is not enough, by a figure in place of the system's. */
import { statSync } from 'node:fs';
import path from 'node:path';
import { freeMemory } from '../../../lib/backends/onnx/free-memory.js';
import { writeGenaiModel } from '../../../tools/onnx/write-genai-model.js';
import { Fixtures, generate } from './helpers.js';

const fixtures = new Fixtures();
afterAll(() => fixtures.cleanUp());

/** Keys and values of 2 layers with 2 heads of 16 columns, in float32. */
const bytesPerToken = 2 * 2 * 2 * 16 * 4;
/** While a graph runs: one without a buffer that it writes to makes a new cache. */
const copies = { gqa: 1, plain: 2 };
const prompt = [270, 271];

function write(attention: 'gqa' | 'plain'): { directory: string; weights: number } {
  const { directory, modelFile } = writeGenaiModel(fixtures.directory(), {
    attention,
    format: 'int4',
    contextLength: 512,
  });
  return { directory, weights: statSync(path.join(directory, modelFile)).size };
}

it('is told in bytes, or not at all', () => {
  const free = freeMemory();
  expect(free === undefined || (Number.isSafeInteger(free) && free > 0)).toBe(true);
});

it('for the weights: nothing is loaded', async () => {
  const { directory, weights } = write('gqa');
  await expect(fixtures.load(directory, {}, { freeMemory: weights - 1 })).rejects.toMatchObject({
    code: 'RKLLM_OUT_OF_MEMORY',
    message: expect.stringMatching(/The weights of .* take 1 MiB, and 1 MiB are free/) as string,
    details: { bytes: weights, freeBytes: weights - 1 },
  });
});

it('for a short question: the load says so', async () => {
  const { directory, weights } = write('gqa');
  const free = bytesPerToken * 255;
  expect(weights).toBeLessThan(free);
  await expect(fixtures.load(directory, {}, { freeMemory: free })).rejects.toMatchObject({
    code: 'RKLLM_OUT_OF_MEMORY',
    details: { tokens: 256, bytesPerToken, freeBytes: free, fittingTokens: 255 },
  });
  // Of a context of 255 tokens nobody needs more.
  const model = await fixtures.load(directory, { maxContextLength: 255 }, { freeMemory: free });
  expect((await generate(model, prompt, { maxNewTokens: 5 })).tokens).toHaveLength(5);
});

it.each(['gqa', 'plain'] as const)(
  'for a long answer (%s): it fails, with what there is room for, and the model goes on',
  async (attention) => {
    const { directory } = write(attention);
    const model = await fixtures.load(
      directory,
      { prefillChunk: 2048 },
      { freeMemory: copies[attention] * bytesPerToken * 400 },
    );
    const long = model.start({
      input: { type: 'tokens', tokenIds: Int32Array.from({ length: 480 }, () => 270) },
      maxNewTokens: 10,
      sampling: {},
    });
    await expect(long.ended).rejects.toMatchObject({
      code: 'RKLLM_OUT_OF_MEMORY',
      hint: expect.stringMatching(/maxContextLength/) as string,
    });
    expect((await generate(model, prompt, { maxNewTokens: 5 })).tokens).toHaveLength(5);
  },
);
