import { randomUUID } from 'node:crypto';
import { absolutePath } from './absolute-path.js';
import { ActiveBatch, type BatchContext } from './active-batch.js';
import { ActiveGeneration } from './active-generation.js';
import type { BackendModel, Capabilities, ResolvedSampling, RunInput, RunRequest } from './backends/backend.js';
import type { BatchAnswer, ModelRuntime, RuntimeControls } from './backends/runtime-controls.js';
import { toBatchRows } from './batch-input.js';
import { TranscriptChat, type ChatOptions, type ChatSession } from './chat/session.js';
import type { Splits } from './chat/tag-splitter.js';
import type { CrashHistory } from './crash-history.js';
import { Engine, type Reload } from './engine.js';
import type { Generation } from './generation.js';
import { LoadedRuntime, refuseOnBatches } from './loaded-runtime.js';
import type { DisposeOptions, Model, ModelInfo, ModelState } from './model.js';
import { describeBatch, describeGeneration } from './observe/descriptions.js';
import type { Observer } from './observe/observer.js';
import { batchTable } from './options/batch.js';
import { checkOptions } from './options/check.js';
import { generateTable, type GenerateOptions } from './options/generate.js';
import { mirostatTable, npuRunTable } from './options/npu.js';
import { samplingTable } from './options/sampling.js';
import type { Checked, OptionSpec } from './options/table.js';
import { without } from './options/without.js';
import { splitMedia } from './prompt-media.js';
import { toRunInput, type GenerateInput, type Prompting } from './prompt.js';
import { Recovery } from './recovery.js';
import { disposedError, fixedAtLoad, unsupported, unsupportedByRuntime } from './refusals.js';
import { RequestQueue } from './request-queue.js';
import { RuntimeCall } from './runtime-call.js';

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
  readonly #live = new Set<{ abort(): void }>();
  #disposal: Promise<void> | undefined;
  #disposed = false;
  #abortsAll = false;

  constructor(parts: ModelParts) {
    const { backendModel, sampling, reloads, reload, crashes, maxPending, timeoutMs, observer } = parts;
    this.#parts = parts;
    this.info = parts.info;
    this.#engine = new Engine(backendModel, sampling, reloads, reload, (error, recoverable) =>
      this.#recovery.onLost(error, recoverable),
    );
    this.capabilities = this.#engine.capabilities;
    // A reload needs the engine for itself.
    const slots = this.#engine.reloads ? 1 : this.capabilities.slots;
    this.#queue = new RequestQueue({ slots, maxPending, timeoutMs }, observer.queue(this.info.name));
    this.#recovery = new Recovery(this.info.name, this.#engine, this.#queue, crashes, observer);
    const { runtime } = backendModel;
    this.runtime =
      runtime &&
      new LoadedRuntime(
        () => this.#engine.runtime ?? runtime,
        this.capabilities,
        (signal, call) => this.#callRuntime(signal, call),
        (inputs, options) => this.#generateBatch(inputs, options),
      );
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
    return new TranscriptChat((messages, turn) => this.#generate('send()', messages, turn), options);
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

  #generate(owner: string, input: unknown, options: unknown): Generation {
    this.#refuseWhenGone();
    refuseOnBatches(owner, this.capabilities);
    const { prompting, maxNewTokens } = this.#parts;
    const template = prompting.by === 'library' ? prompting.template : undefined;
    const given = checkOptions(owner, generateTable, options);
    const checked = this.info.substituteFor === undefined ? given : without(given, npuOnly);
    const { rest, media } = splitMedia(input, this.#engine);
    const isTemplated = typeof rest === 'string' || Array.isArray(rest);
    const { sampling, loadedSampling } = this.#sampling(owner, checked);
    const request = {
      input: toRunInput(rest, prompting, this.capabilities, { thinking: checked.enableThinking }),
      maxNewTokens: checked.maxNewTokens ?? maxNewTokens,
      sampling,
      media,
      ...this.#npu(owner, isTemplated && template?.switchesThinking ? without(checked, ['enableThinking']) : checked),
    };
    const { stop = [], stopTokenIds = [], signal, onAbort = 'throw' } = checked;
    const endMarkers = isTemplated ? (template?.endMarkers ?? []) : [];
    const context = {
      id: randomUUID(),
      engine: this.#engine,
      loadedSampling,
      queue: this.#queue,
      recovery: this.#recovery,
      request,
      ends: { stop: [...stop], endMarkers, stopTokenIds: [...stopTokenIds] },
      splits: { reasoning: reasoningOf(checked.reasoning, request.input), toolCalls: checked.toolCalls ?? 'text' },
      signal,
      onAbort,
    };
    const describe = describeGeneration(owner, context, this.info, rest, checked);
    return this.#parts.observer.generate(describe, signal, () => {
      this.#refuseWhenGone(); // who is told of its start may have disposed the model
      const generation = new ActiveGeneration(context);
      this.#follow(generation, generation.result());
      return generation;
    });
  }

  /** Before anybody else is told that there is this request: who is may dispose the model. */
  #follow(request: { abort(): void }, settled: Promise<unknown>): void {
    this.#live.add(request);
    const forget = (): void => void this.#live.delete(request);
    settled.then(forget, forget);
    if (this.#abortsAll) request.abort(); // who was told of its place in the queue has disposed the model
  }

  async #generateBatch(inputs: unknown, options: unknown): Promise<readonly BatchAnswer[]> {
    this.#refuseWhenGone();
    const owner = 'generateBatch()';
    const { batchSize } = this.capabilities;
    if (this.#parts.backendModel.startBatch === undefined || batchSize === undefined) {
      throw unsupported(owner, 'a batch', 'answers one prompt at a time');
    }
    const checked = checkOptions(owner, batchTable, options);
    const { maxNewTokens = this.#parts.maxNewTokens, signal, onText } = checked;
    const context: BatchContext = {
      id: randomUUID(),
      start: async (request, stop) => {
        const sampling = this.#engine.reloads ? this.#parts.sampling : undefined;
        return (await this.#engine.ready(sampling, stop))?.startBatch?.(request);
      },
      queue: this.#queue,
      recovery: this.#recovery,
      request: { rows: toBatchRows(inputs, batchSize, this.#engine.runtime), maxNewTokens },
      signal,
      onText,
    };
    const describe = describeBatch(context, this.info, checked);
    return this.#parts.observer.batch(describe, signal, () => this.#answerBatch(context));
  }

  async #answerBatch(context: BatchContext): Promise<readonly BatchAnswer[]> {
    this.#refuseWhenGone();
    const batch = new ActiveBatch(context);
    this.#follow(batch, batch.answers);
    return batch.answers;
  }

  async #callRuntime<T>(
    signal: AbortSignal | undefined,
    call: (controls: RuntimeControls, signal: AbortSignal) => Promise<T>,
  ): Promise<T> {
    this.#refuseWhenGone();
    const queued = new RuntimeCall(randomUUID(), this.#queue, signal, async (stop) => {
      const controls = (await this.#engine.ready(undefined, stop))?.runtime;
      stop.throwIfAborted();
      if (controls === undefined) throw disposedError();
      return call(controls, stop);
    });
    this.#follow({ abort: () => queued.abort(disposedError()) }, queued.result);
    return queued.result;
  }

  /** The sampling of one generation: what its run gets, and what the model has to be loaded with. */
  #sampling(
    owner: string,
    checked: Checked<typeof generateTable>,
  ): { sampling: ResolvedSampling; loadedSampling: ResolvedSampling | undefined } {
    const atLoad = this.#parts.sampling;
    const given = pickSampling(checked);
    if (given.seed !== undefined && !this.capabilities.seed) throw unsupported(owner, 'seed', 'has no seed');
    const mirostat = mirostatNames.find((name) => given[name] !== undefined);
    if (mirostat !== undefined && this.capabilities.mirostat !== true)
      throw unsupported(owner, mirostat, 'has no Mirostat');
    if (this.capabilities.perRequestSampling) return { sampling: given, loadedSampling: undefined };
    if (this.#engine.reloads) return { sampling: {}, loadedSampling: { ...atLoad, ...given } };
    for (const name of samplingNames) {
      if (given[name] !== undefined && given[name] !== atLoad[name]) throw fixedAtLoad(owner, name);
    }
    return { sampling: {}, loadedSampling: undefined };
  }

  /** What only the vendor's runtime has, as far as the loaded one has it. */
  #npu(owner: string, checked: Checked<typeof generateTable>): Pick<RunRequest, 'npu'> {
    const given = npuRunNames.filter((name) => checked[name] !== undefined);
    if (given.length === 0) return {};
    for (const name of given) {
      const { since }: OptionSpec = npuRunTable[name];
      if (this.runtime === undefined) throw unsupported(owner, name, `has no ${name}`);
      if (since !== undefined && !this.runtime.has(since)) throw unsupportedByRuntime(owner, name, since);
    }
    if (checked.enableThinking === true && this.capabilities.thinking !== true) {
      throw unsupported(owner, 'enableThinking', 'leaves that to its own template: load with template: runtime');
    }
    const { savePromptCache: file } = checked;
    const npu = Object.fromEntries(given.map((name) => [name, checked[name]]));
    return { npu: file === undefined ? npu : { ...npu, savePromptCache: absolutePath(file) } };
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
      this.#disposed = true;
    }
  }
}

const samplingOptions = { ...samplingTable, ...mirostatTable };
const samplingNames = Object.keys(samplingOptions) as (keyof typeof samplingOptions)[];
const npuRunNames = Object.keys(npuRunTable) as (keyof typeof npuRunTable)[];
const mirostatNames = Object.keys(mirostatTable) as (keyof typeof mirostatTable)[];

/** An app for the NPU keeps the options of its generations, too, where `RKLLM_BACKEND` sends it to the CPU. */
const npuOnly: readonly string[] = [...npuRunNames, ...mirostatNames];

/** The sampling options among others. */
export function pickSampling(options: Checked<typeof samplingOptions>): ResolvedSampling {
  return Object.fromEntries(
    samplingNames.flatMap((name) => (options[name] === undefined ? [] : [[name, options[name]]])),
  );
}

/** A prompt may end inside the reasoning, so that the model must think. */
function reasoningOf(choice: Checked<typeof generateTable>['reasoning'], input: RunInput): Splits['reasoning'] {
  if (choice === undefined || choice === 'text') return 'text';
  const opened = choice === 'split-open' || (input.type === 'text' && input.text.trimEnd().endsWith('<think>'));
  return opened ? 'open' : 'split';
}
