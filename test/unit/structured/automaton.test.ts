import fc from 'fast-check';
import { compileSchema } from '../../../dist/structured/compile.js';
import { Automaton } from '../../../dist/structured/grammar/automaton.js';
import { validateJson, type JsonSchema } from '../../../dist/structured/validate.js';
import { schemas } from '../../support/schemas.js';

function automatonOf(schema: JsonSchema): Automaton {
  return new Automaton(compileSchema('test', schema));
}

/** Whether a text is written as the schema has it. */
function accepts(automaton: Automaton, text: string): boolean {
  let state = automaton.start;
  for (const byte of Buffer.from(text)) {
    const next = automaton.step(state, byte);
    if (next === undefined) return false;
    state = next;
  }
  return state.isComplete;
}

/** A text of the schema: `choose` takes one of the bytes that may follow, until it has been asked often enough. */
function write(automaton: Automaton, choose: (count: number) => number, wanted: number): Buffer {
  const bytes: number[] = [];
  for (let state = automaton.start; !state.isOver;) {
    state = automaton.tidy(state);
    const possible = Array.from({ length: 256 }, (_, byte) => byte).filter((byte) => automaton.step(state, byte));
    const ending = state.isComplete ? undefined : state.shortestByte;
    const byte = bytes.length < wanted ? possible[choose(possible.length)] : ending;
    if (byte === undefined) break;
    const next = automaton.step(state, byte);
    if (next === undefined) throw new Error('The shortest way is none.');
    if (bytes.length >= wanted) expect(next.shortest).toBeLessThan(state.shortest);
    bytes.push(byte);
    state = next;
  }
  return Buffer.from(bytes);
}

describe('the automaton of a schema', () => {
  it('writes valid values only, whatever is chosen and wherever the shortest way out is taken', () => {
    fc.assert(
      fc.property(schemas, fc.infiniteStream(fc.nat()), fc.nat({ max: 150 }), (schema, choices, wanted) => {
        const automaton = automatonOf(schema);
        const written = write(automaton, (count) => (choices.next().value ?? 0) % count, wanted);
        const text = new TextDecoder('utf-8', { fatal: true }).decode(written);
        expect(validateJson(schema, JSON.parse(text))).toEqual([]);
      }),
      { numRuns: 300, seed: 1 },
    );
  });

  it('writes the same with all but the place in use forgotten after each byte, however deep that is', () => {
    fc.assert(
      fc.property(schemas, fc.array(fc.nat(), { minLength: 1 }), fc.nat({ max: 80 }), (schema, choices, wanted) => {
        const texts = [Infinity, 0].map((mostStates) => {
          let turn = 0;
          const choose = (count: number): number => (choices[turn++ % choices.length] ?? 0) % count;
          return write(new Automaton(compileSchema('test', schema), mostStates), choose, wanted);
        });
        expect(validateJson(schema, JSON.parse(String(texts[1])))).toEqual([]);
        // Of two ways out that are as short either may be taken.
        expect(texts[1]?.subarray(0, wanted)).toEqual(texts[0]?.subarray(0, wanted));
      }),
      { numRuns: 40, seed: 1 },
    );
  });

  it('forgets what there is too much of, and no more', () => {
    const automaton = new Automaton(compileSchema('test', { type: 'array', items: { type: 'integer' } }), 20);
    let state = automaton.start;
    const read = (text: string): void => {
      for (const byte of Buffer.from(text)) {
        const next = automaton.step(state, byte);
        if (next === undefined) throw new Error(`${text} cannot follow.`);
        state = next;
      }
    };
    read('[1');
    expect(automaton.tidy(state)).toBe(state);
    for (let number = 100; number < 300; number++) {
      read(`,${String(number)}`);
      state = automaton.tidy(state);
      expect(automaton.size).toBeLessThanOrEqual(20);
    }
    read(']');
    expect(state.isComplete).toBe(true);
  });

  it('accepts the numbers of a range and no others', () => {
    fc.assert(
      fc.property(
        fc.double({ min: -1000, max: 1000, noNaN: true }),
        fc.double({ min: 0, max: 100, noNaN: true }),
        fc.oneof(fc.integer({ min: -1200, max: 1200 }), fc.double({ min: -1200, max: 1200, noNaN: true })),
        (minimum, width, value) => {
          const schema = { type: 'number', minimum, exclusiveMaximum: minimum + width + 1 };
          const text = String(Number(value.toFixed(6)));
          expect(accepts(automatonOf(schema), text)).toBe(validateJson(schema, JSON.parse(text)).length === 0);
        },
      ),
      { numRuns: 500, seed: 1 },
    );
  });

  it('accepts strings by their characters, with escapes and in UTF-8', () => {
    const automaton = automatonOf({ type: 'string', minLength: 2, maxLength: 2 });
    for (const text of ['"ab"', '"é😀"', '"\\n\\u00e9"', '"\\\\\\""']) expect(accepts(automaton, text)).toBe(true);
    for (const text of ['"a"', '"abc"', '"\\ud83d\\ude00"', '"a\n"', '"\\x41"', 'ab']) {
      expect(accepts(automaton, text)).toBe(false);
    }
    const bytes = [0x22, 0xc0, 0x80, 0x22]; // an overlong NUL
    expect(automaton.step(automaton.step(automaton.start, 0x22) ?? automaton.start, bytes[1] ?? 0)).toBeUndefined();
  });

  it('keeps the order of the properties, and the names of others apart from them', () => {
    const automaton = automatonOf({
      type: 'object',
      properties: { a: { type: 'integer' }, b: { type: 'integer' } },
      required: ['b'],
      additionalProperties: { type: 'string' },
    });
    expect(accepts(automaton, '{"a":1,"b":2}')).toBe(true);
    expect(accepts(automaton, '{"b": 2, "c": "d"}')).toBe(true);
    expect(accepts(automaton, '{"a":1}')).toBe(false);
    expect(accepts(automaton, '{"b":2,"a":1}')).toBe(false);
    expect(accepts(automaton, '{"b":2,"a":"x"}')).toBe(false);
    expect(accepts(automaton, '{"b":2,"\\u0061":"x"}')).toBe(false);
    expect(accepts(automaton, '{"b":2,"__proto__":"x"}')).toBe(false);
  });

  it('ends recursion at 64 levels, and whatever it has begun', () => {
    const automaton = automatonOf({ $defs: { a: { type: 'array', items: { $ref: '#/$defs/a' } } }, $ref: '#/$defs/a' });
    expect(accepts(automaton, '['.repeat(64) + ']'.repeat(64))).toBe(true);
    expect(accepts(automaton, '['.repeat(65) + ']'.repeat(65))).toBe(false);
  });
});
