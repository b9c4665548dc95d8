import { randomInt } from 'node:crypto';
import type { ResolvedSampling } from '../backend.js';
import type { SearchDefaults } from './layout.js';
import type { MirostatSettings } from './mirostat.js';

/** Everything the sampler needs to know; nothing is left to default. */
export interface SamplerSettings {
  /** 0: the most likely token. */
  readonly temperature: number;
  /** 0: no limit. */
  readonly topK: number;
  readonly topP: number;
  readonly repeatPenalty: number;
  readonly frequencyPenalty: number;
  readonly presencePenalty: number;
  readonly seed: number;
  /** In place of top-k and top-p. */
  readonly mirostat?: MirostatSettings | undefined;
}

/** Used where neither the application nor the model says anything; see `options/sampling.ts`. */
const fallback = { temperature: 0.8, topK: 40, topP: 0.9 };

/**
 * Decides how one run samples: the run's options, else the model's load options, else the model's own. A model that is
 * made for greedy decoding (`do_sample: false`) states the rest of its sampling section for form's sake only (`top_k:
 * 1`): it stays greedy until the application gives a sampling option, and then its section does not count.
 */
export function resolveSampling(
  search: SearchDefaults,
  load: ResolvedSampling,
  request: ResolvedSampling,
): SamplerSettings {
  const given = {
    temperature: request.temperature ?? load.temperature,
    topK: request.topK ?? load.topK,
    topP: request.topP ?? load.topP,
  };
  const mirostat = mirostatSettings({ ...load, ...request });
  const asked = Object.values(given).some((value) => value !== undefined) || mirostat !== undefined;
  const own = search.doSample ? search : undefined;
  const greedy = !search.doSample && !asked;
  return {
    temperature: greedy ? 0 : (given.temperature ?? own?.temperature ?? fallback.temperature),
    topK: given.topK ?? own?.topK ?? fallback.topK,
    topP: given.topP ?? own?.topP ?? fallback.topP,
    repeatPenalty: request.repeatPenalty ?? load.repeatPenalty ?? search.repeatPenalty ?? 1,
    frequencyPenalty: request.frequencyPenalty ?? load.frequencyPenalty ?? 0,
    presencePenalty: request.presencePenalty ?? load.presencePenalty ?? 0,
    mirostat,
    seed: request.seed ?? load.seed ?? randomInt(2 ** 32),
  };
}

/** The defaults are those of Rockchip's runtime. */
function mirostatSettings({ mirostat, mirostatTau, mirostatEta }: ResolvedSampling): MirostatSettings | undefined {
  if (mirostat !== 1 && mirostat !== 2) return undefined;
  return { version: mirostat, tau: mirostatTau ?? 5, eta: mirostatEta ?? 0.1 };
}
