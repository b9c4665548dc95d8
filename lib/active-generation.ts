import type { ReadableStream } from 'node:stream/web';
import { onAbort } from './abort-listeners.js';
import { Answer } from './answer.js';
import type { BackendModel, ResolvedSampling, Run, RunEnd, RunRequest, TokenBatch } from './backends/backend.js';
import { ChunkStream, tee, textOf, toReadableStream } from './chunk-stream.js';
import { finishReasonOf } from './finish-reason.js';
import type { KvOwner } from './kv-owner.js';
import type { GenerationContext } from './generation-context.js';
import { GenerationView } from './generation-view.js';
import type { Chunk, Generation, GenerationHandle, GenerationResult, GenerationState } from './generation.js';
import { readRun } from './read-run.js';
import type { QueuedRequest } from './request-queue.js';
import { timingsOf, usageOf, type Moments } from './usage.js';

/** {@link Generation} over one run of a backend. */
export class ActiveGeneration implements Generation {
  readonly id: string;
  readonly #context: GenerationContext;
  readonly #queued: QueuedRequest;
  readonly #chunks = new ChunkStream(() => this[Symbol.asyncDispose]());
  #request: RunRequest;
  #answer: Answer;
  readonly #called = performance.now();
  #moments: Moments = { called: this.#called };
  readonly #outcome: Promise<GenerationResult>;
  #settle!: { resolve: (result: GenerationResult) => void; reject: (error: unknown) => void }; // set in the constructor
  #state: GenerationState = 'queued';
  /** Stops the admission and the engine's reload. */
  readonly #starting = new AbortController();
  #run: Run | undefined;
  #hasTokens = false;
  /** What the engine tells of the prompt is all of it. */
  #startedEmpty = false;
  #isAdmitted = true;
  #stopped: { readonly by: 'abort' | 'signal'; readonly reason: unknown } | undefined;
  #unsubscribe: (() => void) | undefined;

  constructor(context: GenerationContext) {
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

  get textStream(): AsyncIterable<string> {
    return textOf(this);
  }

  result(): Promise<GenerationResult> {
    return this.#outcome;
  }

  async text(): Promise<string> {
    return (await this.#outcome).text;
  }

  then<A = GenerationResult, B = never>(
    onResult?: ((result: GenerationResult) => A | PromiseLike<A>) | null,
    onError?: ((error: unknown) => B | PromiseLike<B>) | null,
  ): Promise<A | B> {
    return this.#outcome.then(onResult, onError);
  }

  abort(reason?: unknown): void {
    this.#stop('abort', reason);
  }

  tee(): [AsyncIterable<Chunk>, AsyncIterable<Chunk>] {
    return tee(this.#chunks);
  }

  toReadableStream(): ReadableStream<Chunk> {
    return toReadableStream(this.#chunks, (reason) => this.abort(reason));
  }

  handle(): GenerationHandle {
    return new GenerationView(this);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.abort();
    await this.#outcome.catch(() => undefined);
  }

  [Symbol.asyncIterator](): AsyncIterator<Chunk, undefined> {
    return this.#chunks[Symbol.asyncIterator]();
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
    return new Answer({ ...ends, maxNewTokens }, splits, (chunk) => this.#chunks.push(chunk));
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
    const { engine, loadedSampling, isConversation } = this.#context;
    let request = this.#request;
    let ended: ReturnType<KvOwner['started']> | undefined;
    try {
      // Without a reload the engine starts before generate() returns.
      const model = engine.loadedWith(loadedSampling) ?? (await this.#reload(loadedSampling ?? {}));
      if (model === undefined) return () => this.#finish(undefined);
      this.#moments.started = performance.now();
      this.#state = 'prefill';
      const clearing = engine.kv.prepare(request, isConversation, this.#context.runtimeTools);
      if (clearing !== undefined) await clearing;
      if (this.#isStopped()) return () => this.#finish(undefined);
      this.#startedEmpty = engine.kv.isEmpty;
      request = engine.kv.toStart(request, isConversation);
      const run = model.start(request);
      ended = engine.kv.started(request);
      this.#run = run;
      if (this.#stopped !== undefined) run.abort(); // while it was starting
      const end = await readRun(run, (batch, from, to) => this.#accept(batch, from, to, run));
      ended(end, this.#hasTokens);
      return () => this.#finish(end);
    } catch (error) {
      ended?.(undefined, this.#hasTokens);
      // It may be our own failure to read: the engine must be idle all the same.
      this.#run?.abort();
      await this.#run?.ended.catch(() => undefined);
      await this.#context.recovery.settled();
      return () => this.#loseEngine(error);
    }
  }

  /** Resolves with undefined when it was stopped meanwhile. */
  async #reload(sampling: ResolvedSampling): Promise<BackendModel | undefined> {
    const { signal } = this.#starting;
    this.#moments.reloading = performance.now();
    try {
      const model = await this.#context.engine.reload(sampling, signal);
      return signal.aborted ? undefined : model;
    } finally {
      this.#moments.reloaded = performance.now();
    }
  }

  /** Takes the tokens of a batch from `from` up to `to`. */
  #accept(batch: TokenBatch, from: number, to: number, run: Run): void {
    this.#hasTokens = true;
    if (this.#stopped !== undefined || this.#answer.isOver()) return;
    const now = performance.now();
    if (this.#answer.take(batch, from, to) > 0) {
      this.#moments.firstToken ??= now;
      this.#moments.lastToken = now;
      this.#state = 'decode';
    }
    if (this.#answer.isOver()) run.abort();
  }

  /** The engine is idle, or was never asked. */
  #finish(end: RunEnd | undefined): void {
    const stopped = this.#stopped;
    if (stopped?.by === 'signal' && this.#context.onAbort === 'throw') {
      this.#fail(stopped.reason, 'aborted');
      return;
    }
    const { contextLength } = this.#context.engine.info;
    const reasonOf = () => finishReasonOf(this.#answer, end, stopped !== undefined, contextLength);
    this.#answer.flush(reasonOf() === 'stop');
    const { text, reasoning, toolCalls, stopSequence, outputTokens } = this.#answer;
    const reason = reasonOf();
    const finishReason = reason === 'stop' && toolCalls.length > 0 ? 'tool-calls' : reason;
    const abortReason = finishReason === 'abort' ? stopped?.reason : undefined;
    const usage = usageOf(end, outputTokens, this.#keepsPrompts());
    const timings = timingsOf(this.#moments, end, usage, performance.now());
    const { value: json, error } = this.#context.jsonOf?.(text, finishReason) ?? {};
    if (error !== undefined) {
      this.#fail(error);
      return;
    }
    this.#over(finishReason === 'abort' ? 'aborted' : 'done');
    // The outcome first: who reads the finish chunk may ask a chat its next question at once.
    this.#settle.resolve({ text, reasoning, json, toolCalls, finishReason, stopSequence, abortReason, usage, timings });
    this.#chunks.push({ type: 'finish', finishReason, stopSequence, usage, timings });
    this.#chunks.close();
  }

  /** Who has seen nothing of an answer is served again by the next engine, if there will be one. */
  #loseEngine(error: unknown): void {
    if (!this.#hasTokens && this.#stopped === undefined) {
      this.#run = undefined;
      this.#moments = { called: this.#called };
      this.#state = 'queued';
      if (this.#context.recovery.putBack(this.#queued)) return;
    }
    this.#fail(error);
  }

  #fail(error: unknown, state: GenerationState = 'failed'): void {
    this.#over(state);
    this.#settle.reject(error);
    this.#chunks.fail(error);
  }

  #over(state: GenerationState): void {
    this.#state = state;
    this.#unsubscribe?.();
  }

  #isStopped(): boolean {
    return this.#stopped !== undefined;
  }

  /** What the engine counts of the prompt may be the rest of it. */
  #keepsPrompts(): boolean {
    return this.#context.engine.capabilities.kvReuse && !this.#startedEmpty;
  }

  #isOver(): boolean {
    return this.#state === 'done' || this.#state === 'aborted' || this.#state === 'failed';
  }
}
