/** Between angle brackets, without the characters that would make it two of them. */
const angled = /<([^\s<>]{1,128})>/gu;

/** Special in some tokenizers, but part of what models write: answers that are shown to them again must keep them. */
const contentTags = new Set(
  ['think', 'tool_call', 'tool_response', 'tools'].flatMap((tag) => [`<${tag}>`, `</${tag}>`]),
);

const contentTag = new RegExp([...contentTags].join('|'), 'gu');

/** Takes those tags apart as well, in what neither model nor user has written: definitions and results of tools. */
export function neutralizeTags(text: string): string {
  return text.replace(contentTag, takenApart);
}

/**
 * The control tokens of a model: every text of the form `<|…|>` or `<｜…｜>`, and those that are listed. A tokenizer makes
 * one token of such a text wherever it stands; with a space behind its first and before its last character it is text.
 */
export class ControlTokens {
  readonly #angled = new Set<string>();
  /** What {@link angled} does not find, longest first. */
  readonly #others: RegExp | undefined;

  /** @param listed - besides those between `<|` and `|>`. */
  constructor(listed: Iterable<string>) {
    const others: string[] = [];
    for (const token of new Set(listed)) {
      // Short ones and white space are pieces of ordinary text.
      if (token.trim().length < 3 || contentTags.has(token)) continue;
      if (/^<[^\s<>]{1,128}>$/u.test(token)) this.#angled.add(token);
      else others.push(token);
    }
    others.sort((a, b) => b.length - a.length);
    this.#others = others.length === 0 ? undefined : new RegExp(others.map(escapeForRegExp).join('|'), 'gu');
  }

  /** The text with its control tokens taken apart. */
  neutralize(text: string): string {
    let safe = text.replace(angled, (token) => (this.#isAngled(token) ? takenApart(token) : token));
    if (this.#others === undefined) return safe;
    for (let before = ''; before !== safe;) {
      before = safe;
      safe = safe.replace(this.#others, takenApart);
    }
    return safe;
  }

  /** The control tokens in a text, in their order. */
  in(text: string): string[] {
    const found = [...text.matchAll(angled)].filter(([token]) => this.#isAngled(token));
    const others = this.#others === undefined ? [] : [...text.matchAll(this.#others)];
    return [...found, ...others].sort((a, b) => a.index - b.index).map(([token]) => token);
  }

  #isAngled(token: string): boolean {
    return /^<(?:\|.+\||｜.+｜)>$/u.test(token) || this.#angled.has(token);
  }
}

function takenApart(token: string): string {
  return token.replace(/^(.)(.*)(.)$/su, '$1 $2 $3');
}

function escapeForRegExp(text: string): string {
  return text.replace(/[\\^$.*+?()[\]{}|]/gu, '\\$&');
}
