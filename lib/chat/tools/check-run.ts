import { RkllmError } from '../../errors.js';
import { checkOptions } from '../../options/check.js';
import { generateTable, type GenerateOptions } from '../../options/generate.js';
import { runTable } from '../../options/run.js';
import { without } from '../../options/without.js';
import type { RunStep } from './run.js';
import { ToolRunner } from './tool-runner.js';
import { ToolSet } from './tool-set.js';
import type { Tool } from './tool.js';

/** What a run was asked, checked. */
export interface AskedRun {
  /** Of each generation. */
  readonly generation: GenerateOptions;
  readonly runner: ToolRunner;
  readonly maxSteps: number;
  readonly onStep: ((step: RunStep) => void) | undefined;
}

/** Calls are always told from the text. */
const table = without({ ...generateTable, ...runTable }, ['toolCalls']);

/** @throws RkllmError `RKLLM_INVALID_OPTION`, `RKLLM_UNKNOWN_OPTION`. */
export function checkRun(options: unknown): AskedRun {
  const checked = checkOptions('run()', table, options);
  const { tools, maxSteps = 5, toolTimeoutMs = 60_000, onStep } = checked;
  if (tools === undefined) {
    throw new RkllmError('RKLLM_INVALID_OPTION', 'run(): tools is missing.', {
      hint: 'Give the tools that the model may call, or use send().',
      details: { owner: 'run()', option: 'tools' },
    });
  }
  ToolSet.of('run()', tools);
  return {
    generation: without(checked, ['maxSteps', 'toolTimeoutMs', 'onStep']),
    runner: new ToolRunner(tools as readonly Tool[], toolTimeoutMs), // which looks for their functions
    maxSteps,
    onStep,
  };
}
