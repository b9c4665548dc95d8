import type { JsonSchema } from '../../structured/validate.js';
import type { ToolCall } from '../tool-call.js';
import type { OutputOf, StandardSchema } from './standard-schema.js';

/** What a tool's function gets besides its arguments. */
export interface ToolContext {
  /** Aborts with the run, and when the tool has taken too long. */
  readonly signal: AbortSignal;
  /** The call that is answered. */
  readonly call: ToolCall;
}

/** A function that a model may ask for. */
export interface ToolDefinition {
  /** Letters, digits, `_`, `.` and `-`; at most 64. */
  readonly name: string;
  /** What it does and when to use it, for the model. */
  readonly description?: string | undefined;
  /**
   * Its one argument, an object: a JSON Schema (draft 2020-12) or a {@link StandardSchema}. Default: an object without
   * properties.
   */
  readonly parameters?: JsonSchema | StandardSchema | undefined;
  /** What the model is shown of a Standard Schema that cannot tell its JSON Schema itself. */
  readonly jsonSchema?: JsonSchema | undefined;
}

/** A tool with its function, for {@link ChatSession.run}. */
export interface Tool extends ToolDefinition {
  /**
   * Does it. The model reads what comes of it: a string as it is, everything else as JSON. What it throws is told to the
   * model, too.
   *
   * @param given - fits the schema; of a Standard Schema what its validation gave.
   */
  run(given: Readonly<Record<string, unknown>>, context: ToolContext): unknown;
}

/** A tool whose arguments have the type that its schema gives them. */
export interface TypedTool<Schema extends StandardSchema> extends Omit<ToolDefinition, 'parameters'> {
  /** The schema of its one argument. */
  readonly parameters: Schema;
  /** Does it, as {@link Tool.run}, with what the schema made of the arguments. */
  run(given: OutputOf<Schema>, context: ToolContext): unknown;
}
