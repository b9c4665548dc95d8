import { setTimeout as sleep } from 'node:timers/promises';
import { RkllmError } from '../../errors.js';
import type {
  BackendModel,
  BackendModelInfo,
  Capabilities,
  LoadRequest,
  Run,
  RunRequest,
  RuntimeInfo,
} from '../backend.js';
import { nativeAddon, type LoadedEvent, type ModelHandle, type NativeAddon } from './addon.js';
import type { RuntimeControls } from '../runtime-controls.js';
import { capabilitiesOf, toNativeOptions } from './generations.js';
import { EventRouter } from './event-router.js';
import { InProcessRuntime } from './in-process-runtime.js';
import { InProcessRun } from './in-process-run.js';
import { inspectModelFile } from './model-file.js';
import { stuck } from './native-errors.js';
import { findRuntime, runtimeSearch } from './runtime-path.js';

/** The runtime's own default of 512 is too small for a chat; converted models have 4096 unless told otherwise. */
const defaultContextLength = 4096;

/** How long a disposal waits for the runtime. A prefill cannot be interrupted and may take seconds. */
const disposeTimeoutMs = 30_000;

/** A model in this process, driven by the addon on a thread of its own. */
export class InProcessModel implements BackendModel {
  readonly info: BackendModelInfo;
  readonly capabilities: Capabilities;
  readonly runtime: RuntimeControls;
  /** Never settles: when the runtime dies in this process, the process dies. */
  readonly failed = new Promise<never>(() => undefined);
  readonly #addon: NativeAddon;
  readonly #handle: ModelHandle;
  readonly #router: EventRouter;

  private constructor(
    addon: NativeAddon,
    handle: ModelHandle,
    router: EventRouter,
    { info, loaded, runtimeTemplate }: Facts,
  ) {
    this.#addon = addon;
    this.#handle = handle;
    this.#router = router;
    this.info = info;
    this.capabilities = capabilitiesOf(loaded, runtimeTemplate);
    this.runtime = new InProcessRuntime(addon, handle, router, loaded.generation);
  }

  /**
   * Loads on the model's own thread. An abort takes effect before and after the runtime's part of it, which cannot be
   * interrupted; the promise settles when nothing of the load is left.
   */
  static async load(request: LoadRequest): Promise<InProcessModel> {
    const { signal, sampling, npu = {}, runtimeTemplate = false } = request;
    signal?.throwIfAborted();
    refuseSeed(sampling.seed);
    const { name, quantization } = inspectModelFile(request.path);
    const addon = nativeAddon();
    const runtimePath = findRuntime(runtimeSearch(request.runtimePath, process.env));
    const contextLength = request.maxContextLength ?? defaultContextLength;

    const router = new EventRouter();
    const options = {
      ...sampling,
      ...toNativeOptions(npu, runtimeTemplate),
      runtimePath,
      modelPath: request.path ?? '',
      maxContextLength: contextLength,
    };
    const handle = addon.load(options, router.onEvent);
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
      return new InProcessModel(addon, handle, router, { info, loaded, runtimeTemplate });
    } catch (error) {
      await dispose(addon, handle, router);
      throw error;
    }
  }

  start(request: RunRequest): Run {
    return new InProcessRun(this.#addon, this.#handle, this.#router, request);
  }

  dispose(): Promise<void> {
    return dispose(this.#addon, this.#handle, this.#router);
  }
}

interface Facts {
  readonly info: BackendModelInfo;
  readonly loaded: LoadedEvent;
  readonly runtimeTemplate: boolean;
}

function toRuntimeInfo(path: string, loaded: LoadedEvent): RuntimeInfo {
  const { version, generation, releases, certain, evidence, overridden } = loaded;
  return { path, version, generation: certain ? generation : releases, evidence, overridden };
}

async function dispose(addon: NativeAddon, handle: ModelHandle, router: EventRouter): Promise<void> {
  addon.dispose(handle);
  const timer = new AbortController();
  const timeout = sleep(disposeTimeoutMs, 'timeout' as const, { signal: timer.signal, ref: false });
  timeout.catch(() => undefined);
  const first = await Promise.race([router.disposed, timeout]);
  timer.abort();
  if (first !== 'timeout') return;
  const error = stuck(disposeTimeoutMs);
  router.giveUp(error);
  addon.abandon(handle);
  throw error;
}

function refuseSeed(seed: number | undefined): void {
  if (seed === undefined) return;
  throw new RkllmError('RKLLM_UNSUPPORTED_OPTION', "The vendor's runtime has no seed in any release.", {
    hint: 'Leave seed out; temperature: 0 makes answers repeatable.',
    details: { option: 'seed' },
  });
}
