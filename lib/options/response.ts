import type { JsonSchema } from '../structured/validate.js';
import type { OptionTable } from './table.js';

/** What is in it is looked at when it is compiled. */
function isSchema(value: unknown): value is JsonSchema {
  return typeof value === 'boolean' || Object.prototype.toString.call(value) === '[object Object]';
}

/** What an answer has to be. */
export const responseTable = {
  /** `'json'`: one value of JSON, and nothing else. It must be given. */
  type: { kind: 'choice', values: ['json'], defaultsTo: 'none: it must be given' },
  /**
   * A JSON Schema (draft 2020-12) that the value is valid by. docs/structured-output.md lists the keywords that can be used;
   * others are refused. Default: any object.
   */
  schema: {
    kind: 'shape',
    expected: 'a JSON Schema (an object of keywords, or a boolean)',
    accepts: isSchema,
    defaultsTo: 'any object',
  },
  /**
   * How often the model is asked again when its answer is not valid: with its answer and what is wrong with it. Models with
   * `model.capabilities.constrainedJson` need none; nor can a prompt without chat template be asked again. An integer from 0
   * to 10; default 2.
   */
  maxRepairs: { kind: 'integer', min: 0, max: 10, defaultsTo: '2' },
  /**
   * Whether the model is told the schema, behind the last message of the user. It answers better then; the schema takes a
   * part of the context. A prompt without chat template is left as it is. Default `true`.
   */
  instruct: { kind: 'flag', defaultsTo: 'true' },
} as const satisfies OptionTable;
