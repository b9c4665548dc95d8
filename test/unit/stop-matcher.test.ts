import fc from 'fast-check';
import { StopMatcher } from '../../lib/chat/stop-matcher.js';

interface Found {
  readonly shown: string;
  readonly matched: string | undefined;
}

/** Feeds the pieces; nothing may come after a match. */
function feed(sequences: readonly string[], pieces: readonly string[]): Found {
  const matcher = new StopMatcher(sequences);
  let shown = '';
  for (const piece of pieces) {
    const { text, matched } = matcher.push(piece);
    shown += text;
    if (matched !== undefined) return { shown, matched };
  }
  return { shown: shown + matcher.flush(), matched: undefined };
}

/** The definition, spelt out: read on until the text so far ends with a stop sequence; the longest of those counts. */
function search(sequences: readonly string[], text: string): Found {
  for (let length = 1; length <= text.length; length++) {
    const read = text.slice(0, length);
    const matched = sequences.filter((sequence) => read.endsWith(sequence)).sort((a, b) => b.length - a.length)[0];
    if (matched !== undefined) return { shown: read.slice(0, length - matched.length), matched };
  }
  return { shown: text, matched: undefined };
}

const word = (min: number, max: number) =>
  fc.array(fc.constantFrom('a', 'b', 'c'), { minLength: min, maxLength: max }).map((letters) => letters.join(''));
const sequencesAndPieces = fc.tuple(fc.array(word(1, 4), { maxLength: 4 }), fc.array(word(0, 3), { maxLength: 12 }));

test('the pieces in which a text arrives make no difference', () => {
  fc.assert(
    fc.property(sequencesAndPieces, ([sequences, pieces]) => {
      expect(feed(sequences, pieces)).toEqual(search(sequences, pieces.join('')));
    }),
    { numRuns: 3000 },
  );
});

test('no more is held back than the beginning of a stop sequence', () => {
  fc.assert(
    fc.property(sequencesAndPieces, ([sequences, pieces]) => {
      const matcher = new StopMatcher(sequences);
      let unseen = '';
      for (const piece of pieces) {
        const { text, matched } = matcher.push(piece);
        if (matched !== undefined) return;
        unseen = (unseen + piece).slice(text.length);
        expect(unseen === '' || sequences.some((sequence) => sequence.startsWith(unseen))).toBe(true);
      }
      expect(matcher.flush()).toBe(unseen);
    }),
  );
});

test.each([
  [['END'], ['The E', 'N', 'D and more'], { shown: 'The ', matched: 'END' }],
  [['END'], ['The EN', 'C'], { shown: 'The ENC', matched: undefined }],
  [['END'], ['The EN'], { shown: 'The EN', matched: undefined }],
  [['\n\n'], ['one\n', '\ntwo'], { shown: 'one', matched: '\n\n' }],
  [['aab'], ['aaa', 'b'], { shown: 'a', matched: 'aab' }],
  [['ab', 'abc'], ['abc'], { shown: '', matched: 'ab' }],
  [['bcd', 'abcde'], ['abcde'], { shown: 'a', matched: 'bcd' }],
  [['cd', 'bcd'], ['abcd'], { shown: 'a', matched: 'bcd' }],
  [['🙂'], ['so ', '🙂', '!'], { shown: 'so ', matched: '🙂' }],
  [[], ['anything'], { shown: 'anything', matched: undefined }],
])('%j in %j', (sequences, pieces, found) => {
  expect(feed(sequences, pieces)).toEqual(found);
});

test('text goes out as soon as it is clear', () => {
  const matcher = new StopMatcher(['STOP']);
  expect(matcher.push('Hello ST')).toEqual({ text: 'Hello ', matched: undefined, unread: 0 });
  expect(matcher.push('A')).toEqual({ text: 'STA', matched: undefined, unread: 0 });
  expect(matcher.push('S')).toEqual({ text: '', matched: undefined, unread: 0 });
  expect(matcher.flush()).toBe('S');
  expect(matcher.flush()).toBe('');
});

test('what comes behind a stop sequence in its piece is not read', () => {
  const matcher = new StopMatcher(['STOP']);
  expect(matcher.push('a ST')).toEqual({ text: 'a ', matched: undefined, unread: 0 });
  expect(matcher.push('OP🙂')).toEqual({ text: '', matched: 'STOP', unread: 2 });
});

test('later changes of the list make no difference', () => {
  const sequences = ['a'];
  const matcher = new StopMatcher(sequences);
  sequences.length = 0;
  expect(matcher.push('cat').matched).toBe('a');
});
