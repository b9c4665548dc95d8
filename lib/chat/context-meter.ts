import type { RunInput } from '../backends/backend.js';
import { isRkllmError } from '../errors.js';
import type { GenerationResult } from '../generation.js';
import type { ContextUsage } from './context-usage.js';
import type { ChatMessage } from './message.js';
import { protocol } from './tools/dialect.js';
import type { TokenEstimator } from './token-estimator.js';
import type { ShownTool } from './tools/tool-set.js';

/** What the model may call is part of its prompt. */
type Tools = readonly ShownTool[] | undefined;

export interface MeterParts {
  readonly contextLength: number;
  /** The prompt that a conversation makes, with what the model may call. */
  readonly toInput: (messages: readonly ChatMessage[], tools: Tools) => RunInput;
  /** The engine counts tokens, refuses what does not fit and ends what fills its context. */
  readonly isExact: boolean;
  /** Asks the engine; undefined while there is none. */
  readonly counter: () => ((input: RunInput) => Promise<number>) | undefined;
  /** That of the model: what one conversation has shown is true for the others. */
  readonly estimator: TokenEstimator;
}

/** Tells how much of a model's context a conversation takes. */
export class ContextMeter {
  readonly #parts: MeterParts;

  constructor(parts: MeterParts) {
    this.#parts = parts;
  }

  get isExact(): boolean {
    return this.#parts.isExact;
  }

  /** Exact where it can be. */
  async count(messages: readonly ChatMessage[], tools?: Tools): Promise<ContextUsage> {
    if (messages.length === 0) return this.#usage(0, this.isExact ? 'exact' : 'estimated');
    const counter = this.#parts.isExact ? this.#parts.counter() : undefined;
    if (counter === undefined) return this.estimate(messages, tools);
    const input = this.#parts.toInput(messages, tools);
    const tokens = await counter(input).catch((error: unknown) => {
      if (isRkllmError(error, 'RKLLM_CONTEXT_OVERFLOW')) return Infinity;
      throw error;
    });
    return this.#usage(tokens, 'exact');
  }

  /** Without asking the engine. */
  estimate(messages: readonly ChatMessage[], tools?: Tools): ContextUsage {
    return this.#usage(this.#parts.estimator.estimate(this.#textOf(messages, tools)), 'estimated');
  }

  /**
   * Learns from a turn for the next estimate.
   *
   * @param answer - the message that has come of it.
   */
  learn(
    messages: readonly ChatMessage[],
    answer: ChatMessage,
    { reasoning = '', reasoningTruncated, usage }: GenerationResult,
    tools?: Tools,
  ): void {
    if (this.#parts.isExact) return;
    const written = reasoning + (protocol.lower([answer], [])[0]?.content ?? '');
    // Where the reasoning was cut the prompt was computed twice, the second time with what had been thought.
    const known = reasoningTruncated ? { ...usage, inputTokens: undefined } : usage;
    this.#parts.estimator.learn(this.#textOf(messages, tools), written, known);
  }

  #usage(promptTokens: number, counting: ContextUsage['counting']): ContextUsage {
    const { contextLength } = this.#parts;
    return { promptTokens, contextLength, freeTokens: Math.max(0, contextLength - promptTokens), counting };
  }

  #textOf(messages: readonly ChatMessage[], tools: Tools): string {
    const input = this.#parts.toInput(messages, tools);
    return input.type === 'text' ? input.text : '';
  }
}
