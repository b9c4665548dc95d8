import { randomUUID } from 'node:crypto';

/** A function that the model wants to be called. */
export interface ToolCall {
  /** Made by this library; unique within the process. */
  readonly id: string;
  readonly name: string;
  /** As the model wrote them: nobody has checked them against the function's parameters. */
  readonly arguments: Readonly<Record<string, unknown>>;
}

/** The call as the model is shown it again in a conversation. */
export function renderToolCall({ name, arguments: given }: ToolCall): string {
  return `<tool_call>\n${JSON.stringify({ name, arguments: given })}\n</tool_call>`;
}

/** @returns undefined when it is not the JSON of a call: an object with a `name` and, if any, an object `arguments`. */
export function parseToolCall(json: string): ToolCall | undefined {
  let value: unknown;
  try {
    value = JSON.parse(json);
  } catch {
    return undefined;
  }
  if (!isRecord(value)) return undefined;
  const { name, arguments: given = {} } = value;
  if (typeof name !== 'string' || name === '' || !isRecord(given)) return undefined;
  return { id: `call_${randomUUID()}`, name, arguments: given };
}

function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
