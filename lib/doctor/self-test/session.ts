import type { GenerateOptions } from '../../options/generate.js';
import type { LoadModelOptions } from '../../options/load.js';
import type { Generation } from '../../generation.js';
import { loadModel } from '../../load-model.js';
import type { Model, ModelInfo } from '../../model.js';

/** A step makes no sense with this model, or after what went before. */
export class StepSkipped extends Error {}

/** What a step found is not as it should be. */
export class StepFailed extends Error {}

/** What the steps of a self-test share. */
export class Session {
  /** What the first answer was; greedy sampling gives it again. */
  firstAnswer = '';
  #model: Model | undefined;
  readonly #path: string | undefined;
  readonly #options: LoadModelOptions;

  constructor(path: string | undefined, options: LoadModelOptions) {
    this.#path = path;
    this.#options = options;
  }

  /** Skips the step that asks, where none is loaded. */
  requireModel(): Model {
    if (this.#model === undefined) throw new StepSkipped('the model is not loaded');
    return this.#model;
  }

  /** Of the model that is loaded. */
  get info(): ModelInfo | undefined {
    return this.#model?.info;
  }

  async load(signal: AbortSignal): Promise<Model> {
    this.#model = await loadModel(this.#path, { ...this.#options, temperature: 0, signal });
    return this.#model;
  }

  async dispose(): Promise<void> {
    const model = this.#model;
    this.#model = undefined;
    await model?.dispose({ abort: true });
  }

  /** In the model's chat template; as it is where that is not known. */
  ask(text: string, options: GenerateOptions): Generation {
    const model = this.requireModel();
    return model.generate(model.info.template === undefined ? { prompt: text } : text, options);
  }
}
