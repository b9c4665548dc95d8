import fc from 'fast-check';
import type { JsonSchema } from '../../dist/structured/validate.js';

const names = ['name', 'id', 'é"\\', 'nested', 'a b', '__proto'];

function numeric(type: 'integer' | 'number'): fc.Arbitrary<JsonSchema> {
  const bound =
    type === 'integer' ? fc.integer({ min: -2000, max: 2000 }) : fc.double({ min: -50, max: 50, noNaN: true });
  return fc.oneof(
    fc.constant({ type }),
    fc.record({ minimum: bound }).map((limits) => ({ type, ...limits })),
    fc.record({ exclusiveMaximum: bound }).map((limits) => ({ type, ...limits })),
    fc.tuple(bound, bound).map(([a, b]) => ({ type, minimum: Math.min(a, b), maximum: Math.max(a, b) + 1 })),
    fc
      .tuple(bound, bound)
      .map(([a, b]) => ({ type, exclusiveMinimum: Math.min(a, b), exclusiveMaximum: Math.max(a, b) + 2 })),
  );
}

const text: fc.Arbitrary<JsonSchema> = fc.oneof(
  fc.constant({ type: 'string' }),
  fc
    .nat({ max: 5 })
    .chain((min) => fc.nat({ max: 20 }).map((more) => ({ type: 'string', minLength: min, maxLength: min + more }))),
  fc.constant({ type: 'string', minLength: 3 }),
);

const listed: fc.Arbitrary<JsonSchema> = fc.oneof(
  fc.array(fc.jsonValue({ maxDepth: 1 }), { minLength: 1, maxLength: 4 }).map((values) => ({
    enum: JSON.parse(JSON.stringify(values)) as unknown[],
  })),
  fc.constantFrom<JsonSchema>({ const: 'Grüße\n"x"' }, { const: 12 }, { enum: ['a', 'ab', 'abc'], type: 'string' }),
);

const recursive: JsonSchema = {
  type: 'object',
  properties: { value: { type: 'integer' }, next: { anyOf: [{ $ref: '#/$defs/list' }, { type: 'null' }] } },
  required: ['value', 'next'],
  additionalProperties: false,
};

const { schema } = fc.letrec<{
  schema: JsonSchema;
  leaf: JsonSchema;
  object: JsonSchema;
  array: JsonSchema;
  choice: JsonSchema;
}>((tie) => ({
  leaf: fc.oneof(
    text,
    numeric('integer'),
    numeric('number'),
    listed,
    fc.constantFrom<JsonSchema>({ type: 'boolean' }, { type: 'null' }, { type: ['string', 'null', 'integer'] }, {}),
    fc.constant({ $ref: '#/$defs/list' }),
  ),
  object: fc
    .tuple(
      fc.uniqueArray(fc.tuple(fc.constantFrom(...names), tie('schema'), fc.boolean()), {
        maxLength: 4,
        selector: ([name]) => name,
      }),
      fc.constantFrom(undefined, false, true, { type: 'integer' }),
    )
    .map(([properties, additionalProperties]) => ({
      type: 'object',
      properties: Object.fromEntries(properties.map(([name, value]) => [name, value])),
      required: properties.filter(([, , isRequired]) => isRequired).map(([name]) => name),
      ...(additionalProperties === undefined ? {} : { additionalProperties }),
    })),
  array: fc
    .tuple(tie('schema'), fc.array(tie('leaf'), { maxLength: 2 }), fc.nat({ max: 2 }), fc.nat({ max: 3 }))
    .map(([items, prefix, min, more]) => ({
      type: 'array',
      items,
      ...(prefix.length > 0 ? { prefixItems: prefix } : {}),
      minItems: min,
      ...(more < 3 ? { maxItems: min + more } : {}),
    })),
  choice: fc.array(tie('schema'), { minLength: 1, maxLength: 3 }).map((anyOf) => ({ anyOf })),
  schema: fc.oneof({ maxDepth: 3, withCrossShrink: true }, tie('leaf'), tie('object'), tie('array'), tie('choice')),
}));

/** Schemas of everything that can be kept, with a recursive part that they may refer to. */
export const schemas: fc.Arbitrary<Readonly<Record<string, unknown>>> = schema.map((made) => ({
  ...(made as object),
  $defs: { list: recursive },
}));
