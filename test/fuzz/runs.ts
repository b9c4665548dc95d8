import type { Parameters } from 'fast-check';

/**
 * How often a property is tried. RKLLM_FUZZ_RUNS (a number of runs for each property) and RKLLM_SEED look further; a
 * failure prints its seed and the smallest values.
 */
export function tries<T>(numRuns: number): Parameters<T> {
  return {
    numRuns: Number(process.env['RKLLM_FUZZ_RUNS'] ?? numRuns),
    seed: Number(process.env['RKLLM_SEED'] ?? 1),
  };
}
