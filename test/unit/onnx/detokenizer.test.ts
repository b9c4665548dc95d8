import fc from 'fast-check';
import { Detokenizer } from '../../../lib/backends/onnx/detokenizer.js';
import { Tokenizer } from '../../../lib/backends/onnx/huggingface.js';
import { JsonObject } from '../../../lib/backends/json-file.js';
import { buildTokenTable } from '../../../lib/backends/onnx/token-table.js';
import { byteOfCharacter } from '../../../lib/backends/onnx/byte-level.js';
import { tinyTokenizer } from '../../../tools/onnx/tiny-tokenizer.js';

type Json = Readonly<Record<string, unknown>>;

const tiny = tinyTokenizer(512);

/** As GPT-2, Llama 3 and Qwen have it: every byte is a printable character. */
const byteLevel: Json = {
  version: '1.0',
  added_tokens: [
    { id: 256, content: '<|end|>', special: true },
    { id: 257, content: 'plain ▁', special: false },
  ],
  normalizer: null,
  pre_tokenizer: { type: 'ByteLevel', add_prefix_space: false, trim_offsets: true, use_regex: true },
  post_processor: null,
  decoder: { type: 'ByteLevel', add_prefix_space: true, trim_offsets: true, use_regex: true },
  model: { type: 'BPE', vocab: Object.fromEntries(byteOfCharacter), merges: [] },
};

/** As older Llama exports have it. */
const metaspace: Json = {
  ...tiny.tokenizer,
  normalizer: null,
  pre_tokenizer: { type: 'Metaspace', replacement: '▁', prepend_scheme: 'first', split: false },
  decoder: {
    type: 'Sequence',
    decoders: [
      { type: 'ByteFallback' },
      { type: 'Metaspace', replacement: '▁', prepend_scheme: 'first', split: false },
    ],
  },
};

function table(json: Json): ReturnType<typeof buildTokenTable> {
  return buildTokenTable(new JsonObject('tokenizer.json', '', json, 'RKLLM_TOKENIZER_INVALID'));
}

/** @param prompt - what the tokens follow; after nothing they begin the text. */
function detokenize(json: Json, ids: readonly number[], prompt: readonly number[] = []): string {
  const detokenizer = new Detokenizer(table(json), prompt.at(-1));
  return Buffer.concat(ids.map((id) => detokenizer.next(id))).toString('utf8');
}

// Lone surrogates are not text: they cannot be written as UTF-8.
const text = fc
  .oneof(
    fc.string({ unit: 'grapheme' }),
    fc
      .array(fc.constantFrom('hello', ' ', '  ', '\n', 'the', '世界', '👩‍👩‍👧', 'é', 'ß', '{', '\t', 'and'))
      .map((parts) => parts.join('')),
  )
  .filter((value) => value.length > 0 && !/\p{Surrogate}/u.test(value));

describe.each([
  ['SentencePiece with byte fallback', tiny.tokenizer, tiny.config],
  ['ByteLevel', byteLevel, { tokenizer_class: 'GPT2Tokenizer', clean_up_tokenization_spaces: false }],
])('%s', (_, json, config) => {
  const tokenizer = new Tokenizer(json, config);

  it('equals the batch decoder', () => {
    fc.assert(
      fc.property(text, (value) => {
        const { ids } = tokenizer.encode(value, { add_special_tokens: false });
        fc.pre(ids.length > 0);
        expect(detokenize(json, ids)).toBe(tokenizer.decode(ids, { skip_special_tokens: true }));
      }),
      { numRuns: 300 },
    );
  });

  it('gives the text back', () => {
    fc.assert(
      fc.property(text, (value) => {
        expect(detokenize(json, tokenizer.encode(value, { add_special_tokens: false }).ids)).toBe(value);
      }),
    );
  });
});

it('splits a character between the tokens that spell it', () => {
  const tokenizer = new Tokenizer(tiny.tokenizer, tiny.config);
  const { ids } = tokenizer.encode('🙂', { add_special_tokens: false });
  const detokenizer = new Detokenizer(table(tiny.tokenizer), undefined);
  expect(ids.map((id) => [...detokenizer.next(id)])).toEqual([[], [0xf0], [0x9f], [0x99], [0x82]]);
});

it('takes one space off the start, whatever comes before it without text', () => {
  const id = (piece: string): number => new Tokenizer(tiny.tokenizer, tiny.config).token_to_id(piece) ?? -1;
  expect(detokenize(tiny.tokenizer, [id('<|end|>'), id('▁'), id('▁the')])).toBe(' the');
  expect(detokenize(tiny.tokenizer, [id('a'), id('▁the')])).toBe('a the');
  expect(detokenize(metaspace, [id('▁the'), id('▁the')])).toBe('the the');
});

it('keeps the space where the answer goes on with the text of the prompt', () => {
  const tokenizer = new Tokenizer(tiny.tokenizer, tiny.config);
  const ids = (value: string): readonly number[] => tokenizer.encode(value, { add_special_tokens: false }).ids;
  expect(detokenize(tiny.tokenizer, ids('the'), ids('hello'))).toBe(' the');
  expect(detokenize(tiny.tokenizer, ids('the'), ids('hello\n'))).toBe(' the'); // an indented line
  expect(detokenize(tiny.tokenizer, ids('the'), ids('<|user|>hello<|end|><|assistant|>'))).toBe('the');
});

it('has no text for control tokens and for ids past the table, but for other added tokens', () => {
  expect(detokenize(tiny.tokenizer, [...tiny.eosTokenIds, tiny.size, tiny.size + 1000])).toBe('');
  expect(detokenize(byteLevel, [256, 257, 65])).toBe('plain ▁A');
});

it.each([
  ['no decoder it knows', { decoder: { type: 'WordPiece' } }, 'decoder must be'],
  ['no model', { model: null }, 'model must be present'],
  ['ids that are not integers', { model: { vocab: { a: 1.5 } } }, 'model.vocab must be'],
  ['added tokens without an id', { added_tokens: [{ content: 'x' }] }, 'added_tokens[0].id must be present'],
])('refuses a tokenizer with %s', (_, change, message) => {
  expect(() => table({ ...tiny.tokenizer, ...change })).toThrow(
    expect.objectContaining({
      code: 'RKLLM_TOKENIZER_INVALID',
      message: expect.stringContaining(message) as string,
    }) as Error,
  );
});
