/** The same weights in every layout and form of graph that exporters write. */
import type { Variant } from '../../../tools/onnx/write-huggingface-model.js';
import { writeHuggingFaceModel } from '../../../tools/onnx/write-huggingface-model.js';
import { writeGenaiModel, type GenaiModelOptions } from '../../../tools/onnx/write-genai-model.js';
import { Fixtures, generate } from './helpers.js';

const fixtures = new Fixtures();
afterAll(() => fixtures.cleanUp());

const prompt = Array.from({ length: 90 }, (_, i) => 260 + ((i * 37) % 100));
const contextLength = 200;

/** Beyond one chunk of the prompt, then again from the middle. */
async function answers(location: string): Promise<readonly number[][]> {
  const model = await fixtures.load(location);
  const first = await generate(model, prompt, { maxNewTokens: 40 });
  const second = await generate(model, [...prompt.slice(0, 40), 301], { maxNewTokens: 20 });
  expect(second.end.cachedPromptTokens).toBe(40);
  return [first.tokens, second.tokens];
}

type Form = Omit<Variant, 'format' | 'float'>;

const grouped: readonly (readonly [string, Form])[] = [
  ['RoPE in the attention', { attention: 'gqa' }],
  ['RoPE by position_ids', { attention: 'gqa-positions' }],
  ['logits of the last token only', { attention: 'gqa', logits: 'last' }],
];
const plain: readonly (readonly [string, Form])[] = [
  ['concatenated past', { attention: 'plain' }],
  ['concatenated past, num_logits_to_keep', { attention: 'plain', logits: 'kept' }],
];

describe.each([
  ['fp32', {}],
  ['int4', { format: 'int4' }],
] as const)('a model in %s', (_, numbers) => {
  let expected: readonly number[][];

  beforeAll(async () => {
    expected = await answers(writeGenaiModel(fixtures.directory(), { contextLength, ...numbers }).directory);
  });

  it('says something', () => {
    expect(new Set(expected[0]).size).toBeGreaterThan(20);
  });

  it.each([...grouped.slice(1), ...plain])('gives the same tokens in genai’s layout: %s', async (_, form) => {
    const options: GenaiModelOptions = { contextLength, ...numbers, ...form, externalData: true };
    expect(await answers(writeGenaiModel(fixtures.directory(), options).directory)).toEqual(expected);
  });

  it('gives the same tokens when past and present must not share buffers', async () => {
    const search = { past_present_share_buffer: false };
    const { directory } = writeGenaiModel(fixtures.directory(), { contextLength, ...numbers, search });
    expect(await answers(directory)).toEqual(expected);
  });

  it.each([...grouped.slice(0, 1), ...plain])(
    'gives the same tokens in transformers.js’ layout: %s',
    async (_, form) => {
      const variants = { model: { ...numbers, ...form, dataFiles: 3 } };
      const { directory } = writeHuggingFaceModel(fixtures.directory(), { contextLength, variants });
      expect(await answers(directory)).toEqual(expected);
    },
  );
});

/** Rounding to 11 bits makes of different operators different numbers, so each form of attention is compared with itself. */
describe.each([
  ['int8', { format: 'int8' }],
  ['fp16', { float: 'float16' }],
  ['int4 in half floats', { format: 'int4', float: 'float16' }],
] as const)('a model in %s', (_, numbers) => {
  it.each([
    ['one operator', grouped[0], grouped[2]],
    ['concatenated past', plain[0], plain[1]],
  ] as const)('gives the same tokens in both layouts: %s', async (_, one, other) => {
    const variants = { model: { ...numbers, ...one?.[1] } };
    const huggingFace = writeHuggingFaceModel(fixtures.directory(), { contextLength, variants });
    const genai = writeGenaiModel(fixtures.directory(), { contextLength, ...numbers, ...other?.[1] });
    const [expected, found] = [await answers(huggingFace.directory), await answers(genai.directory)];
    expect(found).toEqual(expected);
    expect(new Set(found[0]).size).toBeGreaterThan(20);
  });
});
