import type { ReadableStream } from 'node:stream/web';
import type { ToolCall } from './chat/tool-call.js';
import type { Timings, Usage } from './usage.js';

/**
 * Why a generation ended: `'stop'`: the model ended its answer; `'tool-calls'`: it did so and wants functions to be
 * called (only with `toolCalls: 'parse'`); `'stop-sequence'`: one of `stop` came up; `'length'`: `maxNewTokens` or the
 * end of the context was reached; `'abort'`: it was stopped from outside. There is none for a failure: a generation that
 * fails rejects, and has neither a result nor a finish chunk.
 */
export type FinishReason = 'stop' | 'tool-calls' | 'stop-sequence' | 'length' | 'abort';

/** A piece of the answer: whole characters, often one token, several when the reader is slower than the model. */
export interface TextChunk {
  /** Always `'text'`. */
  readonly type: 'text';
  /** Whole characters; may be empty in the last chunk before the end. */
  readonly text: string;
  /**
   * The tokens that arrived with this piece. Those without text of their own yet (they end inside a character, or may
   * begin a stop sequence) come with the next chunk; the last chunk may have tokens only and an empty text.
   */
  readonly tokenIds: readonly number[];
}

/** A piece of what the model thinks before it answers. Only with `reasoning: 'split'` or `'split-open'`. */
export interface ReasoningChunk {
  /** Always `'reasoning'`. */
  readonly type: 'reasoning';
  /** Whole characters, without the tags around the reasoning. */
  readonly text: string;
  /** As in {@link TextChunk.tokenIds}; those of the tags, which are hidden, come with the chunk after them. */
  readonly tokenIds: readonly number[];
}

/** A complete tool call. Only with `toolCalls: 'parse'`. */
export interface ToolCallChunk {
  /** Always `'tool-call'`. */
  readonly type: 'tool-call';
  /** The function and its arguments. */
  readonly call: ToolCall;
  /** The tokens of the call and of its tags. */
  readonly tokenIds: readonly number[];
}

/** The last chunk of every generation that did not fail. */
export interface FinishChunk {
  /** Always `'finish'`. */
  readonly type: 'finish';
  /** Why the answer is over. */
  readonly finishReason: FinishReason;
  /** The stop sequence that ended it, if one did. It is not part of the text. */
  readonly stopSequence: string | undefined;
  /** How many tokens it took. */
  readonly usage: Usage;
  /** How long it took, and how fast it was. */
  readonly timings: Timings;
}

/** What iterating a {@link Generation} gives. Later releases add types: ignore those you do not know. */
export type Chunk = TextChunk | ReasoningChunk | ToolCallChunk | FinishChunk;

/** The outcome of a generation. */
export interface GenerationResult {
  /** The whole answer, without reasoning and tool calls where these are told from it. */
  readonly text: string;
  /** What the model thought before it answered; `undefined` when there was nothing, or it was not told from the text. */
  readonly reasoning: string | undefined;
  /**
   * With `maxReasoningTokens`: the model had thought for so many tokens without coming to an end, so its reasoning was ended
   * for it. Otherwise `false`.
   */
  readonly reasoningTruncated: boolean;
  /**
   * With `responseFormat`: the value of the answer, whose JSON is the text; `undefined` when it was stopped before it was
   * complete. Otherwise `undefined`.
   */
  readonly json: unknown;
  /** The tool calls in their order; empty when there were none, or they were not told from the text. */
  readonly toolCalls: readonly ToolCall[];
  /** Why the answer is over. */
  readonly finishReason: FinishReason;
  /** The stop sequence that ended it, if one did. It is not part of the text. */
  readonly stopSequence: string | undefined;
  /**
   * With `finishReason: 'abort'`: what {@link GenerationHandle.abort} was given, or the reason of the signal that aborted it
   * with `onAbort: 'return'`. Otherwise, and when none was given, `undefined`.
   */
  readonly abortReason: unknown;
  /** How many tokens it took. */
  readonly usage: Usage;
  /** How long it took, and how fast it was. */
  readonly timings: Timings;
}

/**
 * Where a generation is: waiting for the engine, computing the prompt, writing tokens, `aborting` (it was told to stop,
 * and the engine is not idle yet), or over (`done`, `aborted`, `failed`). One that is told to stop before it had the
 * engine is `aborted` at once. One whose engine died in its prefill may be `queued` again (`onCrash: 'restart'`).
 */
export type GenerationState = 'queued' | 'prefill' | 'decode' | 'aborting' | 'done' | 'aborted' | 'failed';

/**
 * One answer in the making: a {@link Generation} that is not a thenable, so an `async` function may return it, and a
 * promise may resolve with it, before the answer is over. Both are the same generation with one stream.
 */
export interface GenerationHandle extends AsyncIterable<Chunk>, AsyncDisposable {
  /** Unique within the process. */
  readonly id: string;
  /** Where it is; asked again, it may be further. */
  readonly state: GenerationState;
  /** How many generations wait before this one: 0 is next. `undefined` when it does not wait for the engine. */
  readonly queuePosition: number | undefined;
  /**
   * The text alone, as it is written. It is read once: this and iterating the generation are the same stream.
   *
   * @throws RkllmError `RKLLM_STREAM_CONSUMED` on a second reading.
   */
  readonly textStream: AsyncIterable<string>;
  /** The outcome as a real promise. Rejects with the engine's RkllmError or with the signal's reason. */
  result(): Promise<GenerationResult>;
  /** The whole answer's text. Rejects as {@link GenerationHandle.result} does. */
  text(): Promise<string>;
  /**
   * The stream for two readers. Each gets every chunk, the failure too, at its own pace, and is iterated once. When one
   * leaves early the other goes on; when both have left, the engine is stopped and the second waits until it is idle.
   *
   * @throws RkllmError `RKLLM_STREAM_CONSUMED` when the stream has a reader already.
   */
  tee(): [AsyncIterable<Chunk>, AsyncIterable<Chunk>];
  /**
   * The stream as a web stream of chunk objects. Cancelling it stops the engine, keeps the reason in
   * `result.abortReason`, and resolves when the engine is idle. For a `Response`, pipe it through a transformer that
   * makes bytes of the chunks.
   *
   * @throws RkllmError `RKLLM_STREAM_CONSUMED` when the stream has a reader already.
   */
  toReadableStream(): ReadableStream<Chunk>;
  /**
   * Stops it. It then resolves, once the engine is idle, with what was written so far and `finishReason: 'abort'`.
   * Idempotent; does nothing after the end.
   *
   * @param reason - kept in `result.abortReason`; it changes nothing else. The first one counts.
   */
  abort(reason?: unknown): void;
  /** The same generation without `then`. */
  handle(): GenerationHandle;
}

/**
 * One answer in the making. It starts by itself and goes on whether or not it is read; read it in any of these ways:
 *
 * - `for await (const chunk of generation)`: as it is written, once;
 * - `for await (const text of generation.textStream)`: the same, text only;
 * - `generation.tee()`, `generation.toReadableStream()`: the same for two readers, or as a web stream;
 * - `await generation`: the whole result, any number of times, before, during or after iterating.
 *
 * Leaving a loop early (`break`, `throw`, `return`) stops the engine and waits until it is idle.
 *
 * It is a thenable, so returning it from an `async` function awaits it: return {@link GenerationHandle.handle} there.
 */
export interface Generation extends GenerationHandle, PromiseLike<GenerationResult> {}
