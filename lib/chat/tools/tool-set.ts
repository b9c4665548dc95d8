import { RkllmError } from '../../errors.js';
import { describe } from '../../options/describe.js';
import { tryJsonSchema, validateJson, type JsonSchema } from '../../structured/validate.js';
import { isRecord, type ToolCall } from '../tool-call.js';
import { isStandardSchema } from './standard-schema.js';
import type { ToolDefinition } from './tool.js';

/** A tool as a prompt shows it. */
export interface ShownTool {
  readonly name: string;
  readonly description: string | undefined;
  readonly parameters: JsonSchema;
}

const definitionKeys = ['name', 'description', 'parameters', 'jsonSchema', 'run'];

/** The tools of a request, checked. */
export class ToolSet {
  readonly shown: readonly ShownTool[];

  /**
   * @param owner - who was given them, for messages.
   * @throws RkllmError `RKLLM_INVALID_OPTION`.
   */
  constructor(owner: string, tools: readonly ToolDefinition[]) {
    this.shown = Array.from<unknown, ShownTool>(tools, (tool, index) => shownTool(owner, tool, index));
    const twice = this.shown.find(({ name }, index) => this.#named(name) !== this.shown[index]);
    if (twice !== undefined) throw invalid(owner, `two tools are named '${twice.name}'`);
  }

  /** Undefined for an empty list: the model may call nothing. */
  static of(owner: string, tools: readonly ToolDefinition[]): ToolSet | undefined {
    return tools.length === 0 ? undefined : new ToolSet(owner, tools);
  }

  /** The call, with what is wrong with it. */
  checked(call: ToolCall): ToolCall {
    if (call.problems !== undefined) return call;
    const tool = this.#named(call.name);
    const problems =
      tool === undefined
        ? [`There is no tool '${call.name}'. The tools are: ${this.shown.map(({ name }) => name).join(', ')}.`]
        : validateJson(tool.parameters, call.arguments);
    return problems.length === 0 ? call : { ...call, problems };
  }

  #named(name: string): ShownTool | undefined {
    return this.shown.find((tool) => tool.name === name);
  }
}

function shownTool(owner: string, tool: unknown, index: number): ShownTool {
  const which = `tool ${String(index)}`;
  if (!isRecord(tool)) throw invalid(owner, `${which} is ${describe(tool)}`);
  const { name, description } = tool;
  if (typeof name !== 'string' || !/^[\w.-]{1,64}$/u.test(name)) {
    throw invalid(owner, `the name of ${which} is ${describe(name)}`);
  }
  const other = Object.keys(tool).find((key) => !definitionKeys.includes(key));
  if (other !== undefined) throw invalid(owner, `${name} has '${other}', which no tool has`);
  if (description !== undefined && typeof description !== 'string') {
    throw invalid(owner, `the description of ${name} is ${describe(description)}`);
  }
  if (tool['run'] !== undefined && typeof tool['run'] !== 'function') {
    throw invalid(owner, `run of ${name} is ${describe(tool['run'])}`);
  }
  return { name, description, parameters: usable(owner, name, schemaOf(owner, name, tool)) };
}

function schemaOf(owner: string, name: string, tool: Readonly<Record<string, unknown>>): unknown {
  const { parameters, jsonSchema } = tool;
  if (parameters === undefined && jsonSchema === undefined) return { type: 'object', properties: {} };
  if (!isStandardSchema(parameters)) {
    if (jsonSchema === undefined) return parameters;
    throw invalid(owner, `${name} has a jsonSchema, but no Standard Schema as its parameters`);
  }
  if (jsonSchema !== undefined) return jsonSchema;
  const convert = parameters['~standard'].jsonSchema?.input;
  if (convert === undefined) {
    const { vendor } = parameters['~standard'];
    throw invalid(owner, `the schema of ${name} (of ${vendor}) does not tell its JSON Schema; give it as jsonSchema`);
  }
  try {
    return convert({ target: 'draft-2020-12' });
  } catch (cause) {
    throw invalid(owner, `the schema of ${name} has no JSON Schema`, cause);
  }
}

/** A schema that cannot be used is found out now, not when the model calls. */
function usable(owner: string, name: string, schema: unknown): JsonSchema {
  if (typeof schema !== 'boolean' && !isRecord(schema)) {
    throw invalid(owner, `the parameters of ${name} are ${describe(schema)}`);
  }
  try {
    tryJsonSchema(schema);
  } catch (cause) {
    throw invalid(owner, `the JSON Schema of ${name} cannot be used`, cause);
  }
  return schema;
}

function invalid(owner: string, found: string, cause?: unknown): RkllmError {
  return new RkllmError('RKLLM_INVALID_OPTION', `${owner}: tools cannot be used: ${found}.`, {
    hint:
      "Give tools such as { name: 'weather', description: '…', parameters: { type: 'object', properties: { … } } }; " +
      'chat.run() also needs run, a function.',
    details: { owner, option: 'tools' },
    cause,
  });
}

/**
 * Those among options that nobody has checked yet: they are part of what a prompt takes of the context.
 *
 * @throws RkllmError `RKLLM_INVALID_OPTION` for a list of what are no tools. What is no list is found by others.
 */
export function toolsOf(owner: string, options: unknown): readonly ShownTool[] | undefined {
  const tools = isRecord(options) ? options['tools'] : undefined;
  return Array.isArray(tools) ? ToolSet.of(owner, tools)?.shown : undefined;
}
