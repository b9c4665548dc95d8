/** A SentencePiece-style tokenizer in the form of Phi-3's: byte fallback, `▁` for a space, Phi-3's control tokens. */
export interface TinyTokenizer {
  /** Content of `tokenizer.json`. */
  readonly tokenizer: Readonly<Record<string, unknown>>;
  /** Content of `tokenizer_config.json`. */
  readonly config: Readonly<Record<string, unknown>>;
  /** Number of ids, control tokens included. */
  readonly size: number;
  /** Ids that end an answer: `<|endoftext|>` and `<|end|>`. */
  readonly eosTokenIds: readonly number[];
  /** Ids of everything that is not text. */
  readonly controlTokenIds: readonly number[];
}

/** In Phi-3's order, after the vocabulary. */
const controlTokens = [
  '<|endoftext|>',
  '<|assistant|>',
  '<|placeholder1|>',
  '<|placeholder2|>',
  '<|placeholder3|>',
  '<|placeholder4|>',
  '<|system|>',
  '<|end|>',
  '<|placeholder5|>',
  '<|placeholder6|>',
  '<|user|>',
];

const merges = [
  't h',
  'th e',
  '▁ the',
  'i n',
  'e r',
  'a n',
  'an d',
  '▁ a',
  '▁ and',
  'o n',
  'h e',
  'l l',
  'he ll',
  'hell o',
];

const chatTemplate = [
  "{% for message in messages %}{{ '<|' + message['role'] + '|>\n' + message['content'] + '<|end|>\n' }}{% endfor %}",
  "{% if add_generation_prompt %}{{ '<|assistant|>\n' }}{% else %}{{ eos_token }}{% endif %}",
].join('');

/** @param contextLength - written to `model_max_length`. */
export function tinyTokenizer(contextLength: number): TinyTokenizer {
  const bytes = Array.from({ length: 256 }, (_, i) => `<0x${i.toString(16).toUpperCase().padStart(2, '0')}>`);
  const characters = ['▁', 'é', '世', ...Array.from({ length: 94 }, (_, i) => String.fromCharCode(33 + i))];
  const pieces = ['<unk>', '<s>', '</s>', ...bytes, ...characters, ...merges.map((merge) => merge.replace(' ', ''))];
  const added = [
    addedToken(0, '<unk>', { special: true, rstrip: false }),
    addedToken(1, '<s>', { special: true, rstrip: false }),
    addedToken(2, '</s>', { special: false, rstrip: true }),
    ...controlTokens.map((content, i) =>
      addedToken(pieces.length + i, content, { special: true, rstrip: content !== '<|endoftext|>' }),
    ),
  ];
  const controlId = (content: string): number => pieces.length + controlTokens.indexOf(content);
  return {
    tokenizer: {
      version: '1.0',
      truncation: null,
      padding: null,
      added_tokens: added,
      normalizer: {
        type: 'Sequence',
        normalizers: [
          { type: 'Prepend', prepend: '▁' },
          { type: 'Replace', pattern: { String: ' ' }, content: '▁' },
        ],
      },
      pre_tokenizer: null,
      post_processor: null,
      decoder: {
        type: 'Sequence',
        decoders: [
          { type: 'Replace', pattern: { String: '▁' }, content: ' ' },
          { type: 'ByteFallback' },
          { type: 'Fuse' },
          { type: 'Strip', content: ' ', start: 1, stop: 0 },
        ],
      },
      model: {
        type: 'BPE',
        dropout: null,
        unk_token: '<unk>',
        continuing_subword_prefix: null,
        end_of_word_suffix: null,
        fuse_unk: true,
        byte_fallback: true,
        ignore_merges: false,
        vocab: Object.fromEntries(pieces.map((piece, i) => [piece, i])),
        merges,
      },
    },
    config: {
      add_bos_token: false,
      add_eos_token: false,
      bos_token: '<s>',
      eos_token: '<|endoftext|>',
      pad_token: '<|endoftext|>',
      unk_token: '<unk>',
      chat_template: chatTemplate,
      clean_up_tokenization_spaces: false,
      legacy: false,
      model_max_length: contextLength,
      tokenizer_class: 'LlamaTokenizer',
    },
    size: pieces.length + controlTokens.length,
    eosTokenIds: [controlId('<|endoftext|>'), controlId('<|end|>')],
    controlTokenIds: [0, 1, 2, ...controlTokens.map(controlId)],
  };
}

function addedToken(
  id: number,
  content: string,
  flags: { readonly special: boolean; readonly rstrip: boolean },
): Readonly<Record<string, unknown>> {
  return { id, content, single_word: false, lstrip: false, normalized: false, ...flags };
}
