import { phi3Template } from './phi3.js';
import type { ChatTemplate } from './template.js';

/** What is known of a model before its first prompt. */
export interface TemplateEvidence {
  /** The Jinja template that came with the model. */
  readonly chatTemplate: string | undefined;
  /** The model's name: for files that carry no template, all there is. */
  readonly name: string;
}

/**
 * Finds the chat template of a model. There is no default: a wrong template gives bad answers without any error.
 *
 * @returns undefined when the model is not recognized, or when `choice` is `'none'`.
 */
export function findTemplate(choice: 'auto' | 'phi3' | 'none', evidence: TemplateEvidence): ChatTemplate | undefined {
  if (choice === 'none') return undefined;
  if (choice === 'phi3') return phi3Template;
  return isPhi3(evidence) ? phi3Template : undefined;
}

function isPhi3({ chatTemplate, name }: TemplateEvidence): boolean {
  if (chatTemplate === undefined) return /(?<![a-z])phi-?3(?!\d)/iu.test(name);
  // The line break after the role's marker tells Phi-3 and 3.5 from Phi-4-mini, which shares the markers.
  const markers = chatTemplate.replaceAll('\n', '\\n');
  return markers.includes('<|end|>') && /<\|user\|>(?:'\s*\+\s*')?\\n/u.test(markers);
}
