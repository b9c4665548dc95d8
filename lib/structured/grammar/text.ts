import { newId, type Terminal } from './terminal.js';

const quote = 0x22;
const backslash = 0x5c;
/** Stands in where a text has to have some length. */
const filler = 0x61;

/** What strings there are. */
export interface TextRules {
  /** Characters (code points) that it has at least. */
  readonly min: number;
  /** Infinity: no limit. */
  readonly max: number;
  /** A string may be written with escapes, so that there are several ways to write it. */
  readonly escapes: boolean;
}

/**
 * Where in a character a text is. `open` is before the quote that begins it, `closed` behind the one that ends it. In the
 * others some bytes of a character are left; `E0` to `F4` restrict the next one, so that UTF-8 is well-formed. `\u` never
 * writes half of a surrogate pair: after `uD` come the digits 0 to 7.
 */
type Mode = 'open' | 'body' | 'escape' | 'u4' | 'u3' | 'uD' | 'u2' | 'u1' | Continuation | 'closed';
type Continuation = 'c1' | 'c2' | 'c3' | 'E0' | 'ED' | 'F0' | 'F4';

const continuations: Readonly<Record<Continuation, { from: number; to: number; left: number }>> = {
  c1: { from: 0x80, to: 0xbf, left: 1 },
  c2: { from: 0x80, to: 0xbf, left: 2 },
  c3: { from: 0x80, to: 0xbf, left: 3 },
  E0: { from: 0xa0, to: 0xbf, left: 2 },
  ED: { from: 0x80, to: 0x9f, left: 2 },
  F0: { from: 0x90, to: 0xbf, left: 3 },
  F4: { from: 0x80, to: 0x8f, left: 3 },
};

const afterContinuation = ['body', 'c1', 'c2'] as const;

/** Digits that are left of `\u`, and what follows. */
const hexadecimal: Readonly<Partial<Record<Mode, { left: number; next: Mode }>>> = {
  u4: { left: 4, next: 'u3' },
  u3: { left: 3, next: 'u2' },
  uD: { left: 3, next: 'u2' },
  u2: { left: 2, next: 'u1' },
  u1: { left: 1, next: 'body' },
};

/** The strings of JSON, from quote to quote. */
export class Text {
  readonly #rules: TextRules;
  /** `count` in its key stops where it no longer matters. */
  readonly #places = new Map<string, TextPlace>();

  constructor(rules: TextRules) {
    this.#rules = rules;
  }

  get start(): Terminal {
    return this.at('open', 0);
  }

  at(mode: Mode, characters: number): TextPlace {
    const { min, max } = this.#rules;
    const count = max === Infinity ? Math.min(characters, min) : characters;
    const key = `${mode} ${String(count)}`;
    let place = this.#places.get(key);
    if (place === undefined) this.#places.set(key, (place = new TextPlace(this, this.#rules, mode, count)));
    return place;
  }
}

class TextPlace implements Terminal {
  readonly id = newId();
  readonly canEnd: boolean;
  readonly #text: Text;
  readonly #rules: TextRules;
  readonly #mode: Mode;
  readonly #count: number;

  constructor(text: Text, rules: TextRules, mode: Mode, count: number) {
    this.#text = text;
    this.#rules = rules;
    this.#mode = mode;
    this.#count = count;
    this.canEnd = mode === 'closed';
  }

  get shortest(): number {
    const { min } = this.#rules;
    if (this.#mode === 'closed') return 0;
    if (this.#mode === 'open') return min + 2;
    const missing = Math.max(0, min - this.#count);
    if (this.#mode === 'body') return missing + 1;
    return this.#leftOfCharacter() + Math.max(0, missing - 1) + 1;
  }

  get shortestByte(): number | undefined {
    const mode = this.#mode;
    if (mode === 'closed') return undefined;
    if (mode === 'open') return quote;
    if (mode === 'body') return this.#count < this.#rules.min ? filler : quote;
    if (mode === 'escape') return 0x6e; // n
    return isContinuation(mode) ? continuations[mode].from : 0x30;
  }

  step(byte: number): Terminal | undefined {
    const mode = this.#mode;
    const after = (next: Mode): Terminal => this.#text.at(next, this.#count);
    const character = (): Terminal => this.#text.at('body', this.#count + 1);
    if (isContinuation(mode)) {
      const { from, to, left } = continuations[mode];
      if (byte < from || byte > to) return undefined;
      return left === 1 ? character() : after(afterContinuation[left - 1] ?? 'body');
    }
    const hex = hexadecimal[mode];
    if (hex !== undefined) {
      const digit = Number.parseInt(String.fromCharCode(byte), 16);
      if (Number.isNaN(digit) || (mode === 'uD' && digit > 7)) return undefined;
      if (hex.left === 1) return character();
      return after(mode === 'u4' && digit === 0xd ? 'uD' : hex.next);
    }
    if (mode === 'open') return byte === quote ? after('body') : undefined;
    if (mode === 'closed') return undefined;
    if (mode === 'escape') {
      if (byte === 0x75) return after('u4');
      return '"\\/bfnrt'.includes(String.fromCharCode(byte)) ? character() : undefined;
    }
    if (byte === quote) return this.#count >= this.#rules.min ? after('closed') : undefined;
    if (this.#count >= this.#rules.max) return undefined;
    if (byte === backslash) return this.#rules.escapes ? after('escape') : undefined;
    if (byte < 0x80) return byte >= 0x20 ? character() : undefined;
    const lead = continuationOf(byte);
    return lead === undefined ? undefined : after(lead);
  }

  #leftOfCharacter(): number {
    const mode = this.#mode;
    if (isContinuation(mode)) return continuations[mode].left;
    return hexadecimal[mode]?.left ?? 1;
  }
}

function isContinuation(mode: Mode): mode is Continuation {
  return mode in continuations;
}

/** What has to follow the first byte of a character of several. */
function continuationOf(byte: number): Continuation | undefined {
  if (byte >= 0xc2 && byte <= 0xdf) return 'c1';
  if (byte === 0xe0) return 'E0';
  if (byte === 0xed) return 'ED';
  if (byte >= 0xe1 && byte <= 0xef) return 'c2';
  if (byte === 0xf0) return 'F0';
  if (byte === 0xf4) return 'F4';
  return byte >= 0xf1 && byte <= 0xf3 ? 'c3' : undefined;
}
