import { randomUUID } from 'node:crypto';
import { ActiveBatch, type BatchContext } from './active-batch.js';
import type { BackendModel, ResolvedSampling } from './backends/backend.js';
import type { BatchAnswer } from './backends/runtime-controls.js';
import { toBatchRows } from './batch-input.js';
import type { CalledModel } from './engine-calls.js';
import type { ModelInfo } from './model.js';
import { describeBatch } from './observe/descriptions.js';
import type { Observer } from './observe/observer.js';
import { batchTable } from './options/batch.js';
import { checkOptions } from './options/check.js';
import type { Recovery } from './recovery.js';
import { unsupported } from './refusals.js';

/** The model that answers them. */
export interface BatchedModel extends CalledModel {
  readonly info: ModelInfo;
  readonly recovery: Recovery;
  readonly observer: Observer;
  readonly backendModel: Pick<BackendModel, 'startBatch'>;
  /** Sampling that it has to be loaded with again; undefined: whatever it has. */
  readonly loadedSampling: ResolvedSampling | undefined;
  readonly maxNewTokens: number | undefined;
}

/** Has the engine answer several prompts at the same time. */
export class Batches {
  readonly #model: BatchedModel;

  constructor(model: BatchedModel) {
    this.#model = model;
  }

  async generate(inputs: unknown, options: unknown): Promise<readonly BatchAnswer[]> {
    const { engine, queue, recovery, observer, info, backendModel, loadedSampling } = this.#model;
    this.#model.refuseWhenGone();
    const owner = 'generateBatch()';
    const { batchSize } = engine.capabilities;
    if (backendModel.startBatch === undefined || batchSize === undefined) {
      throw unsupported(owner, 'a batch', 'answers one prompt at a time');
    }
    const checked = checkOptions(owner, batchTable, options);
    const { maxNewTokens = this.#model.maxNewTokens, signal, onText } = checked;
    const context: BatchContext = {
      id: randomUUID(),
      start: async (request, stop) => {
        const model = await engine.ready(loadedSampling, stop);
        engine.kv.touched('spoils');
        return model?.startBatch?.(request);
      },
      queue,
      recovery,
      request: { rows: toBatchRows(inputs, batchSize, engine.runtime), maxNewTokens },
      signal,
      onText,
    };
    const describe = describeBatch(context, info, checked);
    return observer.batch(describe, signal, () => this.#answer(context));
  }

  async #answer(context: BatchContext): Promise<readonly BatchAnswer[]> {
    this.#model.refuseWhenGone();
    const batch = new ActiveBatch(context);
    this.#model.follow(batch, batch.answers);
    return batch.answers;
  }
}
