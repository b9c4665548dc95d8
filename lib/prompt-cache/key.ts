import { createHash } from 'node:crypto';

/** Everything that what a runtime computes of a prompt depends on. */
export interface PromptCacheKey {
  /** Fingerprint of the model's file. */
  readonly model: string;
  /** The release of the runtime, and how the addon speaks to it. */
  readonly runtime: string;
  /** In tokens. */
  readonly contextLength: number;
  /** Name of the chat template. */
  readonly template: string;
  /** The adapter that computes, by its file and scale; `null`: none. */
  readonly lora: { readonly file: string; readonly scale: number } | null;
  /** What is computed, as SHA-256: the text itself stays out of the directory. */
  readonly prompt: string;
}

export function digestOf(text: string): string {
  return createHash('sha256').update(text).digest('hex');
}

/** The key as a text that is the same for equal keys. */
export function canonical({ model, runtime, contextLength, template, lora, prompt }: PromptCacheKey): string {
  return JSON.stringify([model, runtime, contextLength, template, lora && [lora.file, lora.scale], prompt]);
}

/** The name of a key's entry. */
export function entryName(key: PromptCacheKey): string {
  return digestOf(canonical(key));
}
