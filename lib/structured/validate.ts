/* eslint-disable @typescript-eslint/no-require-imports -- loaded when something has to be checked, and Jest refuses import() */

import { isKeywords, type Keywords } from './schema.js';

/** A JSON Schema: an object of keywords, or `true` (anything) or `false` (nothing). */
export type JsonSchema = boolean | Readonly<Record<string, unknown>>;

/** What is used of `@cfworker/json-schema`; its types name no dialect but by literals of its own. */
interface ValidatorLibrary {
  readonly Validator: new (
    schema: unknown,
    draft: string,
    shortCircuit: boolean,
  ) => { validate(value: unknown): { readonly valid: boolean; readonly errors: readonly OutputUnit[] } };
  /** The parts of a schema by their address. */
  readonly dereference: (schema: unknown) => Readonly<Record<string, unknown>>;
  readonly validate: (
    value: unknown,
    part: unknown,
    draft: string,
    parts: Readonly<Record<string, unknown>>,
    shortCircuit: boolean,
  ) => unknown;
  /** Keywords whose value is a schema, a list of them, or has them by name. */
  readonly schemaKeyword: Keywords;
  readonly schemaArrayKeyword: Keywords;
  readonly schemaMapKeyword: Keywords;
}

interface OutputUnit {
  readonly keyword: string;
  readonly instanceLocation: string;
  readonly error: string;
}

/** They only pass on what another line says better. */
const wrappers: ReadonlySet<string> = new Set(['properties', 'items', 'prefixItems', 'allOf', '$ref', 'false']);

const draft = '2020-12';

/** What a model is told, and what an error shows, has to stay readable. */
const mostProblems = 10;

/**
 * Checks a value against a JSON Schema of draft 2020-12.
 *
 * @param schema - left as it is.
 * @returns what is wrong, in sentences that name the place (`/list/0: …`); empty when nothing is.
 * @throws Error when the schema cannot be used: a reference to nothing, a pattern that is none.
 */
export function validateJson(schema: JsonSchema, value: unknown): readonly string[] {
  const { Validator } = require('@cfworker/json-schema') as ValidatorLibrary;
  const { valid, errors } = new Validator(copyOf(schema), draft, false).validate(value);
  if (valid) return [];
  const told = errors.filter(({ keyword }) => !wrappers.has(keyword));
  const problems = (told.length > 0 ? told : errors).map(({ instanceLocation, error }) => {
    const place = instanceLocation.replace(/^#/u, '');
    return place === '' ? error : `${place}: ${error}`;
  });
  return [...new Set(problems)].slice(0, mostProblems);
}

/** One of each type that keywords are about: each keyword is looked at. */
const samples: readonly unknown[] = ['', 0, [], {}];

/**
 * Tries a schema with all its parts, also those that only some values get to.
 *
 * @throws Error what {@link validateJson} would throw for one of these values.
 */
export function tryJsonSchema(schema: JsonSchema): void {
  const library = require('@cfworker/json-schema') as ValidatorLibrary;
  const own = copyOf(schema);
  const byAddress = library.dereference(own);
  for (const part of partsOf(own, library)) {
    for (const sample of samples) library.validate(sample, part, draft, byAddress, false);
  }
}

/** Without what stands in annotations: it may look like a schema. */
function* partsOf(schema: unknown, library: ValidatorLibrary): Generator<Keywords> {
  if (!isKeywords(schema)) return;
  yield schema;
  for (const [keyword, value] of Object.entries(schema)) {
    if (Object.hasOwn(library.schemaKeyword, keyword)) yield* partsOf(value, library);
    const isList = Array.isArray(value) && Object.hasOwn(library.schemaArrayKeyword, keyword);
    const isMap = isKeywords(value) && Object.hasOwn(library.schemaMapKeyword, keyword);
    if (isList || isMap) for (const part of Object.values<unknown>(value)) yield* partsOf(part, library);
  }
}

/** The library writes into the schema that it is given. */
function copyOf(schema: JsonSchema): unknown {
  return JSON.parse(JSON.stringify(schema));
}
