/** A value as shown in messages: short, and with its type where the text alone would mislead. */
export function describe(value: unknown): string {
  switch (typeof value) {
    case 'string':
      return value === '' ? 'an empty string' : `the string '${shorten(value)}'`;
    case 'number':
    case 'boolean':
    case 'bigint':
      return `the ${typeof value} ${shorten(String(value))}`;
    case 'object':
      return value === null ? 'null' : Array.isArray(value) ? 'an array' : describeObject(value);
    case 'undefined':
      return 'undefined';
    default:
      return `a ${typeof value}`;
  }
}

function describeObject(value: object): string {
  const { constructor } = value;
  const name: unknown = typeof constructor === 'function' ? constructor.name : undefined;
  return typeof name !== 'string' || name === '' || name === 'Object'
    ? 'an object'
    : `an object of class ${shorten(name)}`;
}

function shorten(text: string): string {
  return text.length <= 60 ? text : `${text.slice(0, 57)}…`;
}
