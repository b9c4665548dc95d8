import type { ModelRuntime } from '../../backends/runtime-controls.js';
import { unsupportedByRuntime } from '../../refusals.js';
import { asFunction } from './dialect.js';
import type { ToolSet } from './tool-set.js';

/** Tools as the vendor's runtime takes them, for the model's own template. */
export interface RuntimeTools {
  /** A list in JSON. */
  readonly tools: string;
  /** Tag that results stand in. */
  readonly responseTag: string;
}

/** In place of tools that a request before had. No release documents another way to take them back. */
export const noRuntimeTools: RuntimeTools = { tools: '[]', responseTag: 'tool_response' };

/** @throws RkllmError `RKLLM_UNSUPPORTED_BY_RUNTIME`. */
export function toRuntimeTools(owner: string, { shown }: ToolSet, runtime: ModelRuntime | undefined): RuntimeTools {
  if (runtime?.has('1.2.1') !== true) throw unsupportedByRuntime(owner, 'tools', '1.2.1');
  return { ...noRuntimeTools, tools: JSON.stringify(shown.map(asFunction)) };
}
