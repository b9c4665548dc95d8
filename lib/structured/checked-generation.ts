import { randomUUID } from 'node:crypto';
import type { ChatMessage } from '../chat/message.js';
import type { Generation, GenerationResult, GenerationState } from '../generation.js';
import { ReadableGeneration } from '../readable-generation.js';
import { readJson, responseInvalid } from './read-json.js';
import { repairRequest, type ResponseFormat } from './response-format.js';
import { totalsOf } from '../totals.js';

export interface CheckedParts {
  readonly format: ResponseFormat;
  /** The first answer, which has been asked for. */
  readonly first: Generation;
  /** The messages that were asked, as the model got them; undefined: it was a prompt, to which nothing can be added. */
  readonly sent: () => readonly ChatMessage[] | undefined;
  readonly ask: (messages: readonly ChatMessage[]) => Generation;
}

/**
 * {@link Generation} of a model that cannot be held to a schema: its answer is checked when it is there, and asked for again
 * with what is wrong named. Its reader gets the valid answer in one piece.
 */
export class CheckedGeneration extends ReadableGeneration {
  readonly id = randomUUID();
  readonly #parts: CheckedParts;
  readonly #outcome: Promise<GenerationResult>;
  #current: Generation;
  #ended: GenerationState | undefined;
  #stopped: { readonly reason: unknown } | undefined;

  constructor(parts: CheckedParts) {
    super();
    this.#parts = parts;
    this.#current = parts.first;
    this.#outcome = this.#answer();
    // Whoever reads sees the failure; a generation that nobody reads must not end the process.
    this.#outcome.catch(() => undefined);
  }

  get state(): GenerationState {
    if (this.#ended !== undefined) return this.#ended;
    const { state } = this.#current;
    // It will be asked again, or is over in a moment.
    return state === 'done' || state === 'aborted' || state === 'failed' ? 'queued' : state;
  }

  get queuePosition(): number | undefined {
    return this.#current.queuePosition;
  }

  result(): Promise<GenerationResult> {
    return this.#outcome;
  }

  abort(reason?: unknown): void {
    if (this.#ended !== undefined) return;
    this.#stopped ??= { reason };
    this.#current.abort(reason);
  }

  async #answer(): Promise<GenerationResult> {
    try {
      const { result, tokenIds } = await this.#validAnswer();
      this.#ended = result.finishReason === 'abort' ? 'aborted' : 'done';
      const { text, reasoning, finishReason, stopSequence, usage, timings } = result;
      if (reasoning !== undefined) this.chunks.push({ type: 'reasoning', text: reasoning, tokenIds: [] });
      this.chunks.push({ type: 'text', text, tokenIds });
      this.chunks.push({ type: 'finish', finishReason, stopSequence, usage, timings });
      this.chunks.close();
      return result;
    } catch (error) {
      this.#ended = this.#current.state === 'aborted' ? 'aborted' : 'failed';
      this.chunks.fail(error);
      throw error;
    }
  }

  async #validAnswer(): Promise<{ readonly result: GenerationResult; readonly tokenIds: readonly number[] }> {
    const { format, sent, ask } = this.#parts;
    const results: GenerationResult[] = [];
    let messages: readonly ChatMessage[] | undefined;
    for (;;) {
      const tokenIds = await tokenIdsOf(this.#current);
      const result = await this.#current.result();
      results.push(result);
      const totals = totalsOf(results);
      if (result.finishReason === 'abort') return { result: { ...result, ...totals }, tokenIds };
      const read = readJson(format.schema, result.text);
      if (read.isValid) return { result: { ...result, ...totals, text: read.text, json: read.value }, tokenIds };
      if (this.#stopped !== undefined) {
        const { reason: abortReason } = this.#stopped;
        return { result: { ...result, ...totals, finishReason: 'abort', abortReason }, tokenIds };
      }
      messages ??= sent();
      // What the limit has cut would be cut again.
      const isLast = messages === undefined || results.length > format.maxRepairs || result.finishReason === 'length';
      if (isLast) throw responseInvalid(result.text, read.problems, results.length, result.finishReason);
      messages = [
        ...(messages ?? []),
        { role: 'assistant', content: result.text },
        { role: 'user', content: repairRequest(read.problems) },
      ];
      this.#current = ask(messages);
    }
  }
}

async function tokenIdsOf(generation: Generation): Promise<readonly number[]> {
  const ids: number[] = [];
  for await (const chunk of generation) {
    if (chunk.type !== 'finish') for (const id of chunk.tokenIds) ids.push(id);
  }
  return ids;
}
