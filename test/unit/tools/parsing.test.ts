import fc from 'fast-check';
import { TagSplitter, type Piece } from '../../../lib/chat/tag-splitter.js';
import { ToolSet } from '../../../lib/chat/tools/tool-set.js';

const parameters = { type: 'object', properties: { n: { type: 'number' } }, required: ['n'] };
const tools = new ToolSet('test', [{ name: 'f', parameters }, { name: 'g' }]);

/** Calls with what is wrong with them, and text; neighbours of one kind become one. */
function split(texts: readonly string[], bareCalls = true): (string | readonly [string, unknown, number])[] {
  const splitter = new TagSplitter({ reasoning: 'split', toolCalls: 'parse', tools, bareCalls });
  const all: (string | readonly [string, unknown, number])[] = [];
  const add = (piece: Piece): void => {
    const last = all.at(-1);
    if (piece.type === 'tool-call') {
      all.push([piece.call.name, piece.call.arguments, piece.call.problems?.length ?? 0]);
    } else if (piece.type === 'text' && typeof last === 'string') {
      all[all.length - 1] = last + piece.text;
    } else if (piece.type === 'text') {
      all.push(piece.text);
    }
  };
  for (const text of texts) for (const piece of splitter.push(text)) add(piece);
  for (const piece of splitter.flush()) add(piece);
  return all;
}

test.each<[string, (string | readonly [string, unknown, number])[]]>([
  ['{"name": "f", "parameters": {"n": 1}}', [['f', { n: 1 }, 0]]],
  ['\n{"name": "f", "arguments": {"n": "}\\""}}', [['f', { n: '}"' }, 1]]],
  ['{"name": "f", "parameters": {"n": 1}}; {"name": "g", "parameters": {}}', [['f', { n: 1 }, 0], ['g', {}, 0]]], // prettier-ignore
  ['<|python_tag|>{"type": "function", "name": "g", "parameters": {}}', [['g', {}, 0]]],
  ['{"name": "h", "parameters": {}}', [['h', {}, 1]]],
  ['{"name": "f", "parameters": {"n": 1}} done', [['f', { n: 1 }, 0], ' done']],
  ['Well: {"name": "g", "parameters": {}}', ['Well: {"name": "g", "parameters": {}}']],
  ['{"name": "Ada", "age": 36}', ['{"name": "Ada", "age": 36}']],
  ['{"city": "Graz"}', ['{"city": "Graz"}']],
  ['{"name": "g", "parameters": {', ['{"name": "g", "parameters": {']],
  ['{"name": "f"', ['{"name": "f"']],
  ['{"name": "<tool_call>{"name": "g"}</tool_call>', ['{"name": "', ['g', {}, 0]]],
  ['<think>a</think>{"name": "g", "parameters": {}}', [['g', {}, 0]]],
  ['<tool_call>{"name": "f", "arguments": {"n": 1,}}</tool_call>', [['f', {}, 1]]],
  ['<tool_call>never JSON</tool_call>', ['<tool_call>never JSON</tool_call>']],
  ['<|python', ['<|python']],
])('%j', (text, expected) => {
  expect(split([text])).toEqual(expected);
  expect(split(Array.from(text))).toEqual(expected);
});

test('a marker that is repeated without end stands before a call, or is text', () => {
  const markers = '<|python_tag|>'.repeat(20_000);
  expect(split([`${markers}{"name": "g", "parameters": {}}`])).toEqual([['g', {}, 0]]);
  expect(split([markers])).toEqual([markers]);
});

test('without bare calls an object is text', () => {
  const text = '{"name": "g", "parameters": {}}';
  expect(split([text], false)).toEqual([text]);
});

test('any split into pieces gives the same, and what is no call is not lost', () => {
  const part = fc.constantFrom(
    ...[
      '{"name": "g", "parameters": {}}',
      '{"name": "f", "arguments": {"n": 1}}',
      '{"a": 1}',
      '{',
      '}',
      '"',
      '\\',
      ';',
    ],
    ...['<tool_call>', '</tool_call>', '<think>', '</think>', '{"name": "g"}', ' ', '\n', 'word', '<|python_tag|>'],
  );
  fc.assert(
    fc.property(fc.array(part, { maxLength: 8 }), fc.array(fc.nat({ max: 60 })), (parts, cuts) => {
      const text = parts.join('');
      const places = [0, ...cuts.map((cut) => Math.min(cut, text.length)).sort((a, b) => a - b), text.length];
      const pieces = places.slice(1).map((to, index) => text.slice(places[index], to));
      expect(split(pieces)).toEqual(split([text]));
    }),
    { numRuns: 2000 },
  );
  fc.assert(
    fc.property(fc.string(), (text) => {
      fc.pre(!text.includes('<'));
      expect(split(Array.from(text)).join('')).toBe(text);
    }),
  );
});
