import type { Automaton, GrammarState } from '../../structured/grammar/automaton.js';
import type { TokenTable } from './token-table.js';

/** Which tokens may stand somewhere: a bit for each id. */
export type TokenSet = Uint32Array;

/** Sets that are remembered: each has an eighth of a byte for each token. */
const mostSets = 512;

const space = ' ';

/** The tokens that write something, in the order of their bytes: those that begin alike are looked at together. */
export class Vocabulary {
  readonly size: number;
  /** There is a token for each byte that UTF-8 can have. */
  readonly hasEveryByte: boolean;
  /** Bytes as characters. */
  readonly #texts: readonly string[];
  readonly #ids: Uint32Array;
  /** How many bytes each has in common with the one before it. */
  readonly #common: Uint32Array;
  readonly #byText = new Map<string, number>();
  readonly #byId: ReadonlyMap<number, string>;
  readonly #longest: number;
  readonly #sets = new Map<GrammarState, TokenSet>();

  /**
   * @param size - how many ids the model gives logits for.
   * @param without - ids that are not to be written.
   */
  constructor(table: TokenTable, size: number, without: ReadonlySet<number>) {
    this.size = size;
    const tokens: { readonly id: number; readonly text: string }[] = [];
    for (let id = 0; id < size; id++) {
      const bytes = without.has(id) ? undefined : table.bytesOf(id);
      if (bytes === undefined || bytes.length === 0) continue;
      tokens.push({ id, text: Buffer.from(bytes).toString('latin1') });
    }
    tokens.sort((a, b) => (a.text < b.text ? -1 : a.text > b.text ? 1 : a.id - b.id));
    this.#texts = tokens.map(({ text }) => text);
    this.#ids = Uint32Array.from(tokens, ({ id }) => id);
    this.#common = Uint32Array.from(tokens, ({ text }, i) => commonLength(this.#texts[i - 1] ?? '', text));
    for (const { id, text } of [...tokens].reverse()) this.#byText.set(text, id);
    this.#byId = new Map(tokens.map(({ id, text }) => [id, text]));
    this.hasEveryByte = bytesOfText().every((byte) => this.#byText.has(String.fromCharCode(byte)));
    this.#longest = tokens.reduce((most, { text }) => Math.max(most, text.length), 0);
  }

  /** The tokens that may follow. */
  allowedIn(automaton: Automaton, state: GrammarState): TokenSet {
    let allowed = this.#sets.get(state);
    if (allowed !== undefined) return allowed;
    allowed = this.#find(automaton, state);
    const oldest = this.#sets.size >= mostSets ? this.#sets.keys().next().value : undefined;
    if (oldest !== undefined) this.#sets.delete(oldest);
    this.#sets.set(state, allowed);
    return allowed;
  }

  /** Finds out anew which tokens may follow where. */
  forget(): void {
    this.#sets.clear();
  }

  /** The same at the start of a text that loses so many spaces. A token of nothing else would write nothing. */
  allowedBehindSpaces(automaton: Automaton, state: GrammarState, spaces: number): TokenSet {
    const allowed = this.#find(automaton, state);
    for (const [i, text] of this.#texts.entries()) {
      if (!text.startsWith(space)) continue;
      const rest = withoutSpaces(text, spaces);
      setBit(allowed, this.#ids[i] ?? 0, rest !== '' && readText(automaton, state, rest) !== undefined);
    }
    return allowed;
  }

  /** Bytes as characters. */
  textOf(id: number): string {
    return this.#byId.get(id) ?? '';
  }

  /** Tokens that write a text; undefined when there are none. Each writes as much of it as it can. */
  spell(text: string): readonly number[] | undefined {
    const ids: number[] = [];
    for (let from = 0; from < text.length;) {
      let length = Math.min(this.#longest, text.length - from);
      while (length > 0 && !this.#byText.has(text.slice(from, from + length))) length--;
      const id = this.#byText.get(text.slice(from, from + length));
      if (id === undefined) return undefined;
      ids.push(id);
      from += length;
    }
    return ids;
  }

  #find(automaton: Automaton, start: GrammarState): TokenSet {
    const allowed = new Uint32Array(Math.ceil(this.size / 32));
    /** Where the bytes of the token lead that was looked at last, as far as they lead anywhere. */
    const reached: GrammarState[] = [start];
    let depth = 0;
    for (const [i, text] of this.#texts.entries()) {
      const common = this.#common[i] ?? 0;
      if (common > depth) continue; // it has the byte that the one before failed at
      depth = common;
      for (let state = reached[depth]; state !== undefined && depth < text.length;) {
        state = automaton.step(state, text.charCodeAt(depth));
        if (state !== undefined) reached[++depth] = state;
      }
      if (depth === text.length) setBit(allowed, this.#ids[i] ?? 0, true);
    }
    return allowed;
  }
}

/** @param text - bytes as characters. */
export function readText(automaton: Automaton, from: GrammarState, text: string): GrammarState | undefined {
  let state: GrammarState | undefined = from;
  for (let i = 0; i < text.length && state !== undefined; i++) state = automaton.step(state, text.charCodeAt(i));
  return state;
}

export function withoutSpaces(text: string, most: number): string {
  let from = 0;
  while (from < most && text[from] === space) from++;
  return text.slice(from);
}

export function hasToken(set: TokenSet, id: number): boolean {
  return (((set[id >>> 5] ?? 0) >>> (id & 31)) & 1) === 1;
}

function setBit(set: TokenSet, id: number, on: boolean): void {
  const word = set[id >>> 5] ?? 0;
  const bit = 1 << (id & 31);
  set[id >>> 5] = on ? word | bit : word & ~bit;
}

/** Those of JSON and UTF-8, without control characters. */
function bytesOfText(): number[] {
  return Array.from({ length: 0xf5 }, (_, byte) => byte).filter((byte) => byte >= 0x20 && (byte < 0xc0 || byte > 0xc1));
}

function commonLength(a: string, b: string): number {
  let length = 0;
  while (length < a.length && a.charCodeAt(length) === b.charCodeAt(length)) length++;
  return length;
}
