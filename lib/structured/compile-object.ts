import type { SchemaCompiler } from './compile.js';
import { OtherKeys } from './grammar/key.js';
import type { GrammarNode } from './grammar/node.js';
import { below, namedSchemasAt, namesAt, refuse, type Keywords, type Place } from './schema.js';

/** `JSON.parse()` keeps it, and what copies the value afterwards may take it for the prototype. */
const treacherousName = '__proto__';

interface Property {
  readonly name: string;
  readonly isRequired: boolean;
  readonly value: GrammarNode;
}

/**
 * Objects have the properties that are named, in their order, and then others: where `additionalProperties` says which, or
 * where none are named.
 */
export function compileObject(compiler: SchemaCompiler, schema: Keywords, place: Place): GrammarNode {
  const { rules } = compiler;
  const named = namedSchemasAt(place, schema, 'properties');
  const required = namesAt(place, schema, 'required');
  const { additionalProperties } = schema;
  const valueOfOthers = (): GrammarNode =>
    compiler.valueOf(additionalProperties ?? true, below(place, 'additionalProperties'));
  const properties = Object.entries(named).map(([name, value]): Property => {
    const isRequired = required.includes(name);
    return { name, isRequired, value: compiler.valueOf(value, below(place, 'properties', name)) };
  });
  for (const name of new Set(required)) {
    if (Object.hasOwn(named, name)) continue;
    if (additionalProperties === false) refuse(place, 'required', `names '${name}', which there cannot be`);
    properties.push({ name, isRequired: true, value: valueOfOthers() });
  }
  const hasOthers = additionalProperties === undefined ? properties.length === 0 : additionalProperties !== false;
  const others = hasOthers ? [valueOfOthers()] : [];
  return rules.nest(rules.sequence(rules.opensObject, membersOf(compiler, properties, others)));
}

/** From the last property to the first, each for what comes before: nothing yet, or something that a comma follows. */
function membersOf(
  { rules }: SchemaCompiler,
  properties: readonly Property[],
  others: readonly GrammarNode[],
): GrammarNode {
  const names = [...properties.map(({ name }) => name), treacherousName];
  const key = others.length === 0 ? rules.nothing : rules.terminal(new OtherKeys(names).start);
  const further = rules.choice();
  further.parts = [
    rules.closesObject,
    ...others.map((value) => rules.sequence(rules.comma, key, rules.colon, value, further)),
  ];
  let first = rules.choice(
    rules.closesObject,
    ...others.map((value) => rules.sequence(key, rules.colon, value, further)),
  );
  let after: GrammarNode = further;
  for (const { name, isRequired, value } of [...properties].reverse()) {
    const member = rules.sequence(rules.literal(JSON.stringify(name)), rules.colon, value, after);
    const behindComma = rules.sequence(rules.comma, member);
    first = isRequired ? member : rules.choice(member, first);
    after = isRequired ? behindComma : rules.choice(behindComma, after);
  }
  return first;
}
