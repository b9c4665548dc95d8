import { validateJson } from '../../../dist/structured/validate.js';

const person = {
  type: 'object',
  properties: { name: { type: 'string' }, age: { type: 'integer', minimum: 0 } },
  required: ['name'],
  additionalProperties: false,
};

describe('validateJson', () => {
  it('finds nothing wrong with a value of the schema', () => {
    expect(validateJson(person, { name: 'Ada', age: 36 })).toEqual([]);
    expect(validateJson(true, null)).toEqual([]);
  });

  it('names the place of each problem', () => {
    const problems = validateJson(person, { name: 1, age: -1 });
    expect(problems).toHaveLength(2);
    expect(problems[0]).toMatch(/^\/name: /u);
    expect(problems[1]).toMatch(/^\/age: /u);
  });

  it('names what is missing and what is too much', () => {
    const problems = validateJson(person, { nickname: 'A' }).join('\n');
    expect(problems).toContain('name');
    expect(problems).toContain('nickname');
  });

  it('follows references, and leaves the schema as it is', () => {
    const tree = Object.freeze({ $defs: { leaf: { type: 'string' } }, type: 'array', items: { $ref: '#/$defs/leaf' } });
    expect(validateJson(tree, ['a'])).toEqual([]);
    expect(validateJson(tree, [1]).join()).toMatch(/^\/0: /u);
  });

  it('throws where the schema cannot be used', () => {
    expect(() => validateJson({ $ref: '#/$defs/none' }, 1)).toThrow(Error);
  });
});
