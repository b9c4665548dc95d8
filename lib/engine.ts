import type { BackendModel, BackendModelInfo, Capabilities, ResolvedSampling } from './backends/backend.js';
import { isRkllmError } from './errors.js';
import type { RuntimeControls } from './backends/runtime-controls.js';

/** What a reload takes over from the model that was loaded before. */
interface Learned {
  readonly embeddingWidth?: number;
}

/** Loads the same model with other sampling. */
export type Reload = (sampling: ResolvedSampling, signal: AbortSignal, learned: Learned) => Promise<BackendModel>;

/** The backend's model of a {@link Model}: one and the same, or the one that was loaded last. */
export class Engine {
  readonly info: BackendModelInfo;
  readonly capabilities: Capabilities;
  /** Sampling is changed by loading the model again. */
  readonly reloads: boolean;
  readonly #reload: Reload | undefined;
  readonly #onFailed: (error: unknown) => void;
  /** Absent while it is loaded again, and after that was stopped or has failed. */
  #model: BackendModel | undefined;
  #runtime: RuntimeControls | undefined;
  #sampling: ResolvedSampling;

  /** @param onFailed - called when there is no engine any more, and none can be had. */
  constructor(
    model: BackendModel,
    sampling: ResolvedSampling,
    reload: Reload | undefined,
    onFailed: (error: unknown) => void,
  ) {
    this.info = model.info;
    this.capabilities = model.capabilities;
    this.reloads = reload !== undefined;
    this.#reload = reload;
    this.#onFailed = onFailed;
    this.#sampling = sampling;
    this.#use(model, sampling);
  }

  /** Of the model that was loaded last. */
  get runtime(): RuntimeControls | undefined {
    return this.#runtime;
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
  async reload(sampling: ResolvedSampling, signal: AbortSignal): Promise<BackendModel | undefined> {
    try {
      await this.dispose();
      return signal.aborted ? undefined : await this.#load(sampling, signal);
    } catch (error) {
      this.#onFailed(error);
      throw error;
    }
  }

  async dispose(): Promise<void> {
    const model = this.#model;
    this.#model = undefined;
    await model?.dispose();
  }

  async #load(sampling: ResolvedSampling, signal: AbortSignal): Promise<BackendModel | undefined> {
    try {
      const width = this.#runtime?.embeddingWidth;
      const learned: Learned = width === undefined ? {} : { embeddingWidth: width };
      const model = await this.#reload?.(sampling, signal, learned);
      if (model !== undefined) this.#use(model, sampling);
      return model;
    } catch (error) {
      // What is stuck in the driver stays there: no further model must be loaded on top of it.
      if (signal.aborted && !isRkllmError(error, 'RKLLM_RUNTIME_HUNG')) return undefined;
      throw error;
    }
  }

  #use(model: BackendModel, sampling: ResolvedSampling): void {
    this.#model = model;
    this.#runtime = model.runtime;
    this.#sampling = sampling;
    model.failed.catch(this.#onFailed);
  }
}

function isEqual(a: ResolvedSampling, b: ResolvedSampling): boolean {
  const names = Object.keys({ ...a, ...b }) as (keyof ResolvedSampling)[];
  return names.every((name) => a[name] === b[name]);
}
