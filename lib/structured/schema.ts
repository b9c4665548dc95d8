import { RkllmError } from '../errors.js';
import { describe } from '../options/describe.js';
import type { JsonSchema } from './validate.js';

/** The keywords of an object schema. */
export type Keywords = Readonly<Record<string, unknown>>;

/** They say something to people, and nothing about values. */
const annotations: ReadonlySet<string> = new Set([
  ...['$schema', '$comment', 'title', 'description', 'default', 'examples', 'deprecated', 'readOnly', 'writeOnly'],
  ...['$defs', 'definitions'],
]);

/** What a schema of some type of values may have. */
export const keywordsOf = {
  object: ['properties', 'required', 'additionalProperties'],
  array: ['items', 'prefixItems', 'minItems', 'maxItems'],
  string: ['minLength', 'maxLength'],
  number: ['minimum', 'maximum', 'exclusiveMinimum', 'exclusiveMaximum'],
  integer: ['minimum', 'maximum', 'exclusiveMinimum', 'exclusiveMaximum'],
  boolean: [],
  null: [],
} as const;

export type TypeName = keyof typeof keywordsOf;

/** A place in a schema, for messages. */
export interface Place {
  /** Who was given the schema: `generate()`. */
  readonly owner: string;
  /** As in a reference: `#/properties/name`. */
  readonly path: string;
}

/** @throws RkllmError `RKLLM_INVALID_OPTION` */
export function refuse({ owner, path }: Place, keyword: string | undefined, why: string, hint?: string): never {
  const what = keyword === undefined ? 'the schema' : `'${keyword}'`;
  throw new RkllmError(
    'RKLLM_INVALID_OPTION',
    `${owner}: responseFormat.schema cannot be used: ${what} at ${path} ${why}.`,
    {
      hint:
        hint ?? 'docs/structured-output.md lists the keywords of JSON Schema that can be used, and what they may be.',
      details: { owner, option: 'responseFormat', path, keyword },
    },
  );
}

/** The place below a keyword. */
export function below({ owner, path }: Place, ...names: readonly (string | number)[]): Place {
  const escaped = names.map((name) => String(name).replaceAll('~', '~0').replaceAll('/', '~1'));
  return { owner, path: [path, ...escaped].join('/') };
}

/** A copy of a schema that is plain JSON. */
export function plainSchema(owner: string, schema: unknown): JsonSchema {
  const place: Place = { owner, path: '#' };
  let copy: unknown;
  try {
    copy = JSON.parse(JSON.stringify(schema));
  } catch {
    refuse(place, undefined, 'is not plain JSON');
  }
  if (typeof copy === 'boolean' || isKeywords(copy)) return copy;
  return refuse(place, undefined, `is ${describe(copy)}, and must be an object of keywords or a boolean`);
}

export function isKeywords(value: unknown): value is Keywords {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

/** Those that say something about values. */
export function assertions(schema: Keywords): string[] {
  return Object.keys(schema).filter((keyword) => !annotations.has(keyword));
}

/** Refuses what stands beside a keyword that must be alone. */
export function onlyBeside(place: Place, schema: Keywords, keyword: string, allowed: readonly string[] = []): void {
  const other = assertions(schema).find((name) => name !== keyword && !allowed.includes(name));
  if (other !== undefined) refuse(place, other, `stands beside '${keyword}', where it cannot be used`);
}

/** A count; undefined when the keyword is not there. */
export function countAt(place: Place, schema: Keywords, keyword: string, most: number): number | undefined {
  const value = schema[keyword];
  if (value === undefined) return undefined;
  if (typeof value === 'number' && Number.isInteger(value) && value >= 0 && value <= most) return value;
  return refuse(place, keyword, `must be an integer from 0 to ${String(most)}`);
}

/** A list of schemas that is not empty; undefined when the keyword is not there. */
export function schemasAt(place: Place, schema: Keywords, keyword: string): readonly unknown[] | undefined {
  const value = schema[keyword];
  if (value === undefined) return undefined;
  if (Array.isArray(value) && value.length > 0) return value as readonly unknown[];
  return refuse(place, keyword, 'must be a list of schemas with at least one');
}

/** Schemas by name; empty when the keyword is not there. */
export function namedSchemasAt(place: Place, schema: Keywords, keyword: string): Keywords {
  const value = schema[keyword] ?? {};
  return isKeywords(value) ? value : refuse(place, keyword, 'must be an object of schemas');
}

/** A list of different names; empty when the keyword is not there. */
export function namesAt(place: Place, schema: Keywords, keyword: string): readonly string[] {
  const value = schema[keyword] ?? [];
  const isList = Array.isArray(value) && value.every((name): name is string => typeof name === 'string');
  return isList ? value : refuse(place, keyword, 'must be a list of strings');
}

/** The types that a schema names; undefined when it names none. */
export function typesAt(place: Place, schema: Keywords): readonly TypeName[] | undefined {
  const { type } = schema;
  if (type === undefined) return undefined;
  const types: readonly unknown[] = Array.isArray(type) ? type : [type];
  const isType = (name: unknown): name is TypeName => typeof name === 'string' && Object.hasOwn(keywordsOf, name);
  if (types.length > 0 && types.every(isType)) return types;
  return refuse(place, 'type', `must be one or several of ${Object.keys(keywordsOf).join(', ')}`);
}

/** The values that a schema lists; undefined when it lists none. */
export function valuesAt(place: Place, schema: Keywords): readonly unknown[] | undefined {
  if (Object.hasOwn(schema, 'const')) return [schema['const']];
  const values = schema['enum'];
  if (values === undefined) return undefined;
  if (Array.isArray(values) && values.length > 0) return values as readonly unknown[];
  return refuse(place, 'enum', 'must be a list of values with at least one');
}

/** Whether a value is of a type, as JSON Schema means it. */
export function isOfType(value: unknown, type: TypeName): boolean {
  switch (type) {
    case 'null':
      return value === null;
    case 'array':
      return Array.isArray(value);
    case 'object':
      return isKeywords(value);
    case 'integer':
      return Number.isInteger(value);
    default:
      return typeof value === type;
  }
}
