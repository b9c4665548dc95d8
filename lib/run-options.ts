import { absolutePath } from './absolute-path.js';
import type { Capabilities, ResolvedSampling, RunInput, RunRequest } from './backends/backend.js';
import type { ModelRuntime } from './backends/runtime-controls.js';
import type { Splits } from './chat/tag-splitter.js';
import type { generateTable } from './options/generate.js';
import { mirostatTable, npuRunTable } from './options/npu.js';
import { samplingTable } from './options/sampling.js';
import type { Checked, OptionSpec } from './options/table.js';
import { without } from './options/without.js';
import { adapterUnknown, fixedAtLoad, unsupported, unsupportedByRuntime } from './refusals.js';

const samplingOptions = { ...samplingTable, ...mirostatTable };
const samplingNames = Object.keys(samplingOptions) as (keyof typeof samplingOptions)[];
const npuRunNames = Object.keys(npuRunTable) as (keyof typeof npuRunTable)[];
const mirostatNames = Object.keys(mirostatTable) as (keyof typeof mirostatTable)[];

type Given = Checked<typeof generateTable>;

/** What the loaded model is like, as far as options of a generation depend on it. */
export interface LoadedFacts {
  readonly capabilities: Capabilities;
  readonly runtime: ModelRuntime | undefined;
  /** Sampling that was given at load. */
  readonly atLoad: ResolvedSampling;
  /** Other sampling is had by loading the model again. */
  readonly reloads: boolean;
}

/** The sampling of one generation. */
export interface RunSampling {
  /** What its run gets. */
  readonly sampling: ResolvedSampling;
  /** What the model has to be loaded with; undefined: whatever it has. */
  readonly loadedSampling: ResolvedSampling | undefined;
}

/** @throws RkllmError `RKLLM_UNSUPPORTED_OPTION`. */
export function samplingOf(owner: string, checked: Given, facts: LoadedFacts): RunSampling {
  const { capabilities, atLoad, reloads } = facts;
  const given = pickSampling(checked);
  if (given.seed !== undefined && !capabilities.seed) throw unsupported(owner, 'seed', 'has no seed');
  const mirostat = mirostatNames.find((name) => given[name] !== undefined);
  if (mirostat !== undefined && capabilities.mirostat !== true) throw unsupported(owner, mirostat, 'has no Mirostat');
  if (capabilities.perRequestSampling) return { sampling: given, loadedSampling: undefined };
  if (reloads) return { sampling: {}, loadedSampling: { ...atLoad, ...given } };
  for (const name of samplingNames) {
    if (given[name] !== undefined && given[name] !== atLoad[name]) throw fixedAtLoad(owner, name);
  }
  return { sampling: {}, loadedSampling: undefined };
}

/**
 * What only the vendor's runtime has, as far as the loaded one has it.
 *
 * @throws RkllmError `RKLLM_UNSUPPORTED_OPTION`, `RKLLM_UNSUPPORTED_BY_RUNTIME`, `RKLLM_ADAPTER_UNKNOWN`.
 */
export function npuOptionsOf(owner: string, checked: Given, facts: LoadedFacts): Pick<RunRequest, 'npu'> {
  const given = npuRunNames.filter((name) => checked[name] !== undefined);
  if (given.length === 0) return {};
  const { runtime, capabilities } = facts;
  for (const name of given) {
    const spec: OptionSpec = npuRunTable[name];
    if (runtime === undefined) throw unsupported(owner, name, `has no ${name}`);
    if (spec.since !== undefined && !runtime.has(spec.since)) throw unsupportedByRuntime(owner, name, spec.since);
  }
  if (checked.enableThinking === true && capabilities.thinking !== true) {
    throw unsupported(owner, 'enableThinking', 'leaves that to its own template: load with template: runtime');
  }
  const { savePromptCache: file, lora } = checked;
  const { adapters = [] } = runtime ?? {};
  if (lora !== undefined && !adapters.includes(lora)) throw adapterUnknown(owner, lora, adapters);
  const npu = Object.fromEntries(given.map((name) => [name, checked[name]]));
  return { npu: file === undefined ? npu : { ...npu, savePromptCache: absolutePath(file) } };
}

/** An app for the NPU keeps the options of its generations, too, where `RKLLM_BACKEND` sends it to the CPU. */
export function withoutNpuOptions(given: Given): Given {
  return without(given, npuRunNames);
}

/** The sampling options among others. */
export function pickSampling(options: Checked<typeof samplingOptions>): ResolvedSampling {
  return Object.fromEntries(
    samplingNames.flatMap((name) => (options[name] === undefined ? [] : [[name, options[name]]])),
  );
}

/** A prompt may end inside the reasoning, so that the model must think. */
export function reasoningOf(choice: Given['reasoning'], input: RunInput): Splits['reasoning'] {
  if (choice === undefined || choice === 'text') return 'text';
  const opened = choice === 'split-open' || (input.type === 'text' && input.text.trimEnd().endsWith('<think>'));
  return opened ? 'open' : 'split';
}
