import type { BackendModel, BackendModelInfo, Capabilities, ResolvedSampling } from './backends/backend.js';
import { RkllmError } from './errors.js';
import type { RuntimeControls } from './backends/runtime-controls.js';

/** Loads the same model with other sampling. */
export type Reload = (sampling: ResolvedSampling, signal: AbortSignal) => Promise<BackendModel>;

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

  /** The model, whatever sampling it has; it is loaded again when a reload that was stopped has left none. */
  async anyModel(): Promise<BackendModel> {
    const model = this.#model ?? (await this.reload(this.#sampling, new AbortController().signal));
    if (model === undefined) throw new RkllmError('RKLLM_DISPOSED', 'No model is loaded.', { hint: 'Load it again.' });
    return model;
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
      const model = await this.#reload?.(sampling, signal);
      if (model !== undefined) this.#use(model, sampling);
      return model;
    } catch (error) {
      if (signal.aborted) return undefined;
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
