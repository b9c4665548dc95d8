import { channel, tracingChannel, type Channel, type TracingChannel } from 'node:diagnostics_channel';
import type { EngineLine } from '../backends/backend.js';
import type { FinishReason } from '../generation.js';
import type { ModelInfo } from '../model.js';
import type { Timings, Usage } from '../usage.js';

/**
 * Options by name, as far as they are numbers, flags and choices; those of a group with a dot (`queue.maxPending`). What
 * is text, a path, a list or a function is left out.
 */
export type OptionSummary = Readonly<Record<string, number | boolean | string>>;

/** What a trace says when it is over: at `asyncStart` and `asyncEnd`, and at `error`. Absent before. */
interface Ending<Result> {
  /** `'aborted'`: it was stopped from outside, whether that rejects or resolves. */
  readonly state?: 'done' | 'aborted' | 'failed';
  /** What came of it. Absent when it rejected. */
  readonly result?: Result;
  /** What it rejected with, or threw: an RkllmError, or the reason of the signal that aborted it. */
  readonly error?: unknown;
  /** Milliseconds from the call to its end. */
  readonly durationMs?: number;
}

/**
 * A call of `loadModel()`; the reload of a model with other sampling (`sampling: 'reload'`); or its restart after its
 * engine has died (`onCrash: 'restart'`).
 */
export interface LoadTrace extends Ending<ModelInfo> {
  /** Why it is loaded: `loadModel()`, `sampling: 'reload'` or `onCrash: 'restart'`. */
  readonly operation: 'load' | 'reload' | 'restart';
  /** The path as it was asked for (of a reload or restart: as it was loaded); `undefined`: none was. `result.path` is what was loaded. */
  readonly path: string | undefined;
  /** The backend as it was asked for; `'auto'` when nothing was said. `result.backend` is the one that loaded. */
  readonly backend: string;
  /** The options of the call that are numbers, flags or choices. */
  readonly options: OptionSummary;
}

/** Figures of an answer, or of the answers of a batch. */
export interface GenerateFigures {
  /** Why each answer ended: one, or as many as the batch has rows. */
  readonly finishReasons: readonly FinishReason[];
  /** Of all answers together. A batch tells its output tokens only. */
  readonly usage: Usage;
  /** `undefined` for a batch. */
  readonly timings: Timings | undefined;
}

/** One answer, or the answers of one batch: what was asked and what came of it, without the words. */
export interface GenerateTrace extends Ending<GenerateFigures> {
  /** That of the generation; the same in {@link QueueTrace}. */
  readonly id: string;
  /** Who asked: `model.generate()`, `chat.send()` or `model.runtime.generateBatch()`. */
  readonly operation: 'generate' | 'chat' | 'batch';
  /** Short name of the model, as in `model.info`. */
  readonly model: string;
  /** Name of the backend, as in `model.info`. */
  readonly backend: string;
  /** What the model was asked, in figures. */
  readonly input: {
    /** What was given: a string, messages, `{ prompt }`, `{ tokenIds }`, or the prompts of a batch. */
    readonly kind: 'text' | 'messages' | 'prompt' | 'tokens' | 'batch';
    /** UTF-16 units of the prompt in its chat template, the number of token ids, or the number of prompts of a batch. */
    readonly length: number;
  };
  /** The options of the call that are numbers, flags or choices. */
  readonly options: OptionSummary;
}

/** What the queue of a model did with a request. */
export type QueueTrace = {
  /** That of the generation, the same in {@link GenerateTrace}; or one of a call of `model.runtime`, which has no trace. */
  readonly id: string;
  /** Short name of the model, as in `model.info`. */
  readonly model: string;
  /** How many requests wait now. */
  readonly pending: number;
  /** How many requests have the engine now. */
  readonly active: number;
} & (
  | {
      /**
       * It has to wait. A request that finds the engine free is `'started'` at once. One that lost its engine before it had
       * an answer, and is served again (`onCrash: 'restart'`), is added and started a second time.
       */
      readonly event: 'added';
      /** How many wait before it: 0 is next. */
      readonly position: number;
    }
  | {
      /** It has the engine. */
      readonly event: 'started';
    }
  | {
      /** It never had the engine. */
      readonly event: 'refused';
      /** The queue was full; it waited too long; the model was disposed; it was aborted; the model has failed. */
      readonly reason: 'full' | 'timeout' | 'disposed' | 'aborted' | 'failed';
    }
);

/** A line that the engine of a model has printed, as far as it runs in a process of its own. */
export interface LogTrace extends EngineLine {
  /** Of the model, as it was loaded. */
  readonly path: string | undefined;
}

/** The channels of this library, by the short names of what they tell. */
export interface Channels {
  /** `tracing:rkllm:load:start` and so on, with a {@link LoadTrace}. */
  readonly load: TracingChannel<unknown, LoadTrace>;
  /** `tracing:rkllm:generate:start` and so on, with a {@link GenerateTrace}. */
  readonly generate: TracingChannel<unknown, GenerateTrace>;
  /** `rkllm:queue`, with a {@link QueueTrace}. */
  readonly queue: Channel;
  /** `rkllm:log`, with a {@link LogTrace}. */
  readonly log: Channel;
}

export const channels: Channels = {
  load: tracingChannel('rkllm:load'),
  generate: tracingChannel('rkllm:generate'),
  queue: channel('rkllm:queue'),
  log: channel('rkllm:log'),
};
