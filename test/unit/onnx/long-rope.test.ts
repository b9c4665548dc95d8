/** Models with two sets of rotary factors: what is in the cache is of use on one side of their threshold only. */
import { writeFileSync } from 'node:fs';
import path from 'node:path';
import type { BackendModel } from '../../../lib/backends/backend.js';
import type { AttentionForm } from '../../../tools/onnx/phi3-attention.js';
import { longRopeScale, type LongRope } from '../../../tools/onnx/phi3-rope.js';
import { writeGenaiModel } from '../../../tools/onnx/write-genai-model.js';
import { writeHuggingFaceModel } from '../../../tools/onnx/write-huggingface-model.js';
import { Fixtures, generate } from './helpers.js';

const fixtures = new Fixtures();
afterAll(() => fixtures.cleanUp());

const contextLength = 300;
const threshold = 64;
const longRope: LongRope = {
  threshold,
  shortFactor: Array.from({ length: 8 }, (_, i) => 1 + i / 40),
  longFactor: Array.from({ length: 8 }, (_, i) => 1.5 + i),
  scale: longRopeScale(contextLength, threshold),
};

function prompt(length: number, salt = 0): number[] {
  return Array.from({ length }, (_, i) => 260 + ((i * 37 + salt * 11) % 100));
}

describe.each(['gqa', 'gqa-positions', 'plain'] as const)('LongRoPE with attention of the form %s', (attention) => {
  let directory: string;
  /** Computes each text in one run of the graph, from its start. */
  let whole: BackendModel;

  beforeAll(async () => {
    directory = write(attention);
    whole = await fixtures.load(directory, { prefillChunk: contextLength });
  });

  async function expectRecomputed(text: readonly number[], tokens: readonly number[]): Promise<void> {
    for (const [i, token] of tokens.entries()) {
      await generate(whole, [300 + (i % 50)], { maxNewTokens: 1 }); // nothing of it is cached
      const next = await generate(whole, [...text, ...tokens.slice(0, i)], { maxNewTokens: 1 });
      expect(next.tokens).toEqual([token]);
    }
  }

  it('answers across the threshold as if all had been computed at once', async () => {
    const model = await fixtures.load(directory, { prefillChunk: 16 });
    const { tokens } = await generate(model, prompt(55), { maxNewTokens: 25 });
    expect(tokens).toHaveLength(25);
    await expectRecomputed(prompt(55), tokens);
  });

  it('computes a long prompt in chunks, those before the threshold too', async () => {
    const model = await fixtures.load(directory, { prefillChunk: 16 });
    const { tokens } = await generate(model, prompt(150), { maxNewTokens: 6 });
    await expectRecomputed(prompt(150), tokens);
  });

  it('reuses what is on the same side, and only that', async () => {
    const model = await fixtures.load(directory, { prefillChunk: 16 });
    const turns: readonly (readonly [number[], number])[] = [
      [prompt(40), 0],
      [prompt(50), 40],
      [prompt(100), 0], // crosses it
      [[...prompt(90), ...prompt(20, 1)], 90],
      [[...prompt(20), ...prompt(80, 2)], 20], // goes on before the threshold, in a long text
      [prompt(64), 0], // back below it
      [prompt(65), 0],
    ];
    for (const [text, cached] of turns) {
      const answer = await generate(model, text, { maxNewTokens: 1 });
      expect(answer.end.cachedPromptTokens).toBe(cached);
      await expectRecomputed(text, answer.tokens);
    }
  });
});

function write(attention: AttentionForm): string {
  const options = { contextLength, longRope, attention };
  if (attention === 'plain')
    return writeHuggingFaceModel(fixtures.directory(), { ...options, variants: { model: {} } }).directory;
  const { directory } = writeGenaiModel(fixtures.directory(), options);
  const file = path.join(directory, 'config.json'); // genai's own says nothing of it
  writeFileSync(file, JSON.stringify({ original_max_position_embeddings: threshold }));
  return directory;
}
