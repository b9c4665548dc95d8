import type { ModelRuntime } from '../backends/runtime-controls.js';

/** A call of `model.runtime`. */
interface RuntimeCall {
  /** What it calls of the vendor's runtime. */
  readonly vendorFunction: string;
  /** The first release of the vendor's runtime that has it; absent: all that are spoken. */
  readonly since?: string;
  /** What else differs between releases, for the documentation. */
  readonly note?: string;
}

export type RuntimeCallName =
  Exclude<keyof ModelRuntime, 'has' | 'embeddingWidth' | 'adapters'> | 'clearKvCache({ ranges })';

/** What `model.runtime` can be asked for. The checks and docs/runtime.md are made of it. */
export const runtimeCalls: Readonly<Record<RuntimeCallName, RuntimeCall>> = {
  hiddenStates: { vendorFunction: 'rkllm_run', note: 'mode 1' },
  logits: { vendorFunction: 'rkllm_run', note: 'mode 2', since: '1.2.0' },
  generateBatch: { vendorFunction: 'rkllm_run', note: 'with `batchSize` inputs' },
  loadLora: { vendorFunction: 'rkllm_load_lora' },
  loadPromptCache: { vendorFunction: 'rkllm_load_prompt_cache' },
  releasePromptCache: { vendorFunction: 'rkllm_release_prompt_cache' },
  clearKvCache: { vendorFunction: 'rkllm_clear_kv_cache', since: '1.2.0' },
  'clearKvCache({ ranges })': { vendorFunction: 'rkllm_clear_kv_cache', since: '1.2.1' },
  setChatTemplate: { vendorFunction: 'rkllm_set_chat_template', since: '1.2.0' },
  kvCacheSize: { vendorFunction: 'rkllm_get_kv_cache_size', since: '1.2.1' },
  kvCacheSizes: { vendorFunction: 'rkllm_get_kv_cache_size', since: '1.2.1' },
  setFunctionTools: { vendorFunction: 'rkllm_set_function_tools', since: '1.2.1' },
  setCrossAttention: { vendorFunction: 'rkllm_set_cross_attn_params', since: '1.2.1' },
};

/** A call as messages and documentation show it. */
export function runtimeCallTitle(name: string): string {
  return name.endsWith(')') ? name : `${name}()`;
}
