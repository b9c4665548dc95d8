import { bareCallKeys, parseBareCall, type ToolCall } from '../tool-call.js';

/** Text, or a call. */
type Found = string | ToolCall;

/** Llama 3.1 may write it before a call; most engines hide it. */
const marker = '<|python_tag|>';

/**
 * Finds calls without tags around them: JSON objects that an answer begins with. An object is held back until it is
 * complete, or cannot be a call. After the first word that belongs to no call everything is text.
 */
export class BareCalls {
  #held = '';
  #isOver = false;
  /** Of the object that is held: how deep its end is nested, where it was looked at, and whether that is in a string. */
  #depth = 0;
  #at = 0;
  #inString = false;

  push(text: string): Found[] {
    if (this.#isOver) return text === '' ? [] : [text];
    const found: Found[] = [];
    this.#held += text;
    while (this.#takeNext(found));
    return found;
  }

  /** What was held back is no call. */
  flush(): string {
    const text = this.#held;
    this.#held = '';
    this.#isOver = true;
    return text;
  }

  /** @returns whether there may be another one in what is held. */
  #takeNext(found: Found[]): boolean {
    const start = startOf(this.#held);
    if (start === undefined) return false;
    const end = start === 'none' ? 'none' : this.#endFrom(start);
    if (end === undefined) return false;
    const call = start === 'none' || end === 'none' ? undefined : parseBareCall(this.#held.slice(start, end));
    if (call === undefined || end === 'none') {
      found.push(this.flush());
      return false;
    }
    found.push(call);
    this.#held = this.#held.slice(end);
    this.#depth = 0;
    this.#at = 0;
    return this.#held !== '';
  }

  /** Behind the object that begins there; undefined while it is not complete. */
  #endFrom(start: number): number | 'none' | undefined {
    if (!mayBeCall(this.#held.slice(start, start + 40))) return 'none';
    for (let at = Math.max(start, this.#at); at < this.#held.length; at++) {
      const character = this.#held[at];
      if (this.#inString) {
        if (character === '\\' && at + 1 === this.#held.length) return undefined;
        if (character === '\\') at++;
        else if (character === '"') this.#inString = false;
      } else if (character === '"') {
        this.#inString = true;
      } else if (character === '{') {
        this.#depth++;
      } else if (character === '}' && --this.#depth === 0) {
        return at + 1;
      }
      this.#at = at + 1;
    }
    return undefined;
  }
}

/** Where an object begins; undefined while that cannot be told. Calls may be separated by a semicolon or a comma. */
function startOf(text: string): number | 'none' | undefined {
  const before = /^[\s;,]*/u.exec(text)?.[0].length ?? 0;
  const rest = text.slice(before);
  if (rest === '') return undefined;
  if (rest.startsWith('{')) return before;
  if (!rest.startsWith(marker)) return marker.startsWith(rest) ? undefined : 'none';
  const behind = startOf(rest.slice(marker.length));
  return typeof behind === 'number' ? before + marker.length + behind : behind;
}

/** By its first key, as far as that is there. */
function mayBeCall(text: string): boolean {
  const [, key, rest] = /^\{\s*"(\w*)(.?)/su.exec(text) ?? [];
  if (key === undefined) return /^\{\s*$/u.test(text);
  return bareCallKeys.some((known) => (rest === '' ? known.startsWith(key) : rest === '"' && known === key));
}
