import { callIsolated } from './abort-listeners.js';
import { absolutePath } from './absolute-path.js';
import type { Backend, BackendModel, EngineOption, LoadRequest } from './backends/backend.js';
import type { BackendModelInfo } from './backends/model-info.js';
import type { Adapter } from './backends/model-parts.js';
import type { TemplateChoice } from './chat/templates/choice.js';
import { findTemplate, tryTemplate, type TemplateInfo } from './chat/templates/recognize.js';
import { CrashHistory, type RestartLimits } from './crash-history.js';
import type { Reload } from './engine.js';
import { RkllmError } from './errors.js';
import { LoadedModel } from './loaded-model.js';
import type { Model, ModelInfo } from './model.js';
import type { LoadTrace } from './observe/channels.js';
import { Observer } from './observe/observer.js';
import { summarize } from './observe/option-summary.js';
import { checkOptions } from './options/check.js';
import { describe } from './options/describe.js';
import { loadTable, type LoadModelOptions, type LoadProgress, type RestartOptions } from './options/load.js';
import { mirostatTable, npuTable } from './options/npu.js';
import { resolvePace } from './options/pace.js';
import type { Checked } from './options/table.js';
import { promptCachesOf, refuseNoDirectory } from './prompt-cache/asked.js';
import type { Prompting } from './prompt.js';
import { notRecoverable } from './refusals.js';
import { pickSampling } from './run-options.js';
import { resolveModel, type ResolvedModel } from './resolve-model.js';
import { warmup } from './warmup.js';

/** What `loadModel()` of `index.ts` does; that file loads this one at the first call. */
export async function loadModel(path?: string, options?: LoadModelOptions): Promise<Model> {
  const checked = checkOptions('loadModel()', loadTable, options);
  const asked = checkPath(path);
  refuseIdleRestart(checked);
  refuseNoDirectory(checked);
  const observer = new Observer(checked.logger);
  const trace = (): LoadTrace => ({
    operation: 'load',
    path: asked,
    backend: typeof checked.backend === 'object' ? checked.backend.name : (checked.backend ?? 'auto'),
    options: summarize(loadTable, checked),
  });
  return observer.load(
    trace,
    checked.signal,
    () => load(asked, checked, observer),
    ({ info }) => info,
  );
}

async function load(path: string | undefined, checked: Checked<typeof loadTable>, observer: Observer): Promise<Model> {
  const resolved = resolveModel(path, checked.backend, process.env);
  if (resolved.substituteFor === undefined) refuseForeignOptions(resolved.backend, checked);
  const { signal, maxNewTokens, queue } = checked;
  // A substitute has no runtime to leave the template to.
  const runtimeTemplate = checked.template === 'runtime' && resolved.substituteFor === undefined;
  signal?.throwIfAborted();
  if (resolved.substituteFor !== undefined) {
    warnOfSubstitute(resolved.substituteFor);
    observer.substituted(resolved.substituteFor, resolved.path);
  }
  const sampling = pickSampling(checked);
  const enter = progressOf(checked.onProgress);
  const restarts = checked.onCrash === 'restart';
  const request: LoadRequest = {
    path: resolved.path,
    maxContextLength: checked.maxContextLength,
    maxNewTokens,
    sampling,
    threads: checked.threads,
    prefillChunk: checked.prefillChunk,
    pace: checked.pace && resolvePace(checked.pace),
    runtimePath: checked.runtimePath,
    runtimeTemplate,
    mustRecover: restarts,
    npu: { ...Object.fromEntries(npuOptions.map((name) => [name, checked[name]])), ...adaptersOf(checked) },
    onPhase: enter,
    onLine: observer.engineLines(resolved.path),
    onWarning: (warning) => observer.loadWarning(warning),
    signal,
  };
  enter('probe');
  const choice = choiceFor(checked.template, resolved);
  if (typeof choice === 'object') await tryTemplate(choice);
  const backendModel = await resolved.backend.load(request);
  if (restarts && backendModel.recoverable !== true) {
    await backendModel.dispose();
    throw notRecoverable(resolved.backend.name);
  }
  if (checked.warmup === true) {
    enter('warmup');
    await warmup(backendModel, signal);
  }
  if (signal?.aborted) {
    await backendModel.dispose();
    throw signal.reason;
  }
  const reloads = checked.sampling === 'reload' && !backendModel.capabilities.perRequestSampling;
  const { prompting, template } = await promptingOf(choice, resolved.path, backendModel);
  // Last: whatever fails from here on has nobody to remove it.
  const promptCaches = await promptCachesOf(resolved, checked, backendModel);
  const info = modelInfo(resolved, backendModel.info, template);
  const reload: Reload = (reason, changed, stop, learned) => {
    const trace = (): LoadTrace => ({
      operation: reason,
      path: info.path,
      backend: info.backend,
      options: summarize(loadTable, { ...checked, ...changed }),
    });
    const npu = { ...request.npu, ...learned };
    // What the first load has warned of is known.
    const again = { ...request, npu, sampling: changed, signal: stop, onWarning: undefined };
    return observer.load(
      trace,
      stop,
      () => resolved.backend.load(again),
      () => info,
    );
  };
  return new LoadedModel({
    backendModel,
    info,
    prompting,
    sampling,
    reloads,
    reload,
    ...promptCaches,
    adapters: request.npu?.adapters ?? [],
    warmedUp: checked.warmup === true,
    crashes: restarts ? new CrashHistory(restartLimits(checked.restart)) : undefined,
    maxNewTokens,
    maxPending: queue?.maxPending ?? 16,
    timeoutMs: queue?.timeoutMs,
    observer,
  });
}

/** With their paths as they are meant now. */
function adaptersOf({ adapters }: Checked<typeof loadTable>): { readonly adapters?: readonly Adapter[] } {
  if (adapters === undefined) return {};
  return { adapters: adapters.map((adapter) => ({ ...adapter, path: absolutePath(adapter.path) })) };
}

/** Tells of each phase once, and of none again. */
function progressOf(listener: Checked<typeof loadTable>['onProgress']): (phase: LoadProgress['phase']) => void {
  const start = performance.now();
  const entered = new Set<LoadProgress['phase']>();
  return (phase) => {
    if (listener === undefined || entered.has(phase)) return;
    entered.add(phase);
    callIsolated(() => listener({ phase, elapsedMs: performance.now() - start }));
  };
}

function restartLimits({
  maxCrashes = 3,
  windowMs = 60_000,
  delayMs = 500,
  maxDelayMs,
}: RestartOptions = {}): RestartLimits {
  return { maxCrashes, windowMs, delayMs, maxDelayMs: maxDelayMs ?? Math.max(30_000, delayMs) };
}

function refuseIdleRestart({ onCrash, restart }: Checked<typeof loadTable>): void {
  if (restart === undefined || onCrash === 'restart') return;
  throw new RkllmError('RKLLM_INVALID_OPTION', "loadModel(): restart has a meaning with onCrash: 'restart' only.", {
    hint: "Add onCrash: 'restart', or leave restart out.",
    details: { owner: 'loadModel()', option: 'restart' },
  });
}

function keysOf<K extends string>(table: Readonly<Record<K, unknown>>): readonly K[] {
  return Object.keys(table) as K[];
}

/** The template of a model is not that of the one that takes its place, which has no runtime to leave it to either. */
function choiceFor(choice: TemplateChoice = 'auto', { substituteFor }: ResolvedModel): TemplateChoice {
  return substituteFor === undefined || choice === 'none' ? choice : 'auto';
}

/** Who makes the prompts. A model whose template cannot be used is not given out. */
async function promptingOf(
  choice: TemplateChoice,
  path: string | undefined,
  model: BackendModel,
): Promise<{ prompting: Prompting; template: TemplateInfo | undefined }> {
  if (choice === 'runtime') return { prompting: { by: 'runtime' }, template: undefined };
  if (choice === 'none') return { prompting: { by: 'caller' }, template: undefined };
  try {
    const found = await findTemplate(choice, { ...model.info, path });
    if (found.template === undefined) {
      return { prompting: { by: 'nobody', lookedAt: found.lookedAt }, template: undefined };
    }
    return { prompting: { by: 'library', template: found.template }, template: found.info };
  } catch (error) {
    await model.dispose();
    throw error;
  }
}

function checkPath(path: unknown): string | undefined {
  if (path === undefined || (typeof path === 'string' && path !== '')) return path;
  throw new RkllmError('RKLLM_INVALID_INPUT', `The path of a model cannot be ${describe(path)}.`, {
    hint: 'Pass a path as a string, or nothing for the embedded model.',
  });
}

const npuOptions = keysOf(npuTable);
const engineOptions: readonly Exclude<EngineOption, 'runtimeTemplate'>[] = [
  'threads',
  'prefillChunk',
  'pace',
  'runtimePath',
  ...npuOptions,
  ...keysOf(mirostatTable),
];

/** Not for a substitute: an app for the NPU keeps its options where `RKLLM_BACKEND` sends it to the CPU. */
function refuseForeignOptions(backend: Backend, given: Checked<typeof loadTable>): void {
  const lacks = (option: EngineOption): boolean => backend.engineOptions?.includes(option) === false;
  const foreign = engineOptions.find((option) => given[option] !== undefined && lacks(option));
  const named = given.template === 'runtime' && lacks('runtimeTemplate') ? "template: 'runtime'" : foreign;
  if (named === undefined) return;
  throw new RkllmError('RKLLM_UNSUPPORTED_OPTION', `loadModel(): the ${backend.name} backend has no ${named}.`, {
    hint: `Leave ${named} out, or choose another backend.`,
    details: { owner: 'loadModel()', option: named, backend: backend.name },
  });
}

function modelInfo(
  resolved: ResolvedModel,
  {
    name,
    contextLength,
    quantization,
    pace,
    runtime,
  }: Pick<BackendModelInfo, 'name' | 'contextLength' | 'quantization' | 'pace' | 'runtime'>,
  template: TemplateInfo | undefined,
): ModelInfo {
  const { backend, path, embedded, substituteFor } = resolved;
  return {
    backend: backend.name,
    name,
    path,
    embedded,
    substituteFor,
    contextLength,
    quantization,
    template,
    pace,
    runtime,
  };
}

let warned = false;

function warnOfSubstitute(asked: string): void {
  if (warned) return;
  warned = true;
  process.emitWarning(`RKLLM_BACKEND=onnx: another model runs on the CPU in place of ${asked}.`, {
    type: 'RkllmWarning',
    code: 'RKLLM_SUBSTITUTE',
    detail: 'model.info says which. Unset RKLLM_BACKEND where there is an NPU.',
  });
}
