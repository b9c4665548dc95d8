/** JSON as Python writes it, with a space behind each comma and colon: what models were trained on. */
export function pythonJson(value: unknown, indent?: number): string {
  // Of plain values: JSON.stringify() has applied toJSON() and left out what JSON does not have.
  const plain: unknown = JSON.parse(JSON.stringify(value));
  return indent === undefined ? write(plain) : JSON.stringify(plain, null, indent);
}

function write(value: unknown): string {
  if (Array.isArray(value)) return `[${value.map(write).join(', ')}]`;
  if (typeof value !== 'object' || value === null) return JSON.stringify(value);
  const entries = Object.entries(value).map(([key, item]) => `${JSON.stringify(key)}: ${write(item)}`);
  return `{${entries.join(', ')}}`;
}
