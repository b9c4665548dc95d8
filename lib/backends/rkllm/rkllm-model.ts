import { onAbort } from '../../abort-listeners.js';
import { RkllmError } from '../../errors.js';
import type {
  BackendModel,
  BatchRequest,
  Capabilities,
  ComputedOutput,
  LoadRequest,
  Run,
  RunInput,
  RunRequest,
} from '../backend.js';
import type { BackendModelInfo, RuntimeInfo } from '../model-info.js';
import { nativeAddon, type LoadedEvent, type NativeInput, type NativeRunOptions } from './addon.js';
import type { Matrix, RuntimeControls } from '../runtime-controls.js';
import { capabilitiesOf, toNativeOptions } from './generations.js';
import { Answers } from './answers.js';
import { chatFactsBeside } from './chat-files.js';
import { checkAdapterFiles, loadAdapters } from './adapters.js';
import type { Driver } from './driver.js';
import { EventRouter } from './event-router.js';
import { hostEnvironment } from './isolated/environment.js';
import { IsolatedDriver } from './isolated/isolated-driver.js';
import { RkllmRuntime } from './rkllm-runtime.js';
import { RkllmRun } from './rkllm-run.js';
import { toNativeInput, toNativePrompt, toRuntimeInput } from './native-input.js';
import { NativeModel, type Patience } from './native-model.js';
import { defaultContextLength, type Seen } from './preflight.js';
import { findRuntime, runtimeSearch } from './runtime-path.js';

/** Twice what the prefill of a full context of 4096 tokens takes on an RK3588 by the vendor's figures. */
const defaultAbortTimeoutMs = 60_000;

/** A prefill of 8,000 tokens was seen to take four minutes on an RK3588. */
const defaultStallTimeoutMs = 600_000;

/** 10 MB/s is what a slow SD card gives. */
const leastLoadMs = 120_000;
const slowestLoadBytesPerMs = 10_000;

/** A model that the addon drives on a thread of its own, in a process of its own unless `isolation` is `'none'`. */
export class RkllmModel implements BackendModel {
  readonly info: BackendModelInfo;
  readonly capabilities: Capabilities;
  readonly runtime: RuntimeControls;
  /** Rejects when the runtime hangs, or crashes in its process. When it crashes in this one, this one dies. */
  readonly failed: Promise<never>;
  /** With its process everything of it is gone. */
  readonly recoverable: boolean;
  readonly #native: NativeModel;

  private constructor(native: NativeModel, { info, loaded, runtimeTemplate, batchSize, embeddingWidth }: Facts) {
    this.#native = native;
    this.failed = native.lost;
    this.recoverable = native.driver.isolated === true;
    this.info = info;
    this.capabilities = capabilitiesOf(loaded, runtimeTemplate, batchSize);
    this.runtime = new RkllmRuntime(native, loaded.generation, { batchSize, embeddingWidth });
  }

  /**
   * Loads on the model's own thread. An abort ends the process of the runtime at once; without one it takes effect before
   * and after the runtime's part of the load, which cannot be interrupted, except while it waits for the caller's
   * tokenizer or embedder. The promise settles when nothing of the load is left.
   */
  static async load(request: LoadRequest, seen: Seen): Promise<RkllmModel> {
    const { signal, sampling, npu = {}, runtimeTemplate = false, onPhase } = request;
    signal?.throwIfAborted();
    refuseSeed(sampling.seed);
    const { adapters = [] } = npu;
    checkAdapterFiles(adapters);
    const { name, quantization, bytes } = seen.file;
    const chat = await chatFactsBeside(request.path);
    signal?.throwIfAborted();
    const driver = driverFor(npu, seen);
    const runtimePath = findRuntime(runtimeSearch(request.runtimePath, process.env));
    const contextLength = request.maxContextLength ?? defaultContextLength;

    onPhase?.('probe');
    const router = routerFor(request, driver);
    const options = {
      ...sampling,
      ...toNativeOptions(npu, runtimeTemplate),
      runtimePath,
      modelPath: request.path ?? '',
      maxContextLength: contextLength,
    };
    const handle = driver.load(options, router.onEvent);
    const { batchSize = 1, embeddingWidth } = npu;
    const native = new NativeModel(driver, handle, router, patienceOf(npu, bytes));
    // Without a limit of its own: what reads a large model is not stuck. It breaks a question that is open.
    const stopListening = signal && onAbort(signal, () => driver.dispose(handle));
    try {
      const loaded = await native.loaded();
      signal?.throwIfAborted();
      const info: BackendModelInfo = {
        name,
        contextLength,
        quantization,
        ...chat,
        // It does as the model's tokenizer was configured, where that has one.
        addsBosToken: true,
        runtime: toRuntimeInfo(runtimePath, loaded),
      };
      const model = new RkllmModel(native, { info, loaded, runtimeTemplate, batchSize, embeddingWidth });
      await loadAdapters(model.runtime, adapters, signal);
      return model;
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

  compute(output: ComputedOutput, input: RunInput, signal: AbortSignal): Promise<Matrix> {
    return this.runtime[output](toRuntimeInput(input), { signal });
  }

  startBatch({ rows, maxNewTokens }: BatchRequest): Run {
    return this.#run(rows.map(toNativeInput), { maxNewTokens });
  }

  dispose(): Promise<void> {
    return this.#native.dispose();
  }

  #run(input: NativeInput | readonly NativeInput[], options: NativeRunOptions): Run {
    return new RkllmRun(this.#native, input, options);
  }
}

function driverFor({ isolation = 'process', runtimeEnv }: NonNullable<LoadRequest['npu']>, seen: Seen): Driver {
  if (isolation === 'process') {
    const { file, installedDriver } = seen;
    // For when the runtime only says that something is wrong.
    const facts = file.toolkitVersion === undefined ? undefined : { toolkitVersion: file.toolkitVersion };
    return new IsolatedDriver({
      environment: hostEnvironment(process.env, runtimeEnv),
      known: { facts, installedDriver },
    });
  }
  if (runtimeEnv === undefined) return nativeAddon();
  throw new RkllmError('RKLLM_UNSUPPORTED_OPTION', "runtimeEnv needs isolation: 'process'.", {
    hint: 'Set the variables before the application starts, or leave isolation out.',
    details: { option: 'runtimeEnv' },
  });
}

/** Here, since the functions of one scope refer to all that any of them refers to: those of `load` to the model. */
function routerFor({ npu = {}, onPhase, onLine }: LoadRequest, driver: Driver): EventRouter {
  return new EventRouter(new Answers(driver, npu), { onIdentified: () => onPhase?.('load'), onLine });
}

function patienceOf(npu: NonNullable<LoadRequest['npu']>, modelBytes: number): Patience {
  return {
    loadMs: npu.loadTimeoutMs ?? leastLoadMs + Math.ceil(modelBytes / slowestLoadBytesPerMs),
    stallMs: npu.stallTimeoutMs ?? defaultStallTimeoutMs,
    abortMs: npu.abortTimeoutMs ?? defaultAbortTimeoutMs,
  };
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
