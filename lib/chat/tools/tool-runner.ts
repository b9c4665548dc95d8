import { onAbort } from '../../abort-listeners.js';
import { deferred } from '../../deferred.js';
import { RkllmError } from '../../errors.js';
import type { ToolCall } from '../tool-call.js';
import { issueText, isStandardSchema } from './standard-schema.js';
import type { Tool } from './tool.js';

/** What came of a call. */
export interface ToolResult {
  /** What is answered. */
  readonly call: ToolCall;
  /** What the model reads. */
  readonly content: string;
  /** What the function returned; `undefined` where it was not run or failed. */
  readonly value: unknown;
  /** The call had problems, the function threw or took too long. `content` says so to the model. */
  readonly isError: boolean;
  /** What the function threw; `undefined` where it threw nothing. */
  readonly error: unknown;
}

/** Runs what a model calls. What goes wrong with a call is its result. */
export class ToolRunner {
  readonly #tools: readonly Tool[];
  readonly #timeoutMs: number;

  /** @throws RkllmError `RKLLM_INVALID_OPTION` for a tool without a function. */
  constructor(tools: readonly Tool[], timeoutMs: number) {
    this.#tools = tools;
    this.#timeoutMs = timeoutMs;
    const idle = tools.find((tool) => typeof (tool as { readonly run?: unknown }).run !== 'function');
    if (idle === undefined) return;
    throw new RkllmError('RKLLM_INVALID_OPTION', `run(): the tool ${idle.name} has no function run.`, {
      hint: 'Give it one, or use send() or generate() with tools, which only tell what the model calls.',
      details: { owner: 'run()', option: 'tools' },
    });
  }

  /** Never rejects. When the signal aborts it does not wait for a function that does not heed that. */
  async run(call: ToolCall, signal: AbortSignal): Promise<ToolResult> {
    const tool = this.#tools.find(({ name }) => name === call.name);
    if (tool === undefined || call.problems !== undefined) return refused(call, call.problems ?? []);
    const stop = new AbortController();
    const stopped = deferred<never>();
    const end = (reason: unknown): void => {
      stop.abort(reason);
      stopped.reject(reason);
    };
    const timer = setTimeout(() => {
      end(tookTooLong(call.name, this.#timeoutMs));
    }, this.#timeoutMs);
    const unsubscribe = onAbort(signal, () => {
      end(signal.reason);
    });
    if (signal.aborted) end(signal.reason); // by another call of the same step
    try {
      return await Promise.race([stopped.promise, runTool(tool, call, stop.signal)]);
    } catch (error) {
      const text = error instanceof Error ? error.message : String(error);
      return { call, content: `Error: ${text}`, value: undefined, isError: true, error };
    } finally {
      clearTimeout(timer);
      unsubscribe();
    }
  }
}

async function runTool(tool: Tool, call: ToolCall, signal: AbortSignal): Promise<ToolResult> {
  let given: unknown = call.arguments;
  if (isStandardSchema(tool.parameters)) {
    const checked = await tool.parameters['~standard'].validate(given);
    if (checked.issues !== undefined) return refused(call, checked.issues.map(issueText));
    given = checked.value;
  }
  signal.throwIfAborted();
  const value = await tool.run(given as Readonly<Record<string, unknown>>, { signal, call });
  return { call, content: contentOf(value), value, isError: false, error: undefined };
}

function refused(call: ToolCall, problems: readonly string[]): ToolResult {
  const content = `Error: ${problems.join('\n')}`;
  return { call: { ...call, problems }, content, value: undefined, isError: true, error: undefined };
}

/** What JSON does not have, such as nothing at all, is null. */
function contentOf(value: unknown): string {
  const text: unknown = typeof value === 'string' ? value : JSON.stringify(value);
  return typeof text === 'string' ? text : 'null';
}

function tookTooLong(name: string, ms: number): Error {
  return new Error(`${name} did not answer within ${String(ms)} ms.`);
}
