import type { OptionSpec, OptionTable } from '../options/table.js';
import type { OptionSummary } from './channels.js';

const plainKinds: readonly string[] = ['number', 'integer', 'flag', 'choice'];

function isName(spec: OptionSpec, value: unknown): boolean {
  return spec.kind === 'shape' && typeof value === 'string' && spec.names?.includes(value) === true;
}

/** What may be told of options that have been checked against their table. */
export function summarize(table: OptionTable, options: object): OptionSummary {
  const summary: Record<string, OptionSummary[string]> = {};
  for (const [name, value] of Object.entries(options) as [string, unknown][]) {
    const spec = table[name];
    if (spec?.kind === 'group') {
      const group = summarize(spec.table, value as object);
      for (const [inner, plain] of Object.entries(group)) summary[`${name}.${inner}`] = plain;
    } else if (spec !== undefined && (plainKinds.includes(spec.kind) || isName(spec, value))) {
      summary[name] = value as OptionSummary[string];
    }
  }
  return summary;
}
