import { onAbort } from '../../abort-listeners.js';
import { RkllmError } from '../../errors.js';
import type {
  BackendModel,
  BackendModelInfo,
  BatchRequest,
  Capabilities,
  LoadRequest,
  Run,
  RunRequest,
  RuntimeInfo,
} from '../backend.js';
import { nativeAddon, type LoadedEvent, type NativeInput, type NativeRunOptions } from './addon.js';
import type { RuntimeControls } from '../runtime-controls.js';
import { capabilitiesOf, toNativeOptions } from './generations.js';
import { Answers } from './answers.js';
import { EventRouter } from './event-router.js';
import { InProcessRuntime } from './in-process-runtime.js';
import { InProcessRun } from './in-process-run.js';
import { inspectModelFile } from './model-file.js';
import { toNativeInput, toNativePrompt } from './native-input.js';
import { NativeModel } from './native-model.js';
import { findRuntime, runtimeSearch } from './runtime-path.js';

/** The runtime's own default of 512 is too small for a chat; converted models have 4096 unless told otherwise. */
const defaultContextLength = 4096;

/** Twice what the prefill of a full context of 4096 tokens takes on an RK3588 by the vendor's figures. */
const defaultAbortTimeoutMs = 60_000;

/** A model in this process, driven by the addon on a thread of its own. */
export class InProcessModel implements BackendModel {
  readonly info: BackendModelInfo;
  readonly capabilities: Capabilities;
  readonly runtime: RuntimeControls;
  /** Rejects when the runtime hangs. When it crashes in this process, the process dies. */
  readonly failed: Promise<never>;
  readonly #native: NativeModel;

  private constructor(native: NativeModel, { info, loaded, runtimeTemplate, batchSize, embeddingWidth }: Facts) {
    this.#native = native;
    this.failed = native.lost;
    this.info = info;
    this.capabilities = capabilitiesOf(loaded, runtimeTemplate, batchSize);
    this.runtime = new InProcessRuntime(native, loaded.generation, { batchSize, embeddingWidth });
  }

  /**
   * Loads on the model's own thread. An abort takes effect before and after the runtime's part of it, which cannot be
   * interrupted, except while it waits for the caller's tokenizer or embedder; the promise settles when nothing of the
   * load is left.
   */
  static async load(request: LoadRequest): Promise<InProcessModel> {
    const { signal, sampling, npu = {}, runtimeTemplate = false } = request;
    signal?.throwIfAborted();
    refuseSeed(sampling.seed);
    const { name, quantization } = inspectModelFile(request.path);
    const addon = nativeAddon();
    const runtimePath = findRuntime(runtimeSearch(request.runtimePath, process.env));
    const contextLength = request.maxContextLength ?? defaultContextLength;

    const router = new EventRouter(new Answers(addon, npu));
    const options = {
      ...sampling,
      ...toNativeOptions(npu, runtimeTemplate),
      runtimePath,
      modelPath: request.path ?? '',
      maxContextLength: contextLength,
    };
    const handle = addon.load(options, router.onEvent);
    const { abortTimeoutMs = defaultAbortTimeoutMs, batchSize = 1, embeddingWidth } = npu;
    const native = new NativeModel(addon, handle, router, abortTimeoutMs);
    // Without a time limit: what reads a large model is not stuck. It breaks a question that is open.
    const stopListening = signal && onAbort(signal, () => addon.dispose(handle));
    try {
      const loaded = await router.loaded;
      signal?.throwIfAborted();
      const info: BackendModelInfo = {
        name,
        contextLength,
        quantization,
        chatTemplate: undefined,
        bosToken: undefined,
        eosToken: undefined,
        runtime: toRuntimeInfo(runtimePath, loaded),
      };
      return new InProcessModel(native, { info, loaded, runtimeTemplate, batchSize, embeddingWidth });
    } catch (error) {
      await native.dispose();
      signal?.throwIfAborted(); // the load may have failed because of it
      throw error;
    } finally {
      stopListening?.();
    }
  }

  start(request: RunRequest): Run {
    const { input, media, maxNewTokens, sampling, npu } = request;
    return this.#run(toNativePrompt(input, media), { ...sampling, ...npu, maxNewTokens });
  }

  startBatch({ rows, maxNewTokens }: BatchRequest): Run {
    return this.#run(rows.map(toNativeInput), { maxNewTokens });
  }

  dispose(): Promise<void> {
    return this.#native.dispose();
  }

  #run(input: NativeInput | readonly NativeInput[], options: NativeRunOptions): Run {
    return new InProcessRun(this.#native, input, options);
  }
}

interface Facts {
  readonly info: BackendModelInfo;
  readonly loaded: LoadedEvent;
  readonly runtimeTemplate: boolean;
  readonly batchSize: number;
  readonly embeddingWidth: number | undefined;
}

function toRuntimeInfo(path: string, loaded: LoadedEvent): RuntimeInfo {
  const { version, generation, releases, certain, evidence, overridden } = loaded;
  return { path, version, generation: certain ? generation : releases, evidence, overridden };
}

function refuseSeed(seed: number | undefined): void {
  if (seed === undefined) return;
  throw new RkllmError('RKLLM_UNSUPPORTED_OPTION', "The vendor's runtime has no seed in any release.", {
    hint: 'Leave seed out; temperature: 0 makes answers repeatable.',
    details: { option: 'seed' },
  });
}
