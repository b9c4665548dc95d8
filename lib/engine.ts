import type { BackendModel, Capabilities, ResolvedSampling, RunInput } from './backends/backend.js';
import type { BackendModelInfo } from './backends/model-info.js';
import type { RuntimeControls } from './backends/runtime-controls.js';
import type { CacheDirectory } from './cache-directory.js';
import { isRkllmError, type RkllmErrorCode } from './errors.js';
import { KvOwner } from './kv-owner.js';

/** What a reload takes over from the model that was loaded before. */
interface Learned {
  readonly embeddingWidth?: number;
}

/** Why a model is loaded again: with other sampling, or because it has died. */
type ReloadReason = 'reload' | 'restart';

/** Loads the same model again. */
export type Reload = (
  reason: ReloadReason,
  sampling: ResolvedSampling,
  signal: AbortSignal,
  learned: Learned,
) => Promise<BackendModel>;

/**
 * Called when there is no engine any more.
 *
 * @param recoverable - nothing of it is left, and it may be loaded again.
 */
export type OnLost = (error: unknown, recoverable: boolean) => void;

/** What an engine that dies while it is being loaded is reported with. */
const deaths: readonly RkllmErrorCode[] = ['RKLLM_RUNTIME_CRASHED', 'RKLLM_RUNTIME_HUNG', 'RKLLM_WORKER_FAILED'];

/** The backend's model of a {@link Model}: one and the same, or the one that was loaded last. */
export class Engine {
  readonly info: BackendModelInfo;
  readonly capabilities: Capabilities;
  /** Sampling is changed by loading the model again. */
  readonly reloads: boolean;
  readonly #reload: Reload;
  readonly #onLost: OnLost;
  readonly #cacheDirectory: CacheDirectory | undefined;
  /** Absent while it is loaded again, and after that was stopped or has failed. */
  #model: BackendModel | undefined;
  #runtime: RuntimeControls | undefined;
  #kv!: KvOwner; // set by #use()
  #recoverable = false;
  #sampling: ResolvedSampling;

  /** @param cacheDirectory - for what an engine that keeps nothing itself has computed of conversations. */
  constructor(
    model: BackendModel,
    sampling: ResolvedSampling,
    reloads: boolean,
    reload: Reload,
    onLost: OnLost,
    cacheDirectory: CacheDirectory | undefined,
  ) {
    this.#cacheDirectory = cacheDirectory;
    this.info = model.info;
    this.capabilities = model.capabilities;
    this.reloads = reloads;
    this.#reload = reload;
    this.#onLost = onLost;
    this.#sampling = sampling;
    this.#use(model, sampling);
  }

  /** Of the model that was loaded last. */
  get runtime(): RuntimeControls | undefined {
    return this.#runtime;
  }

  /** What is in the KV cache of the model that was loaded last. */
  get kv(): KvOwner {
    return this.#kv;
  }

  /** Counts the tokens of a prompt; undefined where that cannot be told, and while no model is loaded. */
  get countTokens(): ((input: RunInput) => Promise<number>) | undefined {
    return this.#model?.countTokens?.bind(this.#model);
  }

  /** The model, if it is loaded and has this sampling; without one, whatever it has. */
  loadedWith(sampling: ResolvedSampling | undefined): BackendModel | undefined {
    return sampling === undefined || isEqual(sampling, this.#sampling) ? this.#model : undefined;
  }

  /**
   * The model with this sampling, or, without one, with whatever it has; loaded again where it has to be. Nothing else
   * may run.
   *
   * @returns undefined when it was stopped.
   */
  async ready(sampling: ResolvedSampling | undefined, signal: AbortSignal): Promise<BackendModel | undefined> {
    return this.loadedWith(sampling) ?? (await this.reload(sampling ?? this.#sampling, signal));
  }

  /**
   * Frees the model and loads it with other sampling. Nothing else may run.
   *
   * @returns undefined when it was stopped; then no model is loaded until the next call.
   */
  reload(sampling: ResolvedSampling, signal: AbortSignal): Promise<BackendModel | undefined> {
    return this.#loadAgain('reload', sampling, signal);
  }

  /**
   * Loads the model that has died, with the sampling that it had. Otherwise as {@link reload}.
   *
   * @param pause - between the two: what is left of the dead one is freed by then.
   */
  restart(pause: () => Promise<void>, signal: AbortSignal): Promise<BackendModel | undefined> {
    return this.#loadAgain('restart', this.#sampling, signal, pause);
  }

  async dispose(): Promise<void> {
    const model = this.#model;
    this.#model = undefined;
    await model?.dispose();
  }

  async #loadAgain(
    reason: ReloadReason,
    sampling: ResolvedSampling,
    signal: AbortSignal,
    pause?: () => Promise<void>,
  ): Promise<BackendModel | undefined> {
    try {
      await this.dispose();
      await pause?.();
      return signal.aborted ? undefined : await this.#load(reason, sampling, signal);
    } catch (error) {
      this.#onLost(error, this.#recoverable && isDeath(error));
      throw error;
    }
  }

  async #load(
    reason: ReloadReason,
    sampling: ResolvedSampling,
    signal: AbortSignal,
  ): Promise<BackendModel | undefined> {
    try {
      const width = this.#runtime?.embeddingWidth;
      const learned: Learned = width === undefined ? {} : { embeddingWidth: width };
      const model = await this.#reload(reason, sampling, signal, learned);
      this.#use(model, sampling);
      return model;
    } catch (error) {
      // What is stuck in the driver stays there: no further model must be loaded on top of it.
      if (signal.aborted && !isRkllmError(error, 'RKLLM_RUNTIME_HUNG')) return undefined;
      throw error;
    }
  }

  #use(model: BackendModel, sampling: ResolvedSampling): void {
    const { recoverable = false } = model;
    this.#model = model;
    this.#runtime = model.runtime;
    this.#kv = new KvOwner(model, this.#cacheDirectory);
    this.#recoverable = recoverable;
    this.#sampling = sampling;
    model.failed.catch((error: unknown) => {
      // One that died while it was freed is gone, as it should be.
      if (!recoverable || model === this.#model) this.#onLost(error, recoverable);
    });
  }
}

function isDeath(error: unknown): boolean {
  return isRkllmError(error) && deaths.includes(error.code);
}

function isEqual(a: ResolvedSampling, b: ResolvedSampling): boolean {
  const names = Object.keys({ ...a, ...b }) as (keyof ResolvedSampling)[];
  return names.every((name) => a[name] === b[name]);
}
