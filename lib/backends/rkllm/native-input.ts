import type { RunInput } from '../backend.js';
import type { PromptMedia } from '../media.js';
import type { RuntimeInput } from '../runtime-controls.js';
import type { NativeInput } from './addon.js';

export function toNativePrompt(input: RunInput, media: PromptMedia | undefined): NativeInput {
  if (input.type === 'tokens') return input.tokenIds;
  return media === undefined ? input.text : { ...media, prompt: input.text };
}

/** A prompt as `model.runtime` takes it. */
export function toRuntimeInput(input: RunInput): RuntimeInput {
  return input.type === 'tokens' ? { tokenIds: input.tokenIds } : { prompt: input.text };
}

export function toNativeInput(input: RuntimeInput): NativeInput {
  if ('prompt' in input) return input.prompt;
  return 'tokenIds' in input ? input.tokenIds : input;
}
