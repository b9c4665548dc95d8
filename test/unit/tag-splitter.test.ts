import fc from 'fast-check';
import { TagSplitter, type Piece, type Splits } from '../../lib/chat/tag-splitter.js';

/** A piece without what is random in it. */
type Told = readonly ['text' | 'reasoning' | 'call', string];

/** Feeds the pieces; neighbours of one kind become one. */
function split(texts: readonly string[], splits: Splits = { reasoning: 'split', toolCalls: 'parse' }): Told[] {
  const splitter = new TagSplitter(splits);
  return merged([...texts.flatMap((text) => splitter.push(text)), ...splitter.flush()].map(told));
}

function told(piece: Piece): Told {
  return piece.type === 'tool-call' ? ['call', piece.call.name] : [piece.type, piece.text];
}

function merged(pieces: readonly Told[]): Told[] {
  const all: Told[] = [];
  for (const [type, text] of pieces) {
    const last = all.at(-1);
    if (text === '') continue;
    if (last?.[0] === type && type !== 'call') all[all.length - 1] = [type, last[1] + text];
    else all.push([type, text]);
  }
  return all;
}

const call = (name: string): string =>
  `<tool_call>\n{"name": "${name}", "arguments": {"a": [1, "</think>"]}}\n</tool_call>`;

test.each<[string, Told[]]>([
  ['plain', [['text', 'plain']]],
  ['<think>why</think>so', [['reasoning', 'why'], ['text', 'so']]], // prettier-ignore
  ['<think>\nwhy\n</think>\n\nso', [['reasoning', '\nwhy\n'], ['text', '\n\nso']]], // prettier-ignore
  ['<think></think>so', [['text', 'so']]],
  ['<think>no end', [['reasoning', 'no end']]],
  ['<think>half an end</thin', [['reasoning', 'half an end</thin']]],
  ['</think>so', [['text', '</think>so']]],
  ['a < b <thin', [['text', 'a < b <thin']]],
  ['a <think>b</think> c <think>d</think>', [['text', 'a '], ['reasoning', 'b'], ['text', ' c '], ['reasoning', 'd']]], // prettier-ignore
  [`<think>${call('f')}</think>`, [['reasoning', '<tool_call>\n{"name": "f", "arguments": {"a": [1, "'], ['text', '"]}}\n</tool_call></think>']]], // prettier-ignore
  [`a${call('f')}\n${call('g')}b`, [['text', 'a'], ['call', 'f'], ['text', '\n'], ['call', 'g'], ['text', 'b']]], // prettier-ignore
  ['<tool_call>{"name": "f"}</tool_call>', [['call', 'f']]],
])('%j', (text, expected) => {
  expect(split([text])).toEqual(expected);
  expect(split(Array.from(text))).toEqual(expected);
});

test.each([
  '',
  'not JSON',
  '{"name": "f", "arguments": {',
  '[]',
  'null',
  '"f"',
  '{}',
  '{"name": ""}',
  '{"name": 5}',
  '{"name": "f", "arguments": null}',
  '{"name": "f", "arguments": []}',
  '{"name": "f", "arguments": "x"}',
])('%j between the tags is no call and stays text, tags included', (json) => {
  const text = `a<tool_call>${json}</tool_call>b`;
  expect(split([text])).toEqual([['text', text]]);
});

test('a call that is not complete is text', () => {
  const text = '<tool_call>{"name": "f"}</tool_ca';
  expect(split(Array.from(text))).toEqual([['text', text]]);
});

test('a call has what was written, and an id of its own', () => {
  const splitter = new TagSplitter({ reasoning: 'text', toolCalls: 'parse' });
  const pieces = splitter.push(
    '<tool_call>{"name":"f","arguments":{"__proto__":{"x":1},"n":1.5}}</tool_call>'.repeat(2),
  );
  const calls = pieces.flatMap((piece) => (piece.type === 'tool-call' ? [piece.call] : []));
  expect(calls.map(({ name }) => name)).toEqual(['f', 'f']);
  expect(JSON.stringify(calls[0]?.arguments)).toBe('{"__proto__":{"x":1},"n":1.5}');
  expect(calls[0]?.id).not.toBe(calls[1]?.id);
});

test('what was not asked for is text', () => {
  const text = `<think>why</think>${call('f')}`;
  expect(split([text], { reasoning: 'text', toolCalls: 'text' })).toEqual([['text', text]]);
  expect(split([text], { reasoning: 'split', toolCalls: 'text' })).toEqual([
    ['reasoning', 'why'],
    ['text', call('f')],
  ]);
  expect(split([text], { reasoning: 'text', toolCalls: 'parse' })).toEqual([
    ['text', '<think>why</think>'],
    ['call', 'f'],
  ]);
});

test('an answer may begin inside the reasoning', () => {
  expect(split(['why</th', 'ink>so'], { reasoning: 'open', toolCalls: 'text' })).toEqual([
    ['reasoning', 'why'],
    ['text', 'so'],
  ]);
});

test('text goes out as soon as it is clear', () => {
  const splitter = new TagSplitter({ reasoning: 'split', toolCalls: 'parse' });
  expect(splitter.push('Hello <')).toEqual([{ type: 'text', text: 'Hello ' }]);
  expect(splitter.push('b><th')).toEqual([{ type: 'text', text: '<b>' }]);
  expect(splitter.push('ink>why')).toEqual([{ type: 'reasoning', text: 'why' }]);
  expect(splitter.push('</')).toEqual([]);
  expect(splitter.flush()).toEqual([{ type: 'reasoning', text: '</' }]);
});

const word = fc.string({ unit: fc.constantFrom('a', '<', '/', '\n', '🙂'), minLength: 1, maxLength: 5 });
const part = fc.oneof(
  word.map((text): [string, Told] => [text, ['text', text]]),
  word.map((text): [string, Told] => [`<think>${text}</think>`, ['reasoning', text]]),
  fc.constantFrom('f', 'g').map((name): [string, Told] => [call(name), ['call', name]]),
  word.map((text): [string, Told] => [`<tool_call>${text}</tool_call>`, ['text', `<tool_call>${text}</tool_call>`]]),
);

test('nothing is lost, invented or moved, however the answer is cut into pieces', () => {
  fc.assert(
    fc.property(fc.array(part, { maxLength: 8 }), fc.array(fc.nat({ max: 200 }), { maxLength: 20 }), (parts, cuts) => {
      const text = parts.map(([written]) => written).join('');
      const edges = [...new Set([0, ...cuts.filter((cut) => cut < text.length), text.length])].sort((a, b) => a - b);
      const pieces = edges.slice(1).map((edge, index) => text.slice(edges[index], edge));
      expect(split(pieces)).toEqual(merged(parts.map(([, expected]) => expected)));
    }),
    { numRuns: 2000 },
  );
});
