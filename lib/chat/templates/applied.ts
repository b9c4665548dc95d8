import type { ControlTokens } from './control-tokens.js';

/** The model may have been given the beginning of its reasoning, or an empty one. */
const reasoningAtEnd = /(?:<think>)+(?:<\/think>)?$/u;

/**
 * Whether a text is a whole prompt already: it begins with a control token, and ends as every prompt does that a user's
 * message ends. White space does not count, since those who apply templates by hand are free with it.
 *
 * @param ending - what the template writes behind the last message of a user.
 */
export function isWrapped(text: string, tokens: ControlTokens, ending: string): boolean {
  const end = compact(ending).replace(reasoningAtEnd, '');
  const trimmed = text.trim();
  const [first] = tokens.in(trimmed.slice(0, 200));
  if (end === '' || first === undefined || !trimmed.startsWith(first)) return false;
  return compact(trimmed.slice(-2 * ending.length - 200))
    .replace(reasoningAtEnd, '')
    .endsWith(end);
}

function compact(text: string): string {
  return text.replace(/\s+/gu, '');
}
