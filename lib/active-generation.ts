import { onAbort } from './abort-listeners.js';
import { Answer } from './answer.js';
import type { BackendModel, ResolvedSampling, Run, RunEnd, RunRequest, TokenBatch } from './backends/backend.js';
import { isRkllmError } from './errors.js';
import { finishReasonOf } from './finish-reason.js';
import type { GenerationContext } from './generation-context.js';
import type { GenerationResult, GenerationState } from './generation.js';
import { readRun } from './read-run.js';
import { ReadableGeneration } from './readable-generation.js';
import { behindReasoning, withoutRoom } from './reasoning-budget.js';
import type { QueuedRequest } from './request-queue.js';
import { RunFigures } from './run-figures.js';

/** A generation over one run of a backend, or two where the reasoning of the first has to be cut. */
export class ActiveGeneration extends ReadableGeneration {
  readonly id: string;
  readonly #context: GenerationContext;
  readonly #queued: QueuedRequest;
  #request: RunRequest;
  #answer: Answer;
  readonly #figures = new RunFigures(performance.now());
  readonly #outcome: Promise<GenerationResult>;
  #settle!: { resolve: (result: GenerationResult) => void; reject: (error: unknown) => void }; // set in the constructor
  #state: GenerationState = 'queued';
  /** Stops the admission and the engine's reload. */
  readonly #starting = new AbortController();
  #run: Run | undefined;
  #hasTokens = false;
  #isAdmitted = true;
  #stopped: { readonly by: 'abort' | 'signal'; readonly reason: unknown } | undefined;
  #unsubscribe: (() => void) | undefined;

  constructor(context: GenerationContext) {
    super();
    this.#context = context;
    this.id = context.id;
    this.#queued = {
      id: context.id,
      run: () => this.#execute(),
      refuse: (reason) => (this.#stopped === undefined ? this.#fail(reason) : this.#finish(undefined)),
    };
    this.#request = context.request;
    this.#answer = this.#answerTo(context.request);
    this.#outcome = new Promise((resolve, reject) => (this.#settle = { resolve, reject }));
    // Whoever reads sees the failure; a generation that nobody reads must not end the process.
    this.#outcome.catch(() => undefined);
    const { signal, queue, admission } = context;
    if (signal?.aborted) {
      this.#stopped = { by: 'signal', reason: signal.reason };
      this.#finish(undefined);
      return;
    }
    // Before the engine may start: an abort while it does must not be missed.
    this.#unsubscribe = signal === undefined ? undefined : onAbort(signal, () => this.#stop('signal', signal.reason));
    if (admission !== undefined) {
      void this.#admit(admission);
      return;
    }
    try {
      queue.add(this.#queued);
    } catch (error) {
      this.#unsubscribe?.();
      throw error;
    }
  }

  get state(): GenerationState {
    return this.#state;
  }

  get queuePosition(): number | undefined {
    return this.#context.queue.positionOf(this.#queued);
  }

  result(): Promise<GenerationResult> {
    return this.#outcome;
  }

  abort(reason?: unknown): void {
    this.#stop('abort', reason);
  }

  #stop(by: 'abort' | 'signal', reason: unknown): void {
    if (this.#stopped !== undefined || this.#isOver()) return;
    this.#stopped = { by, reason };
    this.#starting.abort(reason);
    if (this.#context.queue.remove(this.#queued, undefined)) return;
    if (!this.#isAdmitted) {
      this.#finish(undefined);
      return;
    }
    this.#state = 'aborting';
    this.#run?.abort();
  }

  #answerTo({ maxNewTokens }: RunRequest): Answer {
    const { ends, splits } = this.#context;
    return new Answer({ ...ends, maxNewTokens }, splits, (chunk) => this.chunks.push(chunk));
  }

  async #admit(admission: NonNullable<GenerationContext['admission']>): Promise<void> {
    this.#isAdmitted = false;
    try {
      const request = await admission(this.#starting.signal);
      if (this.#stopped !== undefined) return;
      this.#isAdmitted = true;
      this.#request = request;
      this.#answer = this.#answerTo(request);
      this.#context.queue.add(this.#queued);
    } catch (error) {
      if (this.#stopped === undefined) this.#fail(error);
    }
  }

  /** Has the engine's slot until it returns; by then the engine is idle. Never rejects. Returns how to settle. */
  async #execute(): Promise<() => void> {
    const { engine, loadedSampling } = this.#context;
    try {
      // Without a reload the engine starts before generate() returns.
      const model = engine.loadedWith(loadedSampling) ?? (await this.#reload(loadedSampling ?? {}));
      if (model === undefined) return () => this.#finish(undefined);
      let end: RunEnd | undefined;
      do {
        if (this.#answer.thinksTooLong) this.#goOnBehindReasoning(end);
        end = await this.#runOn(model, end);
      } while (this.#answer.thinksTooLong && !this.#isStopped());
      return () => this.#finish(end);
    } catch (error) {
      // It may be our own failure to read: the engine must be idle all the same.
      this.#run?.abort();
      await this.#run?.ended.catch(() => undefined);
      await this.#context.recovery.settled();
      return () => this.#loseEngine(error);
    }
  }

  /**
   * @param before - how the run before it ended, whose answer this one continues.
   * @returns undefined when it was stopped before it began.
   */
  async #runOn(model: BackendModel, before: RunEnd | undefined): Promise<RunEnd | undefined> {
    const { engine, isConversation, runtimeTools } = this.#context;
    const { kv } = engine;
    this.#figures.started();
    this.#state = 'prefill';
    const clearing = kv.prepare(this.#request, isConversation, runtimeTools);
    if (clearing !== undefined) await clearing;
    if (this.#isStopped()) return undefined;
    this.#figures.keepsPrompts = engine.capabilities.kvReuse && !kv.isEmpty;
    const request = kv.toStart(this.#request, isConversation);
    const run = model.start(request);
    const ended = kv.started(request);
    let hasTokens = false;
    this.#run = run;
    if (this.#stopped !== undefined) run.abort(); // while it was starting
    try {
      const end = await readRun(run, (batch, from, to) => {
        hasTokens = true;
        this.#accept(batch, from, to, run);
      });
      ended(end, hasTokens);
      return end;
    } catch (error) {
      ended(undefined, hasTokens);
      if (before !== undefined && isRkllmError(error, 'RKLLM_CONTEXT_OVERFLOW')) return withoutRoom(before);
      throw error;
    }
  }

  /** What has been thought is part of the prompt from now on, and so is the end of it. */
  #goOnBehindReasoning(end: RunEnd | undefined): void {
    const { outputTokens } = this.#answer;
    if (end !== undefined) this.#figures.next(end, outputTokens);
    this.#request = behindReasoning(this.#request, this.#answer.cutReasoning(), outputTokens);
  }

  /** Resolves with undefined when it was stopped meanwhile. */
  async #reload(sampling: ResolvedSampling): Promise<BackendModel | undefined> {
    const { signal } = this.#starting;
    this.#figures.reloading();
    try {
      const model = await this.#context.engine.reload(sampling, signal);
      return signal.aborted ? undefined : model;
    } finally {
      this.#figures.reloaded();
    }
  }

  /** Takes the tokens of a batch from `from` up to `to`. */
  #accept(batch: TokenBatch, from: number, to: number, run: Run): void {
    this.#hasTokens = true;
    if (this.#stopped !== undefined || this.#answer.takesNothing()) return;
    const now = performance.now();
    if (this.#answer.take(batch, from, to) > 0) {
      this.#figures.written(now);
      this.#state = 'decode';
    }
    if (this.#answer.takesNothing()) run.abort();
  }

  /** The engine is idle, or was never asked. */
  #finish(end: RunEnd | undefined): void {
    const stopped = this.#stopped;
    if (stopped?.by === 'signal' && this.#context.onAbort === 'throw') {
      this.#fail(stopped.reason, 'aborted');
      return;
    }
    const { contextLength } = this.#context.engine.info;
    const ofRun = this.#answer.outputTokens - this.#figures.tokensBefore;
    const reasonOf = () => finishReasonOf(this.#answer, end, stopped !== undefined, contextLength, ofRun);
    this.#answer.flush(reasonOf() === 'stop');
    const { text, reasoning, reasoningTruncated, toolCalls, stopSequence, outputTokens } = this.#answer;
    const reason = reasonOf();
    const finishReason = reason === 'stop' && toolCalls.length > 0 ? 'tool-calls' : reason;
    const abortReason = finishReason === 'abort' ? stopped?.reason : undefined;
    const { usage, timings } = this.#figures.total(end, outputTokens);
    const { value: json, error } = this.#context.jsonOf?.(text, finishReason) ?? {};
    if (error !== undefined) {
      this.#fail(error);
      return;
    }
    this.#over(finishReason === 'abort' ? 'aborted' : 'done');
    // The outcome first: who reads the finish chunk may ask a chat its next question at once.
    const answer = { text, reasoning, reasoningTruncated, json, toolCalls };
    this.#settle.resolve({ ...answer, finishReason, stopSequence, abortReason, usage, timings });
    this.chunks.push({ type: 'finish', finishReason, stopSequence, usage, timings });
    this.chunks.close();
  }

  /** Who has seen nothing of an answer is served again by the next engine, if there will be one. */
  #loseEngine(error: unknown): void {
    if (!this.#hasTokens && this.#stopped === undefined) {
      this.#run = undefined;
      this.#figures.reset();
      this.#state = 'queued';
      if (this.#context.recovery.putBack(this.#queued)) return;
    }
    this.#fail(error);
  }

  #fail(error: unknown, state: GenerationState = 'failed'): void {
    this.#over(state);
    this.#settle.reject(error);
    this.chunks.fail(error);
  }

  #over(state: GenerationState): void {
    this.#state = state;
    this.#unsubscribe?.();
  }

  #isStopped(): boolean {
    return this.#stopped !== undefined;
  }

  #isOver(): boolean {
    return this.#state === 'done' || this.#state === 'aborted' || this.#state === 'failed';
  }
}
