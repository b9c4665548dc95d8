/**
 * Options are described once, in tables. A table gives the TypeScript type, the check at run time, the rows of the
 * documentation and the suggestions for misspelt names.
 */

interface Described {
  /** What applies when the option is not given, in words. */
  readonly defaultsTo: string;
  /** The field of the vendor's runtime that the option sets, if it sets one; of several, all, with commas. */
  readonly runtimeField?: string;
  /** The first release of the vendor's runtime that has it; absent: all that are spoken. */
  readonly since?: string;
  /** What else differs between releases of the vendor's runtime, for the documentation. */
  readonly note?: string;
}

/** A number in a range, both ends included unless `aboveMin`. */
interface NumberSpec extends Described {
  readonly kind: 'number' | 'integer';
  readonly min: number;
  readonly max: number;
  /** The smallest value itself is excluded. */
  readonly aboveMin?: true;
  /** Unit shown in messages and documentation. */
  readonly unit?: string;
}

interface StringSpec extends Described {
  readonly kind: 'string';
}

interface ChoiceSpec extends Described {
  readonly kind: 'choice';
  readonly values: readonly string[];
}

/** `true` or `false`. */
interface FlagSpec extends Described {
  readonly kind: 'flag';
}

/** A value that is recognized by what it can do, such as an AbortSignal. */
interface ShapeSpec<T = unknown> extends Described {
  readonly kind: 'shape';
  /** Noun phrase for messages, such as `an AbortSignal`. */
  readonly expected: string;
  readonly accepts: (value: unknown) => value is T;
  /** Values of it that are plain names. */
  readonly names?: readonly string[];
}

/** A group of options of its own. */
interface GroupSpec extends Described {
  readonly kind: 'group';
  readonly table: OptionTable;
}

/** One option. */
export type OptionSpec = NumberSpec | StringSpec | ChoiceSpec | FlagSpec | ShapeSpec | GroupSpec;

/** Options by name. */
export type OptionTable = Readonly<Record<string, OptionSpec>>;

/** A group is written out, not `OptionsOf<T>`, so that editors and the API's reference show its options, not its table. */
type ValueOf<S> = S extends { kind: 'number' | 'integer' }
  ? number
  : S extends { kind: 'string' }
    ? string
    : S extends { kind: 'flag' }
      ? boolean
      : S extends { kind: 'choice'; values: readonly (infer V)[] }
        ? V
        : S extends { kind: 'group'; table: infer T }
          ? { readonly [K in keyof T]?: ValueOf<T[K]> | undefined }
          : S extends { kind: 'shape'; accepts: (value: unknown) => value is infer V }
            ? V
            : never;

/** The TypeScript type of a table's options. Doc comments of the table's entries carry over. */
export type OptionsOf<T> = { readonly [K in keyof T]?: ValueOf<T[K]> | undefined };

/** The checked options: no field is present without a value. */
export type Checked<T> = { readonly [K in keyof T]?: Exclude<ValueOf<T[K]>, undefined> };

/** Says in words what a value must be, for messages and documentation. */
export function expectation(spec: OptionSpec): string {
  switch (spec.kind) {
    case 'string':
      return 'a non-empty string';
    case 'choice':
      return `one of ${spec.values.map((value) => `'${value}'`).join(', ')}`;
    case 'flag':
      return 'a boolean';
    case 'shape':
      return spec.expected;
    case 'group':
      return `an object with ${Object.keys(spec.table).join(', ')}`;
    case 'integer':
    case 'number':
      return numberExpectation(spec);
  }
}

function numberExpectation(spec: NumberSpec): string {
  const noun = spec.kind === 'integer' ? 'an integer' : 'a number';
  const unit = spec.unit === undefined ? '' : ` (${spec.unit})`;
  const lower = spec.aboveMin ? `above ${String(spec.min)}` : `at least ${String(spec.min)}`;
  return Number.isFinite(spec.max) && spec.max < Number.MAX_SAFE_INTEGER
    ? `${noun} ${lower} and at most ${String(spec.max)}${unit}`
    : `${noun} ${lower}${unit}`;
}
