import { randomUUID } from 'node:crypto';

/** A function that the model wants to be called. */
export interface ToolCall {
  /** Made by this library; unique within the process. */
  readonly id: string;
  /** Of the function, as the model wrote it. */
  readonly name: string;
  /** As the model wrote them. Whether they fit is told by {@link ToolCall.problems} where the generation had `tools`. */
  readonly arguments: Readonly<Record<string, unknown>>;
  /**
   * Why it must not be run, in sentences that the model can be told: there is no such tool, or its arguments do not fit
   * their schema. Absent: nothing is wrong with it, or the generation had no `tools` to compare it with.
   */
  readonly problems?: readonly string[] | undefined;
}

/** @returns undefined when it is not the JSON of a call: an object with a `name` and, if any, an object `arguments`. */
export function parseToolCall(json: string): ToolCall | undefined {
  const value = parsed(json);
  if (!isRecord(value)) return undefined;
  // Models that were trained on `parameters` write that.
  const { name, arguments: given = value['parameters'] ?? {} } = value;
  if (typeof name !== 'string' || name === '' || !isRecord(given)) return undefined;
  return toolCall(name, given);
}

/** As {@link parseToolCall}, for an object that no tags mark as a call: nothing else may be in it. */
export function parseBareCall(json: string): ToolCall | undefined {
  const value = parsed(json);
  if (!isRecord(value) || !('parameters' in value || 'arguments' in value)) return undefined;
  const isCall = Object.keys(value).every((key) => bareCallKeys.includes(key));
  return isCall ? parseToolCall(json) : undefined;
}

/** What a call without tags may begin with. */
export const bareCallKeys: readonly string[] = ['name', 'parameters', 'arguments', 'type'];

/** A call whose JSON is broken, as far as its name can be read. */
export function salvageCall(json: string): ToolCall | undefined {
  const [, name] = /^\s*\{\s*"name"\s*:\s*"([^"\\]+)"/u.exec(json) ?? [];
  if (name === undefined) return undefined;
  return { ...toolCall(name, {}), problems: [`This is not the JSON of a call: ${json.trim()}`] };
}

/** Whether a value is the call that an assistant's message has. */
export function isToolCall(value: unknown): value is ToolCall {
  if (!isRecord(value)) return false;
  const { id, name, arguments: given } = value;
  return typeof id === 'string' && typeof name === 'string' && name !== '' && isRecord(given);
}

function toolCall(name: string, given: Readonly<Record<string, unknown>>): ToolCall {
  return { id: `call_${randomUUID()}`, name, arguments: given };
}

function parsed(json: string): unknown {
  try {
    return JSON.parse(json);
  } catch {
    return undefined;
  }
}

export function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
