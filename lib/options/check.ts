import { distance } from 'fastest-levenshtein';
import { RkllmError } from '../errors.js';
import { describe } from './describe.js';
import { expectation, type Checked, type OptionSpec, type OptionTable } from './table.js';

/** Names that other libraries use for the same thing, squashed as {@link squash} does. */
const synonyms: Readonly<Record<string, string>> = {
  maxtokens: 'maxNewTokens',
  maxoutputtokens: 'maxNewTokens',
  maxcompletiontokens: 'maxNewTokens',
  numpredict: 'maxNewTokens',
  contextlength: 'maxContextLength',
  contextsize: 'maxContextLength',
  numctx: 'maxContextLength',
  repetitionpenalty: 'repeatPenalty',
  abortsignal: 'signal',
  stopsequences: 'stop',
  stopstrings: 'stop',
  librarypath: 'runtimePath',
  numthreads: 'threads',
  nkeep: 'keepTokens',
  skipspecialtoken: 'skipSpecialTokens',
  ignoreeostoken: 'ignoreEos',
  enabledcpus: 'cpus',
  nbatch: 'batchSize',
};

/**
 * Checks options against their table.
 *
 * @param owner - who takes the options, for messages, such as `generate()`.
 * @returns the options that were given a value; nothing is converted.
 * @throws RkllmError `RKLLM_UNKNOWN_OPTION` or `RKLLM_INVALID_OPTION`.
 */
export function checkOptions<T extends OptionTable>(owner: string, table: T, options: unknown): Checked<T> {
  if (options === undefined) return {};
  if (!isPlainObject(options)) {
    throw new RkllmError(
      'RKLLM_INVALID_OPTION',
      `${owner} takes a plain object of options, not ${describe(options)}.`,
      {
        hint: `Pass an object such as { ${Object.keys(table)[0] ?? ''}: … }, or leave the options out.`,
        details: { owner },
      },
    );
  }
  const checked: Record<string, unknown> = {};
  for (const [name, value] of Object.entries(options)) {
    const spec = Object.hasOwn(table, name) ? table[name] : undefined;
    if (spec === undefined) throw unknownOption(owner, table, name);
    if (value === undefined) continue;
    checked[name] = checkValue(owner, name, spec, value);
  }
  return checked as Checked<T>;
}

/**
 * Of any realm. What an instance of a class (an AbortSignal in the wrong place, a promise) or an inherited object has to
 * say would be overlooked, so they are refused.
 */
function isPlainObject(value: unknown): value is object {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) return false;
  const prototype = Object.getPrototypeOf(value) as object | null;
  return (
    prototype === null || (Object.hasOwn(prototype, 'hasOwnProperty') && Object.getPrototypeOf(prototype) === null)
  );
}

function checkValue(owner: string, name: string, spec: OptionSpec, value: unknown): unknown {
  if (spec.kind === 'group' && typeof value === 'object') return checkOptions(`${owner} ${name}`, spec.table, value);
  if (accepts(spec, value)) return value;
  throw new RkllmError(
    'RKLLM_INVALID_OPTION',
    `${owner}: ${name} must be ${expectation(spec)}; it is ${describe(value)}.`,
    {
      hint: `Give ${name} a value in that range, or leave it out to get the default: ${spec.defaultsTo}.`,
      details: { owner, option: name, expected: expectation(spec) },
    },
  );
}

function accepts(spec: OptionSpec, value: unknown): boolean {
  switch (spec.kind) {
    case 'string':
      return typeof value === 'string' && value !== '';
    case 'choice':
      return typeof value === 'string' && spec.values.includes(value);
    case 'flag':
      return typeof value === 'boolean';
    case 'shape':
      return spec.accepts(value);
    case 'group':
      return false;
    case 'integer':
    case 'number':
      return (
        typeof value === 'number' &&
        (spec.kind === 'integer' ? Number.isSafeInteger(value) : Number.isFinite(value)) &&
        (spec.aboveMin ? value > spec.min : value >= spec.min) &&
        value <= spec.max
      );
  }
}

function unknownOption(owner: string, table: OptionTable, name: string): RkllmError {
  const suggestion = suggest(name, Object.keys(table));
  return new RkllmError('RKLLM_UNKNOWN_OPTION', `${owner} has no option '${name}'.`, {
    hint:
      suggestion === undefined
        ? `Its options are: ${Object.keys(table).join(', ')}.`
        : `Did you mean '${suggestion}'? All options: ${Object.keys(table).join(', ')}.`,
    details: { owner, option: name, suggestion },
  });
}

/** The name that was probably meant, or undefined when none is near. */
export function suggest(name: string, known: readonly string[]): string | undefined {
  const squashed = squash(name);
  const synonym = synonyms[squashed];
  if (synonym !== undefined && known.includes(synonym)) return synonym;
  const ranked = known
    .map((candidate) => ({ candidate, edits: distance(squashed, squash(candidate)) }))
    .sort((a, b) => a.edits - b.edits);
  const best = ranked[0];
  return best !== undefined && best.edits <= Math.floor((squashed.length + 1) / 3) ? best.candidate : undefined;
}

/** snake_case, kebab-case and camelCase of one name become equal. */
function squash(name: string): string {
  return name.replace(/[^a-z0-9]/giu, '').toLowerCase();
}
