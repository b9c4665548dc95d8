import { randomUUID } from 'node:crypto';
import { ActiveGeneration } from './active-generation.js';
import type { BackendModel, Capabilities, ResolvedSampling, RunRequest } from './backends/backend.js';
import type { Adapter } from './backends/model-parts.js';
import type { Matrix, ModelRuntime } from './backends/runtime-controls.js';
import { Batches } from './batches.js';
import type { CacheDirectory } from './cache-directory.js';
import type { AskedTurn } from './chat/context-budget.js';
import { ContextMeter } from './chat/context-meter.js';
import type { ChatSession } from './chat/session.js';
import { TokenEstimator } from './chat/token-estimator.js';
import { TranscriptChat, type ChatModel } from './chat/transcript-chat.js';
import { Computing } from './computing.js';
import type { CrashHistory } from './crash-history.js';
import type { Embeddings } from './embeddings.js';
import { EngineCalls, type CalledModel } from './engine-calls.js';
import { Engine, type Reload } from './engine.js';
import { GenerationRequests, type AskedGeneration } from './generation-requests.js';
import type { Generation } from './generation.js';
import { LoadedRuntime, refuseOnBatches } from './loaded-runtime.js';
import type { DisposeOptions, Model, ModelInfo, ModelState } from './model.js';
import { describeGeneration } from './observe/descriptions.js';
import type { Observer } from './observe/observer.js';
import { chatTable, type ChatOptions } from './options/chat.js';
import { checkOptions } from './options/check.js';
import type { EmbedOptions, LogitsOptions } from './options/embed.js';
import type { GenerateOptions } from './options/generate.js';
import { without } from './options/without.js';
import type { PromptCacheFiles } from './prompt-cache/files.js';
import { toRunInput, type ComputeInput, type GenerateInput, type Prompting } from './prompt.js';
import { Recovery } from './recovery.js';
import { disposedError } from './refusals.js';
import { RequestQueue } from './request-queue.js';
import { checkedGeneration } from './structured/checked.js';
import { jsonReader } from './structured/read-json.js';
import { Warming } from './warming.js';

/** What `loadModel()` found out, for the model to work with. */
export interface ModelParts {
  readonly backendModel: BackendModel;
  readonly info: ModelInfo;
  readonly prompting: Prompting;
  /** Sampling that was given at load: a generation may repeat it even where it cannot change it. */
  readonly sampling: ResolvedSampling;
  /** The sampling of an engine that fixes it at load is changed by loading it again. */
  readonly reloads: boolean;
  readonly reload: Reload;
  /** Removed with the model. */
  readonly cacheDirectory: CacheDirectory | undefined;
  /** Where what `chat.warm()` computes is found again. */
  readonly promptCacheFiles: PromptCacheFiles | undefined;
  /** Those that were loaded with it. */
  readonly adapters: readonly Adapter[];
  /** It has written a token already. */
  readonly warmedUp: boolean;
  /** Decides whether an engine that died is loaded again; undefined: none is. */
  readonly crashes: CrashHistory | undefined;
  readonly maxNewTokens: number | undefined;
  readonly maxPending: number;
  readonly timeoutMs: number | undefined;
  readonly observer: Observer;
}

/** {@link Model} over a backend's model. */
export class LoadedModel implements Model {
  readonly info: ModelInfo;
  readonly capabilities: Capabilities;
  readonly runtime: ModelRuntime | undefined;
  readonly #parts: ModelParts;
  readonly #engine: Engine;
  readonly #queue: RequestQueue;
  readonly #recovery: Recovery;
  readonly #meter: ContextMeter;
  readonly #requests: GenerationRequests;
  readonly #computing: Computing;
  readonly #warming: Warming;
  readonly #live = new Set<{ abort(): void }>();
  #disposal: Promise<void> | undefined;
  #disposed = false;
  #abortsAll = false;

  constructor(parts: ModelParts) {
    const { backendModel, sampling, reloads, reload, crashes, maxPending, timeoutMs, observer } = parts;
    this.#parts = parts;
    this.info = parts.info;
    const onLost = (error: unknown, recoverable: boolean): void => this.#recovery.onLost(error, recoverable);
    const adapters = new Map<string, Adapter>();
    const forgetOthers = (): void => {
      adapters.clear();
      for (const adapter of parts.adapters) adapters.set(adapter.name, adapter);
    };
    forgetOthers();
    // What `model.runtime` has loaded goes with the engine; a name may mean another file then.
    const reloading: Reload = (...how) => reload(...how).finally(forgetOthers);
    this.#engine = new Engine(backendModel, sampling, reloads, reloading, onLost, parts.cacheDirectory);
    this.capabilities = this.#engine.capabilities;
    // A reload needs the engine for itself.
    const slots = this.#engine.reloads ? 1 : this.capabilities.slots;
    this.#queue = new RequestQueue({ slots, maxPending, timeoutMs }, observer.queue(this.info.name));
    this.#recovery = new Recovery(this.info.name, this.#engine, this.#queue, crashes, observer);
    if (parts.warmedUp) this.#engine.kv.warmedUp();
    this.#meter = new ContextMeter({
      contextLength: this.info.contextLength,
      // What is there already is not checked as what is asked: an answer may be empty.
      toInput: (messages, tools) =>
        parts.prompting.by === 'library'
          ? { type: 'text', text: parts.prompting.template.render(messages, { tools }) }
          : toRunInput(messages, parts.prompting, this.capabilities),
      isExact: this.capabilities.countsTokens === true && backendModel.countTokens !== undefined,
      counter: () => this.#engine.countTokens,
      estimator: new TokenEstimator(),
    });
    const called: CalledModel = {
      engine: this.#engine,
      queue: this.#queue,
      refuseWhenGone: () => this.#refuseWhenGone(),
      follow: (request, settled) => this.#follow(request, settled),
    };
    const calls = new EngineCalls(called);
    const loadedSampling = this.#engine.reloads ? sampling : undefined;
    const batches = new Batches({ ...parts, ...called, recovery: this.#recovery, loadedSampling });
    this.#computing = new Computing(calls, backendModel);
    const { runtime } = backendModel;
    this.runtime =
      runtime &&
      new LoadedRuntime(
        () => this.#engine.runtime ?? runtime,
        this.capabilities,
        (effect, signal, call) => calls.onRuntime(effect, signal, call),
        (inputs, options) => batches.generate(inputs, options),
        (adapter) => adapters.set(adapter.name, adapter),
      );
    this.#requests = new GenerationRequests(parts, this.#engine, this.runtime);
    this.#warming = new Warming({
      engine: this.#engine,
      calls,
      meter: this.#meter,
      template: this.info.template?.name,
      files: parts.promptCacheFiles,
      keepsTurns: parts.cacheDirectory !== undefined,
      adapters,
      requestOf: (owner, messages, options) => this.#requests.of(owner, messages, options, { room: undefined }).request,
    });
  }

  get state(): ModelState {
    if (this.#disposed) return 'disposed';
    if (this.#disposal !== undefined) return 'disposing';
    if (this.#recovery.failure !== undefined) return 'failed';
    if (this.#recovery.isRestarting) return 'restarting';
    return this.#queue.active > 0 ? 'busy' : 'ready';
  }

  get pending(): number {
    return this.#queue.pending;
  }

  generate(input: GenerateInput, options?: GenerateOptions): Generation {
    return this.#generate('generate()', input, options);
  }

  chat(options?: ChatOptions): ChatSession {
    this.#refuseWhenGone();
    const model: ChatModel = {
      ask: (owner, turn, turnOptions) => this.#generate(owner, turn.messages, turnOptions, turn),
      warm: (messages, warmOptions) => this.#warming.warm(messages, warmOptions),
      meter: this.#meter,
      refuseUnusable: () => {
        this.#refuseWhenGone();
        refuseOnBatches('chat()', this.capabilities);
      },
    };
    return new TranscriptChat(model, this.#requests.ofChat(checkOptions('chat()', chatTable, options)));
  }

  async embed(texts: string | readonly string[], options?: EmbedOptions): Promise<Embeddings> {
    this.#refuseWhenGone();
    return this.#computing.embed(texts, options);
  }

  async logits(input: ComputeInput, options?: LogitsOptions): Promise<Matrix> {
    this.#refuseWhenGone();
    return this.#computing.logits(input, options);
  }

  dispose(options?: DisposeOptions): Promise<void> {
    if (this.#disposal === undefined) {
      let follow: (disposal: Promise<void>) => void = () => undefined;
      // Before anything is refused: who is told of that may ask for more.
      this.#disposal = new Promise((resolve) => (follow = resolve));
      follow(this.#dispose());
    }
    // Only now: what waits is refused, not aborted.
    if (options?.abort) this.#abortAll();
    return this.#disposal;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.dispose({ abort: true });
  }

  #generate(owner: string, input: unknown, options: unknown, conversation?: AskedTurn): Generation {
    this.#refuseWhenGone();
    refuseOnBatches(owner, this.capabilities);
    const asked = this.#requests.of(owner, input, options, conversation);
    if (asked.format === undefined || this.capabilities.constrainedJson === true) {
      return this.#start(asked, conversation);
    }
    return checkedGeneration(asked.format, asked, conversation, this.#meter, {
      start: (turn) => this.#start(asked, turn),
      ask: (messages, turn) => {
        this.#refuseWhenGone();
        const again = this.#requests.of(owner, messages, without(asked.options, ['responseFormat']), turn);
        return this.#start(again, turn);
      },
    });
  }

  #start(asked: AskedGeneration, conversation: AskedTurn | undefined): Generation {
    const { signal, onAbort = 'throw' } = asked.options;
    const context = {
      id: randomUUID(),
      engine: this.#engine,
      loadedSampling: asked.loadedSampling,
      queue: this.#queue,
      recovery: this.#recovery,
      request: asked.request,
      ends: asked.ends,
      splits: asked.splits,
      runtimeTools: asked.runtimeTools,
      admission: this.#admissionOf(asked, conversation),
      isConversation: conversation !== undefined,
      jsonOf: asked.request.json === undefined ? undefined : jsonReader(asked.request.json),
      signal,
      onAbort,
    };
    const describe = describeGeneration(context, this.info, asked.given, asked.options);
    return this.#parts.observer.generate(describe, signal, () => {
      this.#refuseWhenGone(); // who is told of its start may have disposed the model
      const generation = new ActiveGeneration(context);
      this.#follow(generation, generation.result());
      return generation;
    });
  }

  #admissionOf(
    { request, requestOf }: AskedGeneration,
    conversation: AskedTurn | undefined,
  ): ((stop: AbortSignal) => Promise<RunRequest>) | undefined {
    const { admission, onFitted } = conversation ?? {};
    if (admission === undefined) return undefined;
    return async (stop) => {
      const fitted = await admission(request.maxNewTokens, stop).finally(() => this.#refuseWhenGone());
      onFitted?.(fitted);
      return requestOf(fitted);
    };
  }

  /** Before anybody else is told that there is this request: who is may dispose the model. */
  #follow(request: { abort(): void }, settled: Promise<unknown>): void {
    this.#live.add(request);
    const forget = (): void => void this.#live.delete(request);
    settled.then(forget, forget);
    if (this.#abortsAll) request.abort(); // who was told of its place in the queue has disposed the model
  }

  #refuseWhenGone(): void {
    if (this.#disposal !== undefined) throw disposedError();
    if (this.#recovery.failure !== undefined) throw this.#recovery.failure;
  }

  #abortAll(): void {
    this.#abortsAll = true;
    for (const generation of this.#live) generation.abort();
  }

  async #dispose(): Promise<void> {
    const stopped = this.#recovery.stop();
    this.#queue.removeAll(disposedError());
    await this.#queue.idle();
    await stopped;
    try {
      await this.#engine.dispose();
    } finally {
      this.#parts.cacheDirectory?.remove();
      this.#disposed = true;
    }
  }
}
