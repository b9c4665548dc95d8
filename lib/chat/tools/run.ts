import type { FinishReason, ReasoningChunk, TextChunk, ToolCallChunk } from '../../generation.js';
import type { Timings, Usage } from '../../usage.js';
import type { ToolCall } from '../tool-call.js';
import type { ToolResult } from './tool-runner.js';

/** One time that the model was asked, and what its calls gave. */
export interface RunStep {
  /** From 0. */
  readonly index: number;
  /** What the model wrote, besides its calls. */
  readonly text: string;
  /** What it thought before; `undefined` when there was nothing, or it was not told from the text. */
  readonly reasoning: string | undefined;
  /** Its reasoning was ended by `maxReasoningTokens`. */
  readonly reasoningTruncated: boolean;
  /** What it wants to be called, in order. */
  readonly toolCalls: readonly ToolCall[];
  /** In the order of the calls; empty when there were none, or the run was over before they were run. */
  readonly toolResults: readonly ToolResult[];
  /** Why its answer ended. */
  readonly finishReason: FinishReason;
  /** How many tokens the step took. */
  readonly usage: Usage;
  /** How long its generation took. */
  readonly timings: Timings;
}

/**
 * Why a run ended: as its last generation did, or `'max-steps'`: the model wanted more calls than `maxSteps` allows. Those
 * of the last step were not run.
 */
export type RunFinishReason = Exclude<FinishReason, 'tool-calls'> | 'max-steps';

/** The outcome of a run. */
export interface RunResult {
  /** Of the last step: the answer. */
  readonly text: string;
  /** Of the last step. */
  readonly reasoning: string | undefined;
  /** Why the run ended. */
  readonly finishReason: RunFinishReason;
  /** All that was done, in order. */
  readonly steps: readonly RunStep[];
  /** Of all steps together; `undefined` where one of them does not tell. */
  readonly usage: Usage;
  /** With `finishReason: 'abort'`: the reason, if one was given. */
  readonly abortReason: unknown;
}

/** A call has been answered. */
export interface ToolResultChunk {
  /** Always `'tool-result'`. */
  readonly type: 'tool-result';
  /** What came of it. */
  readonly result: ToolResult;
}

/** A step is over: its answer, and its calls. */
export interface StepChunk {
  /** Always `'step'`. */
  readonly type: 'step';
  /** What was done in it. */
  readonly step: RunStep;
}

/** The last chunk of every run that did not fail. */
export interface RunFinishChunk {
  /** Always `'finish'`. */
  readonly type: 'finish';
  /** Why the run ended. */
  readonly finishReason: RunFinishReason;
  /** Of all steps together, as in {@link RunResult.usage}. */
  readonly usage: Usage;
}

/** What iterating a {@link ChatRun} gives. Later releases add types: ignore those you do not know. */
export type RunChunk = TextChunk | ReasoningChunk | ToolCallChunk | ToolResultChunk | StepChunk | RunFinishChunk;

/**
 * A turn in which tools are run. It starts by itself. Iterate it once, await it any number of times; leaving its loop early
 * stops it and waits until the engine is idle. A tool that does not heed its signal is not waited for.
 */
export interface ChatRun extends PromiseLike<RunResult>, AsyncIterable<RunChunk>, AsyncDisposable {
  /** The outcome as a real promise. Rejects with what a generation failed with, what `onStep` threw, or the signal's reason. */
  result(): Promise<RunResult>;
  /** Stops the model or the tools. It then resolves with `finishReason: 'abort'`. Idempotent; does nothing after the end. */
  abort(reason?: unknown): void;
}
