import {
  isKeywords,
  isOfType,
  namedSchemasAt,
  namesAt,
  typesAt,
  valuesAt,
  type Keywords,
  type Place,
  type TypeName,
} from './schema.js';

/** What two alternatives can be told apart by. */
type Resolve = (schema: unknown, place: Place) => unknown;

/**
 * Whether no value is of both schemas, as far as that can be seen: by their types, by the values that they list, or by
 * those of a property that both require.
 *
 * @param resolve - follows references.
 */
export function areDisjoint(place: Place, first: unknown, second: unknown, resolve: Resolve): boolean {
  const a = resolve(first, place);
  const b = resolve(second, place);
  if (a === false || b === false) return true;
  if (!isKeywords(a) || !isKeywords(b)) return false;
  return haveOtherTypes(place, a, b) || haveOtherValues(place, a, b) || haveOtherTags(place, a, b, resolve);
}

function haveOtherTypes(place: Place, a: Keywords, b: Keywords): boolean {
  const types = typesOf(place, a);
  const others = typesOf(place, b);
  if (types === undefined || others === undefined) return false;
  return !types.some((type) => others.includes(type));
}

/** Of what is listed, too; every integer is a number. */
function typesOf(place: Place, schema: Keywords): readonly TypeName[] | undefined {
  const types = typesAt(place, schema);
  const values = valuesAt(place, schema);
  const all = ['object', 'array', 'string', 'number', 'boolean', 'null'] as const;
  if (values !== undefined && types === undefined)
    return all.filter((type) => values.some((value) => isOfType(value, type)));
  return types?.map((type) => (type === 'integer' ? 'number' : type));
}

function haveOtherValues(place: Place, a: Keywords, b: Keywords): boolean {
  const values = valuesAt(place, a);
  const others = valuesAt(place, b);
  if (values === undefined || others === undefined) return false;
  // Lists and objects are equal in any order of their properties: those are not told apart.
  const isPlain = (value: unknown): boolean => typeof value !== 'object' || value === null;
  return [...values, ...others].every(isPlain) && !values.some((value) => others.includes(value));
}

function haveOtherTags(place: Place, a: Keywords, b: Keywords, resolve: Resolve): boolean {
  if (a['type'] !== 'object' || b['type'] !== 'object') return false;
  const others = namesAt(place, b, 'required');
  return namesAt(place, a, 'required').some((name) => {
    if (!others.includes(name)) return false;
    const [tag, other] = [a, b].map((schema) => {
      const properties = namedSchemasAt(place, schema, 'properties');
      return Object.hasOwn(properties, name) ? resolve(properties[name], place) : undefined;
    });
    return isKeywords(tag) && isKeywords(other) && haveOtherValues(place, tag, other);
  });
}
