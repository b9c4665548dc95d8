import { npuTable } from '../../options/npu.js';
import type { Checked } from '../../options/table.js';
import type { Capabilities } from '../backend.js';
import type { LoadedEvent } from './addon.js';

/** The ABI generations as `native/runtime/generation.h` names them, the oldest first. */
const generations = ['1.1', '1.2.0', '1.2.1b1', '1.2.1', '1.3.0', '1.3.1'] as const;

export type GenerationName = (typeof generations)[number];

/** Whether a generation has what came with a release. */
export function hasRelease(generation: GenerationName, release: string): boolean {
  const since = (generations as readonly string[]).indexOf(release);
  return since >= 0 && generations.indexOf(generation) >= since;
}

/** What a runtime of this generation can do. There is no seed in any. */
export function capabilitiesOf(
  { generation, certain }: Pick<LoadedEvent, 'generation' | 'certain'>,
  runtimeTemplate: boolean,
): Capabilities {
  const has = (since: GenerationName): boolean => hasRelease(generation, since);
  return {
    perRequestSampling: has('1.3.0'),
    seed: false,
    kvReuse: has('1.2.0'),
    tokenInput: true,
    mirostat: true,
    // Look-alikes differ in these.
    media: certain
      ? ['image', ...(has('1.3.0') ? ['video' as const] : []), ...(has('1.3.1') ? ['audio' as const] : [])]
      : [],
    thinking: has('1.2.1') && runtimeTemplate,
    slots: 1,
  };
}

/** The options as the addon takes them, and which releases they need. */
export function toNativeOptions(
  given: Checked<typeof npuTable>,
  runtimeTemplate: boolean,
): Readonly<Record<string, unknown>> {
  const needs: Record<string, string> = runtimeTemplate ? { "template: 'runtime'": '1.2.0' } : {};
  for (const [name, spec] of Object.entries(npuTable)) {
    const value = given[name as keyof typeof given];
    // What every runtime does anyway may be asked of every runtime.
    const isUsual = typeof value !== 'object' && String(value) === spec.defaultsTo;
    if (value !== undefined && !isUsual && 'since' in spec) needs[name] = spec.since;
  }
  const { cpus, imageTags, runtimeVersion, keepTokens, skipSpecialTokens, crossAttention, ignoreEos } = given;
  const { baseDomainId, embedFlash } = given;
  const { start: imageStart, end: imageEnd, content: imageContent } = imageTags ?? {};
  return {
    runtimeVersion,
    keepTokens,
    skipSpecialTokens,
    crossAttention,
    ignoreEos,
    baseDomainId,
    embedFlash,
    runtimeTemplate,
    imageStart,
    imageEnd,
    imageContent,
    cpuMask: cpus?.reduce((mask, cpu) => mask | (1 << cpu), 0),
    needs,
  };
}
