import type { ChatMessage } from './message.js';

/** How much of the context a conversation takes. */
export interface ContextUsage {
  /**
   * Tokens of the prompt, those of the chat template included. `Infinity` for a text so long that it is not even encoded.
   */
  readonly promptTokens: number;
  /** Prompt plus answer, in tokens. */
  readonly contextLength: number;
  /** What is left for the answer; 0 when the prompt does not fit. */
  readonly freeTokens: number;
  /**
   * `'exact'`: counted by the model's own tokenizer. `'estimated'`: the engine cannot be asked; what it told of earlier turns
   * is counted, and the rest is estimated, rather too high than too low.
   */
  readonly counting: 'exact' | 'estimated';
}

/** What a function that is to shorten a conversation is told. */
export interface FullContext extends ContextUsage {
  /** What has to be left for the answer. */
  readonly reserveTokens: number;
  /** Aborted when the turn is. */
  readonly signal: AbortSignal;
}

/**
 * Shortens a conversation that takes too much of the context, such as by a summary of its beginning.
 *
 * @param messages - all of it, with the user's new message at the end.
 * @returns the conversation that takes its place, or a promise of it; the last message must be the user's.
 */
export type ContextReducer = (
  messages: readonly ChatMessage[],
  context: FullContext,
) => readonly ChatMessage[] | PromiseLike<readonly ChatMessage[]>;

/** What is done about a conversation that takes too much of the context. */
export type ContextStrategy = 'error' | 'drop-oldest-turns' | ContextReducer;
