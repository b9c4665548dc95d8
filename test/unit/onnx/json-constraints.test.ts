import { JsonConstraints } from '../../../dist/backends/onnx/json-constraints.js';
import type { Sampler } from '../../../dist/backends/onnx/sampler.js';
import { Automaton, type GrammarState } from '../../../dist/structured/grammar/automaton.js';

/** A token for each of these; the first is the model's end, the next would end the list. */
const characters = ['', ']', '[', ',', ' ', '-', '.', ...Array.from({ length: 10 }, (_, digit) => String(digit))];
const table = {
  bytesOf: (id: number): Uint8Array => new TextEncoder().encode(characters[id] ?? ''),
  leadingSpaces: 0,
  longestPiece: 1,
};

/** Takes any token that may follow, and the end of the list only where nothing else may. */
function endless(): Sampler {
  let seed = 1;
  const next = (logits: Float32Array): number => {
    const possible = [...logits.keys()].filter((id) => id > 1 && (logits[id] ?? 0) > -Infinity);
    seed = (seed * 1103515245 + 12345) % 2 ** 31;
    return possible[Math.floor((seed / 2 ** 31) * possible.length)] ?? 1;
  };
  return { next } as unknown as Sampler;
}

test('what is remembered of a schema stays within its bound while one long answer is written', () => {
  const bound = 50_000;
  let largest = 0;
  let forgotten = 0;
  const { tidy } = Automaton.prototype;
  const watched = jest.spyOn(Automaton.prototype, 'tidy').mockImplementation(function (this: Automaton, state) {
    largest = Math.max(largest, this.size);
    const tidied: GrammarState = tidy.call(this, state);
    if (tidied !== state) forgotten++;
    return tidied;
  });
  const limit = 9000;
  const constraints = new JsonConstraints(table, characters.length, new Set([0]));
  const chooser = constraints.chooser({ type: 'array', items: { type: 'number' } }, endless(), 0, limit);
  let text = '';
  for (let left = limit; left > 0; left--) {
    const id = chooser.next(new Float32Array(characters.length), left);
    if (id !== undefined) text += characters[id] ?? '';
    if (chooser.ending?.() !== undefined) break;
  }
  watched.mockRestore();
  expect((JSON.parse(text) as unknown[]).length).toBeGreaterThan(500);
  expect(text.length).toBeGreaterThan(limit - 20);
  expect(forgotten).toBeGreaterThan(0);
  expect(largest).toBeLessThan(bound + 100); // what one token is looked for among
});
