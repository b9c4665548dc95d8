import { onAbort } from './abort-listeners.js';
import type { BatchRequest, Run, RunEnd, TokenBatch } from './backends/backend.js';
import type { BatchAnswer } from './backends/runtime-controls.js';
import { RowText } from './batch-answer.js';
import { deferred } from './deferred.js';
import type { BatchOptions } from './options/batch.js';
import { readRun } from './read-run.js';
import type { SecondTry } from './recovery.js';
import type { QueuedRequest, RequestQueue } from './request-queue.js';

export interface BatchContext {
  readonly id: string;
  /** Resolves with undefined when the signal has stopped it. */
  readonly start: (request: BatchRequest, signal: AbortSignal) => Promise<Run | undefined>;
  readonly queue: RequestQueue;
  readonly recovery: SecondTry;
  readonly request: BatchRequest;
  readonly signal: AbortSignal | undefined;
  readonly onText: BatchOptions['onText'];
}

/** The answers to one batch over one run of a backend. */
export class ActiveBatch {
  readonly #context: BatchContext;
  readonly #queued: QueuedRequest;
  readonly #rows: readonly RowText[];
  readonly #outcome = deferred<readonly BatchAnswer[]>();
  readonly #unsubscribe: (() => void) | undefined;
  readonly #starting = new AbortController();
  #run: Run | undefined;
  #hasTokens = false;
  #stopped: 'abort' | 'signal' | undefined;

  readonly answers = this.#outcome.promise;

  /** @throws the reason of a signal that is aborted already; RkllmError `RKLLM_QUEUE_FULL`. */
  constructor(context: BatchContext) {
    const { request, signal, queue } = context;
    this.#context = context;
    this.#queued = { id: context.id, run: () => this.#execute(), refuse: (reason) => this.#fail(reason) };
    this.#rows = request.rows.map(() => new RowText());
    signal?.throwIfAborted();
    // Before the engine may start: an abort while it does must not be missed.
    this.#unsubscribe = signal === undefined ? undefined : onAbort(signal, () => this.#stop('signal'));
    try {
      queue.add(this.#queued);
    } catch (error) {
      this.#unsubscribe?.();
      throw error;
    }
  }

  /** Stops all rows; they keep what they have. */
  abort(): void {
    this.#stop('abort');
  }

  #stop(by: 'abort' | 'signal'): void {
    if (this.#stopped !== undefined) return;
    this.#stopped = by;
    this.#starting.abort();
    if (this.#run === undefined) this.#context.queue.remove(this.#queued, undefined);
    else this.#run.abort();
  }

  /** Has the engine's slot until it returns; by then the engine is idle. Never rejects. Returns how to settle. */
  async #execute(): Promise<() => void> {
    try {
      const run = await this.#context.start(this.#context.request, this.#starting.signal);
      if (run === undefined) return () => this.#settle(this.#rows.map((row) => row.toAnswer('abort')));
      this.#run = run;
      if (this.#stopped !== undefined) run.abort(); // while it was starting
      const end = await readRun(run, (batch, from, to) => this.#accept(batch, from, to));
      const answers = this.#rows.map((row, index) => this.#close(row, index, end));
      return () => this.#settle(answers);
    } catch (error) {
      // It may be the listener's failure: the engine must be idle all the same.
      this.#run?.abort();
      await this.#run?.ended.catch(() => undefined);
      await this.#context.recovery.settled();
      return () => this.#loseEngine(error);
    }
  }

  #accept({ tokenIds, ends, bytes, rows }: TokenBatch, from: number, to: number): void {
    this.#hasTokens = true;
    if (this.#stopped !== undefined) return;
    for (let i = from; i < to; i++) {
      this.#rows[rows?.[i] ?? 0]?.take(tokenIds[i] ?? 0, bytes.subarray(ends[i - 1] ?? 0, ends[i]));
    }
    for (const [index, row] of this.#rows.entries()) row.deliver(this.#listener(index));
  }

  #close(row: RowText, index: number, end: RunEnd): BatchAnswer {
    const finishReason = this.#finishReason(row, end);
    if (finishReason === 'stop') row.end();
    row.deliver(this.#listener(index), true);
    return row.toAnswer(finishReason);
  }

  #finishReason(row: RowText, end: RunEnd): BatchAnswer['finishReason'] {
    if (row.tokens >= (this.#context.request.maxNewTokens ?? Infinity)) return 'length';
    if (row.ended) return 'stop';
    if (this.#stopped !== undefined || end.reason === 'aborted') return 'abort';
    return end.reason === 'length' ? 'length' : 'stop';
  }

  /** Who has aborted hears nothing more. */
  #listener(row: number): ((text: string, tokenIds: readonly number[]) => void) | undefined {
    const { onText } = this.#context;
    if (onText === undefined || this.#stopped === 'signal') return undefined;
    return (text, tokenIds) => onText(row, text, tokenIds);
  }

  #settle(answers: readonly BatchAnswer[]): void {
    if (this.#stopped === 'signal') {
      this.#fail(undefined);
      return;
    }
    this.#unsubscribe?.();
    this.#outcome.resolve(answers);
  }

  /** As long as none of the rows has anything, all are served again by the next engine, if there will be one. */
  #loseEngine(error: unknown): void {
    if (!this.#hasTokens && this.#stopped === undefined) {
      this.#run = undefined;
      if (this.#context.recovery.putBack(this.#queued)) return;
    }
    this.#fail(error);
  }

  /** Who has aborted learns of that first. */
  #fail(error: unknown): void {
    this.#unsubscribe?.();
    this.#outcome.reject(this.#stopped === 'signal' ? this.#context.signal?.reason : error);
  }
}
