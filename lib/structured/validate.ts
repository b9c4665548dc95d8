/* eslint-disable @typescript-eslint/no-require-imports -- loaded when something has to be checked, and Jest refuses import() */

/** A JSON Schema: an object of keywords, or `true` (anything) or `false` (nothing). */
export type JsonSchema = boolean | Readonly<Record<string, unknown>>;

/** What is used of `@cfworker/json-schema`; its types name no dialect but by literals of its own. */
interface ValidatorLibrary {
  readonly Validator: new (
    schema: unknown,
    draft: string,
    shortCircuit: boolean,
  ) => { validate(value: unknown): { readonly valid: boolean; readonly errors: readonly OutputUnit[] } };
}

interface OutputUnit {
  readonly keyword: string;
  readonly instanceLocation: string;
  readonly error: string;
}

/** They only pass on what another line says better. */
const wrappers: ReadonlySet<string> = new Set(['properties', 'items', 'prefixItems', 'allOf', '$ref', 'false']);

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
  // The library writes into the schema that it is given.
  const own: unknown = JSON.parse(JSON.stringify(schema));
  const { valid, errors } = new Validator(own, '2020-12', false).validate(value);
  if (valid) return [];
  const told = errors.filter(({ keyword }) => !wrappers.has(keyword));
  const problems = (told.length > 0 ? told : errors).map(({ instanceLocation, error }) => {
    const place = instanceLocation.replace(/^#/u, '');
    return place === '' ? error : `${place}: ${error}`;
  });
  return [...new Set(problems)].slice(0, mostProblems);
}
