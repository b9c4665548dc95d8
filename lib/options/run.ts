import type { RunStep } from '../chat/tools/run.js';
import type { Tool } from '../chat/tools/tool.js';
import type { GenerateOptions } from './generate.js';
import type { OptionsOf, OptionTable } from './table.js';

function isListener(value: unknown): value is (step: RunStep) => void {
  return typeof value === 'function';
}

/** Options of `chat.run()`, besides those of each of its generations. */
export const runTable = {
  /** How often the model is asked at most, the last answer included. An integer from 1; default 5. */
  maxSteps: { kind: 'integer', min: 1, max: 1000, defaultsTo: '5' },
  /**
   * How long a tool may take, in milliseconds. Then its signal aborts, and the model is told. An integer from 1; default
   * 60,000.
   */
  toolTimeoutMs: { kind: 'integer', min: 1, max: 2 ** 31 - 1, unit: 'milliseconds', defaultsTo: '60000' },
  /** Called after each step, when its tools have answered. What it throws fails the run. */
  onStep: { kind: 'shape', expected: 'a function', accepts: isListener, defaultsTo: 'none' },
} as const satisfies OptionTable;

/** Options of `chat.run()`. */
export interface ToolRunOptions extends Omit<GenerateOptions, 'tools' | 'toolCalls'>, OptionsOf<typeof runTable> {
  /** What the model may call, with the functions that do it. */
  readonly tools: readonly Tool[];
}
