/** What a {@link StandardSchema} says about a value. */
export type StandardResult<Output> =
  | {
      /** It fits; this is what the schema makes of it. */
      readonly value: Output;
      /** Nothing is wrong. */
      readonly issues?: undefined;
    }
  | {
      /** It does not fit. */
      readonly issues: readonly StandardIssue[];
    };

/** One thing that is wrong with a value. */
export interface StandardIssue {
  /** What is wrong, in the words of the library. */
  readonly message: string;
  /** Where, from the outside in; absent: the value itself. */
  readonly path?: readonly (PropertyKey | StandardPathSegment)[] | undefined;
}

/** A step of a path, as some libraries tell it. */
export interface StandardPathSegment {
  /** Name of the property, or place in the list. */
  readonly key: PropertyKey;
}

/**
 * A schema of a validation library (Zod, Valibot, ArkType and others), by the interface that they share:
 * https://standardschema.dev
 */
export interface StandardSchema<Input = unknown, Output = Input> {
  /** What the libraries share. */
  readonly '~standard': {
    /** Of the interface. */
    readonly version: 1;
    /** Name of the library. */
    readonly vendor: string;
    /** Looks at a value. */
    readonly validate: (value: unknown) => StandardResult<Output> | Promise<StandardResult<Output>>;
    /** For TypeScript only; no value has it. */
    readonly types?:
      | {
          /** What it accepts. */
          readonly input: Input;
          /** What it makes of that. */
          readonly output: Output;
        }
      | undefined;
    /** Standard JSON Schema; libraries without it are given a JSON Schema beside. */
    readonly jsonSchema?:
      | {
          /** Of what it accepts. */
          readonly input: (options: { readonly target: 'draft-2020-12' }) => Record<string, unknown>;
        }
      | undefined;
  };
}

/** What a schema makes of the values that it accepts. */
export type OutputOf<Schema extends StandardSchema> =
  Schema extends StandardSchema<unknown, infer Output> ? Output : never;

/** Some libraries' schemas are functions. */
export function isStandardSchema(value: unknown): value is StandardSchema {
  if ((typeof value !== 'object' && typeof value !== 'function') || value === null) return false;
  const { '~standard': standard } = value as { readonly '~standard'?: unknown };
  return typeof standard === 'object' && standard !== null && 'validate' in standard;
}

/** An issue as a sentence that names its place. */
export function issueText({ message, path = [] }: StandardIssue): string {
  const keys = path.map((step) => String(typeof step === 'object' ? step.key : step));
  return keys.length === 0 ? message : `/${keys.join('/')}: ${message}`;
}
