import type { RunInput } from '../backends/backend.js';
import { isRkllmError } from '../errors.js';
import type { GenerationResult } from '../generation.js';
import type { ContextUsage } from './context-usage.js';
import type { ChatMessage } from './message.js';
import type { TokenEstimator } from './token-estimator.js';

export interface MeterParts {
  readonly contextLength: number;
  /** The prompt that a conversation makes. */
  readonly toInput: (messages: readonly ChatMessage[]) => RunInput;
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
  async count(messages: readonly ChatMessage[]): Promise<ContextUsage> {
    if (messages.length === 0) return this.#usage(0, this.isExact ? 'exact' : 'estimated');
    const counter = this.#parts.isExact ? this.#parts.counter() : undefined;
    if (counter === undefined) return this.estimate(messages);
    const input = this.#parts.toInput(messages);
    const tokens = await counter(input).catch((error: unknown) => {
      if (isRkllmError(error, 'RKLLM_CONTEXT_OVERFLOW')) return Infinity;
      throw error;
    });
    return this.#usage(tokens, 'exact');
  }

  /** Without asking the engine. */
  estimate(messages: readonly ChatMessage[]): ContextUsage {
    return this.#usage(this.#parts.estimator.estimate(this.#textOf(messages)), 'estimated');
  }

  /**
   * Learns from a turn for the next estimate.
   *
   * @param content - of the message that has come of it.
   */
  learn(messages: readonly ChatMessage[], content: string, { reasoning = '', usage }: GenerationResult): void {
    if (!this.#parts.isExact) this.#parts.estimator.learn(this.#textOf(messages), reasoning + content, usage);
  }

  #usage(promptTokens: number, counting: ContextUsage['counting']): ContextUsage {
    const { contextLength } = this.#parts;
    return { promptTokens, contextLength, freeTokens: Math.max(0, contextLength - promptTokens), counting };
  }

  #textOf(messages: readonly ChatMessage[]): string {
    const input = this.#parts.toInput(messages);
    return input.type === 'text' ? input.text : '';
  }
}
