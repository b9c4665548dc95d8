import { compileArray } from './compile-array.js';
import { compileObject } from './compile-object.js';
import { mostLevels } from './grammar/automaton.js';
import { measureAll, type GrammarNode } from './grammar/node.js';
import { mostDigits } from './grammar/number.js';
import { Rules, TooManyRules } from './grammar/rules.js';
import { areDisjoint } from './one-of.js';
import {
  assertions,
  below,
  countAt,
  isKeywords,
  isOfType,
  keywordsOf,
  onlyBeside,
  refuse,
  schemasAt,
  typesAt,
  valuesAt,
  type Keywords,
  type Place,
  type TypeName,
} from './schema.js';
import type { JsonSchema } from './validate.js';

const typeNames = Object.keys(keywordsOf) as TypeName[];
const typeKeywords: ReadonlySet<string> = new Set(Object.values(keywordsOf).flat());
const otherKeywords: ReadonlySet<string> = new Set(['type', 'enum', 'const', 'anyOf', 'oneOf', 'allOf', '$ref']);

/** Turns the parts of a schema into rules. */
export interface SchemaCompiler {
  readonly rules: Rules;
  /** The rule for values of a part of the schema. */
  valueOf(schema: unknown, place: Place): GrammarNode;
}

/**
 * Turns a schema into the rule of its values as they are written: every text of the rule is JSON and valid.
 *
 * @param owner - who was given the schema, for messages: `generate()`.
 * @throws RkllmError `RKLLM_INVALID_OPTION` for what cannot be kept while a value is written.
 */
export function compileSchema(owner: string, schema: JsonSchema): GrammarNode {
  const place: Place = { owner, path: '#' };
  try {
    const compiler = new Compiler(schema);
    const root = compiler.valueOf(schema, place);
    measureAll(compiler.rules.all);
    if (root.length === Infinity) return refuse(place, undefined, 'has no value that could be written');
    if (root.height > mostLevels) return refuse(place, undefined, `is nested deeper than ${String(mostLevels)} levels`);
    return root;
  } catch (error) {
    const isTooLarge = error instanceof TooManyRules || error instanceof RangeError; // the latter: nested too deeply
    return isTooLarge ? refuse(place, undefined, 'is too large') : rethrow(error);
  }
}

function rethrow(error: unknown): never {
  throw error;
}

class Compiler implements SchemaCompiler {
  readonly rules = new Rules();
  readonly #root: JsonSchema;
  readonly #references = new Map<string, GrammarNode>();
  #anything: GrammarNode | undefined;

  constructor(root: JsonSchema) {
    this.#root = root;
  }

  valueOf(schema: unknown, place: Place): GrammarNode {
    if (schema === true) return this.#anyValue(place);
    if (schema === false) return this.rules.choice();
    if (!isKeywords(schema)) return refuse(place, undefined, 'must be an object of keywords or a boolean');
    const unknown = assertions(schema).find((name) => !typeKeywords.has(name) && !otherKeywords.has(name));
    if (unknown !== undefined) refuse(place, unknown, 'is not among the keywords that can be kept', hintFor(unknown));
    const { $ref } = schema;
    if ($ref !== undefined) return this.#reference($ref, schema, place);
    const all = schemasAt(place, schema, 'allOf');
    if (all !== undefined) {
      onlyBeside(place, schema, 'allOf');
      if (all.length > 1) refuse(place, 'allOf', 'has more than one schema');
      return this.valueOf(all[0], below(place, 'allOf', 0));
    }
    for (const keyword of ['anyOf', 'oneOf']) {
      const alternatives = schemasAt(place, schema, keyword);
      if (alternatives !== undefined) return this.#oneOf(keyword, alternatives, schema, place);
    }
    const values = valuesAt(place, schema);
    return values === undefined ? this.#ofTypes(schema, place) : this.#listed(values, schema, place);
  }

  #ofTypes(schema: Keywords, place: Place): GrammarNode {
    const types = typesAt(place, schema) ?? impliedTypes(schema);
    if (types === undefined) return this.#anyValue(place);
    const needed = types.filter((type) => type !== 'integer' || !types.includes('number'));
    return this.rules.choice(...needed.map((type) => this.#ofType(type, schema, place)));
  }

  #ofType(type: TypeName, schema: Keywords, place: Place): GrammarNode {
    const { rules } = this;
    switch (type) {
      case 'object':
        return compileObject(this, schema, place);
      case 'array':
        return compileArray(this, schema, place);
      case 'string': {
        const min = countAt(place, schema, 'minLength', 1_000_000) ?? 0;
        const max = countAt(place, schema, 'maxLength', Number.MAX_SAFE_INTEGER) ?? Infinity;
        return max < min ? rules.choice() : rules.text(min, max);
      }
      case 'number':
      case 'integer':
        return rules.number(type === 'integer', numberLimits(schema, place));
      case 'boolean':
        return rules.choice(rules.literal('true'), rules.literal('false'));
      case 'null':
        return rules.literal('null');
    }
  }

  #listed(values: readonly unknown[], schema: Keywords, place: Place): GrammarNode {
    const keyword = Object.hasOwn(schema, 'const') ? 'const' : 'enum';
    onlyBeside(place, schema, keyword, ['type']);
    const types = typesAt(place, schema);
    const possible = values.filter((value) => types === undefined || types.some((type) => isOfType(value, type)));
    return this.rules.choice(...possible.map((value) => this.rules.literal(JSON.stringify(value))));
  }

  #oneOf(keyword: string, alternatives: readonly unknown[], schema: Keywords, place: Place): GrammarNode {
    onlyBeside(place, schema, keyword);
    const resolve = (part: unknown, at: Place): unknown => this.#resolve(part, at);
    for (const [i, first] of keyword === 'oneOf' ? alternatives.entries() : []) {
      if (alternatives.slice(i + 1).every((second) => areDisjoint(place, first, second, resolve))) continue;
      refuse(
        place,
        'oneOf',
        'has alternatives that a value may be both of',
        "Use 'anyOf', or tell them apart by their types or by a required property with a 'const' in each.",
      );
    }
    return this.rules.choice(...alternatives.map((part, i) => this.valueOf(part, below(place, keyword, i))));
  }

  /** What a reference means is compiled once: it may lead back to itself. */
  #reference(reference: unknown, schema: Keywords, place: Place): GrammarNode {
    onlyBeside(place, schema, '$ref');
    const target = this.#follow(reference, place);
    const path = String(reference);
    const known = this.#references.get(path);
    if (known !== undefined) return known;
    const node = this.rules.choice();
    this.#references.set(path, node);
    node.parts = [this.valueOf(target, { ...place, path })];
    return node;
  }

  /** The schema that is meant, however many references there are on the way. */
  #resolve(schema: unknown, place: Place): unknown {
    const seen = new Set<unknown>();
    let found = schema;
    while (isKeywords(found) && found['$ref'] !== undefined && !seen.has(found)) {
      seen.add(found);
      found = this.#follow(found['$ref'], place);
    }
    return found;
  }

  #follow(reference: unknown, place: Place): unknown {
    if (typeof reference !== 'string' || !/^#(\/|$)/u.test(reference)) {
      refuse(place, '$ref', "must be a reference within the schema, such as '#/$defs/name'");
    }
    let found: unknown = this.#root;
    for (const step of reference.split('/').slice(1)) {
      const name = unescapePointer(step).replaceAll('~1', '/').replaceAll('~0', '~');
      const inside: unknown = typeof found === 'object' && found !== null && Object.hasOwn(found, name);
      if (inside !== true) refuse(place, '$ref', `leads to nothing: '${reference}'`);
      found = (found as Keywords)[name];
    }
    return found;
  }

  /** Any value of JSON. */
  #anyValue(place: Place): GrammarNode {
    if (this.#anything !== undefined) return this.#anything;
    const node = this.rules.choice();
    this.#anything = node;
    node.parts = typeNames.filter((type) => type !== 'integer').map((type) => this.#ofType(type, {}, place));
    return node;
  }
}

/** What a schema without a type is about, as its keywords tell. Values of other types would be valid, too. */
function impliedTypes(schema: Keywords): readonly TypeName[] | undefined {
  const implied = typeNames.filter(
    (type) => type !== 'integer' && keywordsOf[type].some((keyword) => Object.hasOwn(schema, keyword)),
  );
  return implied.length === 0 ? undefined : implied;
}

function numberLimits(schema: Keywords, place: Place): Readonly<Record<string, number>> {
  const given = keywordsOf.number.filter((keyword) => schema[keyword] !== undefined);
  const limits = given.map((keyword): [string, number] => {
    const value = schema[keyword];
    if (typeof value !== 'number') return refuse(place, keyword, 'must be a number');
    if (Math.abs(value) < 10 ** mostDigits) return [keyword, value];
    return refuse(place, keyword, `must be a number of at most ${String(mostDigits)} digits`);
  });
  return Object.fromEntries(limits);
}

function unescapePointer(step: string): string {
  try {
    return decodeURIComponent(step);
  } catch {
    return step;
  }
}

function hintFor(keyword: string): string | undefined {
  if (keyword === 'nullable')
    return "It is not of JSON Schema: write type: ['string', 'null'], or anyOf with { type: 'null' }.";
  if (keyword === 'pattern' || keyword === 'format') {
    return "Leave it out and check the string in result.json, or list what it may be with 'enum'.";
  }
  return undefined;
}
