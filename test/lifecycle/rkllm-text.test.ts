/** Text on its way through the fake runtime, the addon, the backend and the generation: the bytes that went in. */
import fc from 'fast-check';
import path from 'node:path';
import { loadModel, type Model, type TextChunk } from 'rkllm';
import { root } from '../support/run-node.js';
import { fakeModel, newJournal, removeFakeModels } from './rkllm-states.cjs';
import { isolation } from '../support/isolation.js';

beforeEach(newJournal);
afterAll(removeFakeModels);

const fakes = process.env['RKLLM_FAKES'] ?? path.join(root, 'build', 'Release', 'fake');

/** One event of the runtime. `undefined` bytes: no text at all, in the given state. */
interface Piece {
  readonly bytes: Uint8Array | undefined;
  readonly state: 'normal' | 'waiting';
}

function command({ bytes, state }: Piece): string {
  if (bytes === undefined) return state === 'waiting' ? 'waiting' : 'null';
  const text = Array.from(bytes, (byte) => `\\x${byte.toString(16).padStart(2, '0')}`).join('');
  return `${state === 'waiting' ? 'waiting-text' : 'token'} ${text}`;
}

interface Heard {
  readonly text: string;
  readonly tokenIds: number[];
  readonly chunks: string[];
  readonly finishReason: string;
}

async function hear(pieces: readonly Piece[], extra: readonly string[] = []): Promise<Heard> {
  const options = { runtimePath: path.join(fakes, 'librkllmrt-1.1.1.so'), template: 'none', isolation } as const;
  const model: Model = await loadModel(fakeModel([...extra, ...pieces.map(command)]), options);
  const generation = model.generate('hi');
  const chunks: TextChunk[] = [];
  for await (const chunk of generation) if (chunk.type === 'text') chunks.push(chunk);
  const { text, finishReason } = await generation;
  await model.dispose();
  expect(chunks.map((chunk) => chunk.text).join('')).toBe(text);
  return {
    text,
    finishReason,
    chunks: chunks.map((chunk) => chunk.text),
    tokenIds: chunks.flatMap(({ tokenIds }) => [...tokenIds]),
  };
}

/** What a decoder that has all bytes at once makes of them. */
function decoded(pieces: readonly Piece[]): string {
  const bytes = Buffer.concat(pieces.map((piece) => piece.bytes ?? new Uint8Array()));
  return new TextDecoder('utf-8', { ignoreBOM: true }).decode(bytes);
}

async function expectFaithful(pieces: readonly Piece[], extra?: readonly string[]): Promise<Heard> {
  const heard = await hear(pieces, extra);
  expect(heard.text).toBe(decoded(pieces));
  expect(heard.tokenIds).toEqual(pieces.map((_, index) => 1000 + index));
  // Whole characters only: no half of a surrogate pair in any chunk.
  for (const chunk of heard.chunks) expect(chunk).not.toMatch(/\p{Cs}/u);
  return heard;
}

const normal = (bytes: readonly number[] | string): Piece => ({
  bytes: Uint8Array.from(Buffer.from(bytes as string)),
  state: 'normal',
});
const waiting = (bytes: readonly number[]): Piece => ({ bytes: Uint8Array.from(bytes), state: 'waiting' });
const mute = (state: Piece['state']): Piece => ({ bytes: undefined, state });

const smile = [0xf0, 0x9f, 0x98, 0x8a] as const;

test.each<[string, Piece[]]>([
  ['a character in four tokens', [normal('a'), ...smile.map((byte) => normal([byte])), normal('z')]],
  ['a character whose beginning comes as WAITING without text', [mute('waiting'), mute('waiting'), normal([...smile])]],
  ['a character whose bytes come with WAITING', [waiting([0xf0, 0x9f]), waiting([0x98]), normal([0x8a])]],
  [
    'bytes that are no UTF-8',
    [normal([0xff]), normal('a'), normal([0xc3]), normal([0x28]), normal([0xed, 0xa0, 0x80])],
  ],
  ['a character that is never completed', [normal('a'), normal([0xf0, 0x9f])]],
  ['tokens without text in every state', [mute('normal'), normal('a'), mute('waiting'), normal('b'), mute('normal')]],
  ['empty texts', [normal(''), normal('a'), normal(''), waiting([])]],
  ['control characters', [normal([1, 2, 7, 8, 9, 10, 13, 27]), normal('\u001b[31mred\u001b[0m'), normal([127])]],
  ['a byte order mark', [normal('\uFEFFa'), normal('\uFEFF')]],
  ['quotes, backslashes and line ends', [normal('"\\n\\x41'), normal("'\r\n\u2028")]],
])('%s', async (_, pieces) => {
  await expectFaithful(pieces);
});

test('64 KiB in a token, and the largest character at its edge', async () => {
  const large = normal('x'.repeat(65_535) + '😊');
  await expectFaithful([normal('a'), large, large, normal('b')]);
});

test('FINISH and ERROR may have no result', async () => {
  await expectFaithful([normal('a')], ['null-result']);
});

test('any pieces at all', async () => {
  const bytes = fc.oneof(
    fc.uint8Array({ maxLength: 6 }),
    fc.string({ unit: 'grapheme', maxLength: 3 }).map((text) => Uint8Array.from(Buffer.from(text))),
    fc.constantFrom(...smile.map((byte) => Uint8Array.of(byte))),
    fc.constant(undefined),
  );
  // A C string ends at its first NUL.
  const piece = fc.record({
    bytes: bytes.map((some) => some?.filter((byte) => byte !== 0)),
    state: fc.constantFrom('normal' as const, 'waiting' as const),
  });
  const pieces = fc.array(piece, { minLength: 1, maxLength: 30 });
  // Three models at the same time: most of the time each waits for its load.
  await fc.assert(
    fc.asyncProperty(fc.tuple(pieces, pieces, pieces), async (models) => {
      await Promise.all(models.map((of) => expectFaithful(of)));
    }),
    { numRuns: 50, seed: 1 },
  );
});
