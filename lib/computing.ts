import type { BackendModel, Capabilities, ComputedOutput, RunInput } from './backends/backend.js';
import type { Matrix } from './backends/runtime-controls.js';
import { checkTexts, toVector, type Embeddings } from './embeddings.js';
import type { EngineCalls } from './engine-calls.js';
import { refuseOnBatches } from './loaded-runtime.js';
import { checkOptions } from './options/check.js';
import { embedTable, logitsTable, type EmbedOptions, type LogitsOptions } from './options/embed.js';
import { toComputeInput, type ComputeInput } from './prompt.js';
import { disposedError, unsupportedOutput } from './refusals.js';

/** What a loaded model is asked for in place of text. */
export class Computing {
  readonly #calls: EngineCalls;
  readonly #capabilities: Capabilities;
  /** The backend has such a thing at all; what its model gives it knows itself. */
  readonly #computes: boolean;

  constructor(calls: EngineCalls, { capabilities, compute }: Pick<BackendModel, 'capabilities' | 'compute'>) {
    this.#calls = calls;
    this.#capabilities = capabilities;
    this.#computes = compute !== undefined;
  }

  async embed(texts: string | readonly string[], options: EmbedOptions | undefined): Promise<Embeddings> {
    const checked = checkOptions('embed()', embedTable, options);
    const { pooling = 'last', normalize = true, signal, onProgress } = checked;
    const list = checkTexts(texts);
    return this.#call('embed()', 'hiddenStates', signal, async (compute) => {
      const vectors: Float32Array[] = [];
      for (const text of list) {
        const states = await compute({ type: 'text', text });
        vectors.push(toVector(states, { pooling, normalize }, vectors[0]));
        onProgress?.({ done: vectors.length, total: list.length });
      }
      return { vectors, dimensions: vectors[0]?.length ?? 0 };
    });
  }

  async logits(input: ComputeInput, options: LogitsOptions | undefined): Promise<Matrix> {
    const { signal } = checkOptions('logits()', logitsTable, options);
    const prompt = toComputeInput(input, this.#capabilities);
    return this.#call('logits()', 'logits', signal, (compute) => compute(prompt));
  }

  /** @param owner - who was called, for messages. */
  #call<T>(
    owner: string,
    output: ComputedOutput,
    signal: AbortSignal | undefined,
    call: (compute: (input: RunInput) => Promise<Matrix>) => Promise<T>,
  ): Promise<T> {
    refuseOnBatches(owner, this.#capabilities);
    if (!this.#computes) throw unsupportedOutput(owner);
    return this.#calls.onModel('spoils', signal, (model, stop) =>
      call(async (input) => {
        stop.throwIfAborted();
        if (model.compute === undefined) throw disposedError();
        return model.compute(output, input, stop);
      }),
    );
  }
}
