import { byteOfCharacter } from './byte-level.js';
import { isInteger, type JsonObject } from '../json-file.js';

/** The bytes of every token, from `tokenizer.json`. */
export interface TokenTable {
  /** Special tokens and ids that the tokenizer does not know have none. */
  bytesOf(id: number): Uint8Array;
  /** Spaces that are taken off the start of a text. */
  readonly leadingSpaces: number;
  /** Characters of the longest entry. */
  readonly longestPiece: number;
}

/** Turns a vocabulary entry into the bytes it stands for. */
type Spell = (piece: string) => Uint8Array;

const encoder = new TextEncoder();
const noBytes = new Uint8Array(0);

export function buildTokenTable(tokenizer: JsonObject): TokenTable {
  const decoders = flattenDecoders(tokenizer.object('decoder'));
  const spell = chooseSpelling(tokenizer, decoders);
  const pieces = new Map<number, string>();
  let longestPiece = 0;
  for (const [piece, id] of vocabulary(tokenizer)) {
    pieces.set(id, piece);
    longestPiece = Math.max(longestPiece, piece.length);
  }
  const added = new Map<number, Uint8Array>();
  for (const token of tokenizer.objects('added_tokens')) {
    const id = token.integer('id', 0);
    const content = token.string('content');
    if (id === undefined) throw token.invalid('id', 'present');
    if (content === undefined) throw token.invalid('content', 'present');
    added.set(id, token.boolean('special') === true ? noBytes : encoder.encode(content));
  }
  return {
    bytesOf: (id) => {
      const piece = pieces.get(id);
      return added.get(id) ?? (piece === undefined ? noBytes : spell(piece));
    },
    leadingSpaces: leadingSpaces(decoders),
    longestPiece,
  };
}

function flattenDecoders(decoder: JsonObject | undefined): JsonObject[] {
  if (decoder === undefined) return [];
  if (decoder.string('type') !== 'Sequence') return [decoder];
  return decoder.objects('decoders').flatMap(flattenDecoders);
}

function chooseSpelling(tokenizer: JsonObject, decoders: readonly JsonObject[]): Spell {
  const types = decoders.map((decoder) => decoder.string('type'));
  if (types.includes('ByteLevel')) return spellByteLevel;
  if (types.includes('Metaspace') || types.includes('Replace')) {
    return types.includes('ByteFallback') ? spellWithByteFallback : spellSentencePiece;
  }
  throw tokenizer.invalid('decoder', 'one of SentencePiece (Replace or Metaspace) or ByteLevel');
}

function spellSentencePiece(piece: string): Uint8Array {
  return encoder.encode(piece.replaceAll('▁', ' '));
}

function spellWithByteFallback(piece: string): Uint8Array {
  const byte = /^<0x([0-9A-F]{2})>$/i.exec(piece)?.[1];
  return byte === undefined ? spellSentencePiece(piece) : Uint8Array.of(Number.parseInt(byte, 16));
}

function spellByteLevel(piece: string): Uint8Array {
  const bytes = Array.from(piece, (character) => byteOfCharacter.get(character));
  // A piece with any other character was added as it is.
  return bytes.every((byte) => byte !== undefined) ? Uint8Array.from(bytes) : encoder.encode(piece);
}

/** Pieces with their ids: an object for BPE, an array of pairs in the order of the ids for Unigram. */
function* vocabulary(tokenizer: JsonObject): Generator<readonly [string, number]> {
  const model = tokenizer.object('model');
  if (model === undefined) throw tokenizer.invalid('model', 'present');
  const vocab = model.values['vocab'];
  if (Array.isArray(vocab)) {
    for (const [id, entry] of vocab.entries()) {
      const piece: unknown = Array.isArray(entry) ? entry[0] : undefined;
      if (typeof piece !== 'string') throw model.invalid('vocab', 'an array of pairs of a piece and its score');
      yield [piece, id];
    }
    return;
  }
  if (typeof vocab !== 'object' || vocab === null) throw model.invalid('vocab', 'an object or an array');
  for (const [piece, id] of Object.entries(vocab)) {
    if (!isInteger(id, 0)) throw model.invalid('vocab', 'an object of pieces with their ids');
    yield [piece, id];
  }
}

function leadingSpaces(decoders: readonly JsonObject[]): number {
  for (const decoder of decoders) {
    const type = decoder.string('type');
    if (type === 'Strip' && decoder.string('content') === ' ') return decoder.integer('start', 0) ?? 0;
    if (type === 'Metaspace' && decoder.string('prepend_scheme') !== 'never') return 1;
  }
  return 0;
}
