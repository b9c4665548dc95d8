import type { SchemaCompiler } from './compile.js';
import type { GrammarNode } from './grammar/node.js';
import { below, countAt, refuse, schemasAt, type Keywords, type Place } from './schema.js';

/** Each item up to there has a rule of its own. */
const mostItems = 1000;

export function compileArray(compiler: SchemaCompiler, schema: Keywords, place: Place): GrammarNode {
  const { rules } = compiler;
  const prefix = schemasAt(place, schema, 'prefixItems') ?? [];
  const { items = true } = schema;
  if (Array.isArray(items)) {
    refuse(place, 'items', 'is a list', "Write 'prefixItems', as JSON Schema has it since 2020-12.");
  }
  const min = countAt(place, schema, 'minItems', mostItems) ?? 0;
  const max = Math.min(
    countAt(place, schema, 'maxItems', mostItems) ?? Infinity,
    items === false ? prefix.length : Infinity,
  );
  if (prefix.length > mostItems) refuse(place, 'prefixItems', `has more than ${String(mostItems)} schemas`);
  const first = prefix.map((item, i) => compiler.valueOf(item, below(place, 'prefixItems', i)));
  const other = max <= prefix.length ? undefined : compiler.valueOf(items, below(place, 'items'));
  // From here on one item is like the next.
  const last = max === Infinity ? Math.max(prefix.length, min, 1) : max;
  let after = rules.choice();
  if (max < Infinity) after.parts = min <= max ? [rules.closesArray] : [];
  else if (other !== undefined) after.parts = [rules.closesArray, rules.sequence(rules.comma, other, after)];
  for (let index = last - 1; index >= 0; index--) {
    const item = first[index] ?? other;
    const parts = item === undefined ? [] : [rules.sequence(...(index > 0 ? [rules.comma] : []), item, after)];
    after = rules.choice(...(index >= min ? [rules.closesArray] : []), ...parts);
  }
  return rules.nest(rules.sequence(rules.opensArray, after));
}
