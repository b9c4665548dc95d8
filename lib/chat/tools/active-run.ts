import { onAbort } from '../../abort-listeners.js';
import { ChunkStream } from '../../chunk-stream.js';
import type { Generation, GenerationResult } from '../../generation.js';
import { sumOfUsages } from '../../usage.js';
import type { ChatMessage } from '../message.js';
import type { AskedRun } from './check-run.js';
import type { ChatRun, RunChunk, RunFinishReason, RunResult, RunStep } from './run.js';
import type { ToolResult } from './tool-runner.js';

/** An answer in the making, and the conversation that it makes. */
export interface AskedAnswer {
  readonly generation: Generation;
  readonly concluded: Promise<{ readonly messages: readonly ChatMessage[]; readonly result: GenerationResult }>;
}

export interface RunContext extends AskedRun {
  readonly start: readonly ChatMessage[];
  /** Asks the model once. An abort of the signal gives what has been written. */
  readonly ask: (messages: readonly ChatMessage[], signal: AbortSignal) => AskedAnswer;
  /** Called once, before the run settles: what the conversation is from now on; undefined: what it was. */
  readonly conclude: (messages: readonly ChatMessage[] | undefined) => void;
  /** A turn that was stopped keeps what was written of its answer. */
  readonly keepsPartial: boolean;
}

/** {@link ChatRun} over the generations of a conversation. */
export class ActiveRun implements ChatRun {
  readonly #context: RunContext;
  readonly #chunks = new ChunkStream<RunChunk>(() => this[Symbol.asyncDispose]());
  readonly #stop = new AbortController();
  readonly #steps: RunStep[] = [];
  readonly #outcome: Promise<RunResult>;
  #stoppedBySignal = false;

  /** @throws RkllmError what the first generation throws of its arguments. */
  constructor(context: RunContext) {
    this.#context = context;
    const { signal } = context.generation;
    const stop = (): void => {
      this.#stoppedBySignal ||= !this.#stop.signal.aborted;
      this.#stop.abort(signal?.reason);
    };
    if (signal?.aborted) stop();
    // Before the first question: an abort by who is told of that must not be missed.
    const unsubscribe = signal === undefined ? undefined : onAbort(signal, stop);
    try {
      const first = context.ask(context.start, this.#stop.signal);
      this.#outcome = this.#run(first).finally(() => unsubscribe?.());
    } catch (error) {
      unsubscribe?.();
      throw error;
    }
    // Whoever reads sees the failure; a run that nobody reads must not end the process.
    this.#outcome.catch(() => undefined);
  }

  result(): Promise<RunResult> {
    return this.#outcome;
  }

  then<A = RunResult, B = never>(
    onResult?: ((result: RunResult) => A | PromiseLike<A>) | null,
    onError?: ((error: unknown) => B | PromiseLike<B>) | null,
  ): Promise<A | B> {
    return this.#outcome.then(onResult, onError);
  }

  abort(reason?: unknown): void {
    // Without one, the signal would make one up.
    if (!this.#stop.signal.aborted) this.#stop.abort(reason ?? notGiven);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.abort();
    await this.#outcome.catch(() => undefined);
  }

  [Symbol.asyncIterator](): AsyncIterator<RunChunk, undefined> {
    return this.#chunks[Symbol.asyncIterator]();
  }

  async #run(first: AskedAnswer): Promise<RunResult> {
    try {
      const { messages, reason } = await this.#converse(first);
      const rejects = this.#stoppedBySignal && this.#context.generation.onAbort !== 'return';
      if (reason === 'abort' && rejects) throw this.#stop.signal.reason;
      this.#context.conclude(messages);
      return this.#finish(reason);
    } catch (error) {
      this.#context.conclude(undefined);
      this.#chunks.fail(error);
      throw error;
    }
  }

  /** @returns what the conversation has become; undefined: it stays what it was. */
  async #converse(
    first: AskedAnswer,
  ): Promise<{ readonly messages: readonly ChatMessage[] | undefined; readonly reason: RunFinishReason }> {
    const { ask, runner, maxSteps, onStep, keepsPartial } = this.#context;
    const { signal } = this.#stop;
    for (let asked = first; ;) {
      for await (const chunk of asked.generation) if (chunk.type !== 'finish') this.#chunks.push(chunk);
      const { messages, result } = await asked.concluded;
      const isLast = this.#steps.length + 1 >= maxSteps;
      const goesOn = result.finishReason === 'tool-calls' && !isLast && !signal.aborted;
      const toolResults = goesOn ? await this.#callTools(result, (call) => runner.run(call, signal)) : [];
      const step = this.#endStep(result, toolResults);
      if (signal.aborted) {
        // Half a step is none: it is kept only where the user has seen the beginning of an answer.
        const isPartial = result.finishReason === 'abort' && result.text !== '' && result.toolCalls.length === 0;
        return { messages: isPartial && keepsPartial ? messages : undefined, reason: 'abort' };
      }
      onStep?.(step);
      if (result.finishReason !== 'tool-calls')
        return { messages: withoutCalls(messages), reason: result.finishReason };
      if (isLast) return { messages: withoutCalls(messages), reason: 'max-steps' };
      asked = ask([...messages, ...toolResults.map(messageOf)], signal);
    }
  }

  /** Those of a step run at the same time. */
  #callTools(
    { toolCalls }: GenerationResult,
    run: (call: GenerationResult['toolCalls'][number]) => Promise<ToolResult>,
  ): Promise<readonly ToolResult[]> {
    return Promise.all(
      toolCalls.map(async (call) => {
        const result = await run(call);
        if (!this.#stop.signal.aborted) this.#chunks.push({ type: 'tool-result', result });
        return result;
      }),
    );
  }

  #endStep(result: GenerationResult, toolResults: readonly ToolResult[]): RunStep {
    const { toolCalls, finishReason } = result;
    const { text, reasoning, reasoningTruncated, usage, timings } = result;
    const answered = this.#stop.signal.aborted ? [] : toolResults;
    const index = this.#steps.length;
    const written = { text, reasoning, reasoningTruncated, toolCalls, toolResults: answered };
    const step: RunStep = { index, ...written, finishReason, usage, timings };
    this.#steps.push(step);
    if (!this.#stop.signal.aborted) this.#chunks.push({ type: 'step', step });
    return step;
  }

  #finish(finishReason: RunFinishReason): RunResult {
    const { text = '', reasoning } = this.#steps.at(-1) ?? {};
    const usage = sumOfUsages(this.#steps.map((step) => step.usage));
    const reason: unknown = this.#stop.signal.reason;
    const abortReason = finishReason === 'abort' && reason !== notGiven ? reason : undefined;
    this.#chunks.push({ type: 'finish', finishReason, usage });
    this.#chunks.close();
    return { text, reasoning, finishReason, steps: [...this.#steps], usage, abortReason };
  }
}

const notGiven = Symbol('no reason');

/** Calls that were not run have no results, so they are left out. */
function withoutCalls(messages: readonly ChatMessage[]): readonly ChatMessage[] {
  const last = messages.at(-1);
  return last?.toolCalls === undefined
    ? messages
    : [...messages.slice(0, -1), { role: last.role, content: last.content }];
}

function messageOf({ call, content }: ToolResult): ChatMessage {
  return { role: 'tool', content, toolCallId: call.id, toolName: call.name };
}
