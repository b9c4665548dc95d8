import type { Generation } from '../generation.js';
import type { GenerateOptions } from '../options/generate.js';
import type { ToolRunOptions } from '../options/run.js';
import type { WarmOptions } from '../options/warm.js';
import type { ContextUsage } from './context-usage.js';
import type { ChatMessage } from './message.js';
import type { SavedChat } from './saved-chat.js';
import type { ChatRun } from './tools/run.js';
import type { WarmedPrompt } from './warmed-prompt.js';

/**
 * A conversation. Each turn is answered with everything that was said before. It has one turn at a time: while one is not
 * over, a further one, `reset()` and `warm()` are refused with `RKLLM_CHAT_BUSY`.
 *
 * The messages of a turn join {@link ChatSession.messages} when the answer is over: the whole of it, or what was written until
 * it was stopped (see the option `partialAnswers`); with its tool calls, without reasoning that was told from it. A turn
 * that fails, or is aborted by its signal with `onAbort: 'throw'`, leaves the conversation as it was.
 */
export interface ChatSession {
  /** Everything that the model will know of in the next turn, the system message included. */
  readonly messages: readonly ChatMessage[];
  /**
   * Says something and starts the answer. A conversation that does not fit into the context rejects the generation with
   * `RKLLM_CONTEXT_OVERFLOW` before the engine is touched (see the option `onContextFull`). No answer gets beyond the
   * context.
   *
   * @throws RkllmError `RKLLM_CHAT_BUSY`, and what {@link Model.generate} throws; `RKLLM_UNSUPPORTED_OPTION` for
   * `keepHistory: true`.
   */
  send(content: string, options?: GenerateOptions): Generation;
  /**
   * Says something, runs the tools that the model calls, tells it what came of them, and so on until it answers in words.
   * Calls of one step run at the same time. What is wrong with a call, what a tool throws and that it takes too long is
   * told to the model, so that it may try again.
   *
   * The messages of the turn, calls and results included, join {@link ChatSession.messages} when the run is over. One that
   * fails leaves the conversation as it was. So does one that is stopped, unless it was writing its answer and
   * `partialAnswers` is `'keep'`. Calls of the last step that were not run (`'max-steps'`) are left out.
   *
   * @throws RkllmError as {@link ChatSession.send}.
   */
  run(content: string, options: ToolRunOptions): ChatRun;
  /**
   * Starts another answer to the last message; it takes the place of the one that was there.
   *
   * @throws RkllmError as {@link ChatSession.send}; `RKLLM_INVALID_INPUT` when the last message is not an answer.
   */
  regenerate(options?: GenerateOptions): Generation;
  /**
   * Says something else in place of the user's last message, and starts the answer. Both take the place of what was there.
   *
   * @throws RkllmError as {@link ChatSession.send}; `RKLLM_INVALID_INPUT` when the user has said nothing yet.
   */
  editLast(content: string, options?: GenerateOptions): Generation;
  /**
   * A second conversation that begins with what was said in this one, without a turn that is not over, and with the same
   * options. From then on neither knows of the other.
   *
   * @throws RkllmError `RKLLM_DISPOSED`.
   */
  fork(): ChatSession;
  /**
   * Forgets what was said, except the system message.
   *
   * @throws RkllmError `RKLLM_CHAT_BUSY`.
   */
  reset(): void;
  /**
   * How much of the context the conversation takes, or would take.
   *
   * @param content - what the user would say next. Default: nothing; what is told is the prompt of the conversation as it is.
   * @throws RkllmError (as a rejection) `RKLLM_TEMPLATE_UNKNOWN`, `RKLLM_INVALID_INPUT`, `RKLLM_EMPTY_PROMPT`,
   * `RKLLM_DISPOSED`.
   */
  contextUsage(content?: string): Promise<ContextUsage>;
  /**
   * Computes what the next turn's prompt begins with (the system message, what was said, the tools), so that the turn has only
   * its question to compute. It waits its turn in the model's queue; `send()` need not wait for it, and a failure that nobody
   * looks at ends no process. The engine keeps it until it computes something else. With the load option `promptCacheFiles`
   * it is found in a file when it was computed before, also by another process.
   *
   * @throws RkllmError (as a rejection) `RKLLM_CHAT_BUSY`; `RKLLM_UNSUPPORTED_OPTION` where the engine keeps nothing
   * (`model.capabilities.kvReuse` is false and there are no files); `RKLLM_UNSUPPORTED_BY_RUNTIME` when runtime 1.1.x has written
   * no file; `RKLLM_EMPTY_PROMPT` when the template has nothing before a question; `RKLLM_CONTEXT_OVERFLOW`; what {@link
   * ChatSession.send} throws about its options.
   */
  warm(options?: WarmOptions): Promise<WarmedPrompt>;
  /**
   * The conversation as plain values, without a turn that is not over; `JSON.stringify(chat)` has it, too.
   * `model.chat({ from })` goes on with it, also with another model.
   */
  toJSON(): SavedChat;
}
