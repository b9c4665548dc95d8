import { npuRunTable, npuTable, runtimeReleases } from '../../options/npu.js';
import { runtimeCalls } from '../../options/runtime-calls.js';
import { runtimeFeatures, runtimeInputs } from '../../options/runtime-features.js';
import type { Checked } from '../../options/table.js';
import { without } from '../../options/without.js';
import type { Capabilities } from '../backend.js';
import type { LoadedEvent } from './addon.js';

/** The ABI generations as `native/runtime/generation.h` names them, the oldest first. */
export const generations = ['1.1', '1.2.0', '1.2.1b1', '1.2.1', '1.3.0', '1.3.1'] as const;

export type GenerationName = (typeof generations)[number];

/** Whether a generation has what came with a release: all of its releases have it. */
export function hasRelease(generation: GenerationName, release: string): boolean {
  const since = (runtimeReleases as readonly string[]).indexOf(release);
  const first = generation === '1.1' ? '1.1.0' : generation;
  return since >= 0 && runtimeReleases.indexOf(first) >= since;
}

const mediaKinds = ['image', 'video', 'audio'] as const;

/** What a runtime of this generation can do. There is no seed in any. */
export function capabilitiesOf(
  { generation, certain }: Pick<LoadedEvent, 'generation' | 'certain'>,
  runtimeTemplate: boolean,
  batchSize: number,
): Capabilities {
  const has = ({ since }: { readonly since?: string }): boolean => since === undefined || hasRelease(generation, since);
  return {
    perRequestSampling: has(runtimeFeatures.samplingPerGeneration),
    seed: false,
    kvReuse: has(runtimeFeatures.prefixReuse),
    tokenInput: true,
    mirostat: true,
    // Look-alikes differ in these.
    media: certain ? mediaKinds.filter((kind) => has(runtimeInputs[kind])) : [],
    thinking: has(npuRunTable.enableThinking) && runtimeTemplate,
    // What answers several prompts at once gives neither.
    hiddenStates: batchSize === 1,
    logits: batchSize === 1 && has(runtimeCalls.logits),
    batchSize,
    slots: 1,
  };
}

/** The options as the addon takes them, and which releases they need. */
export function toNativeOptions(
  given: Checked<typeof npuTable>,
  runtimeTemplate: boolean,
): Readonly<Record<string, unknown>> {
  const needs: Record<string, string> = runtimeTemplate
    ? { "template: 'runtime'": runtimeFeatures.runtimeTemplate.since }
    : {};
  for (const [name, spec] of Object.entries(npuTable)) {
    const value = given[name as keyof typeof given];
    // What every runtime does anyway may be asked of every runtime.
    const isUsual = (typeof value === 'boolean' || typeof value === 'number') && String(value) === spec.defaultsTo;
    if (value !== undefined && !isUsual && 'since' in spec) needs[name] = spec.since;
  }
  const { cpus, imageTags, tokenizer, embedder, ...rest } = given;
  const same = without(rest, ['adapters']); // they are loaded behind it
  const { start: imageStart, end: imageEnd, content: imageContent } = imageTags ?? {};
  return {
    ...same,
    runtimeTemplate,
    imageStart,
    imageEnd,
    imageContent,
    hasTokenizer: tokenizer !== undefined,
    hasEmbedder: embedder !== undefined,
    cpuMask: cpus?.reduce((mask, cpu) => mask | (1 << cpu), 0),
    needs,
  };
}
