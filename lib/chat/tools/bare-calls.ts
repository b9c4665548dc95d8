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
  /** What stands before the object. */
  #before = '';
  /** What has been read of the object. Looked at as a whole only when it is complete: it may be long. */
  #object = '';
  /** What has not been read. */
  #held = '';
  #isOver = false;
  /** Of the object: how deep its end is nested, and whether what comes next is in a string. */
  #depth = 0;
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
    const text = this.#before + this.#object + this.#held;
    this.#before = '';
    this.#object = '';
    this.#held = '';
    this.#isOver = true;
    return text;
  }

  /** @returns whether there may be another one in what is held. */
  #takeNext(found: Found[]): boolean {
    if (this.#object === '') this.#skip();
    if (this.#object === '' && marker.startsWith(this.#held)) return false;
    const isPossible = this.#object.length >= mostOfKey || mayBeCall((this.#object + this.#held).slice(0, mostOfKey));
    if (isPossible && !this.#read()) return false;
    const call = isPossible ? parseBareCall(this.#object) : undefined;
    if (call === undefined) {
      found.push(this.flush());
      return false;
    }
    found.push(call);
    this.#before = '';
    this.#object = '';
    return this.#held !== '';
  }

  /** Calls may be separated by a semicolon or a comma. */
  #skip(): void {
    let at = 0;
    for (;;) {
      while (/[\s;,]/u.test(this.#held.charAt(at))) at++;
      if (!this.#held.startsWith(marker, at)) break;
      at += marker.length;
    }
    this.#before += this.#held.slice(0, at);
    this.#held = this.#held.slice(at);
  }

  /** @returns whether the object is complete. */
  #read(): boolean {
    let at = 0;
    let isComplete = false;
    for (; at < this.#held.length && !isComplete; at++) {
      const character = this.#held[at];
      if (this.#inString) {
        if (character === '\\' && at + 1 === this.#held.length) break;
        if (character === '\\') at++;
        else if (character === '"') this.#inString = false;
      } else if (character === '"') {
        this.#inString = true;
      } else if (character === '{') {
        this.#depth++;
      } else if (character === '}') {
        isComplete = --this.#depth === 0;
      }
    }
    this.#object += this.#held.slice(0, at);
    this.#held = this.#held.slice(at);
    return isComplete;
  }
}

/** Its beginning, with white space, in which the first key of a call has to stand. */
const mostOfKey = 40;

/** By its first key, as far as that is there. */
function mayBeCall(text: string): boolean {
  const [, key, rest] = /^\{\s*"(\w*)(.?)/su.exec(text) ?? [];
  if (key === undefined) return /^\{\s*$/u.test(text);
  return bareCallKeys.some((known) => (rest === '' ? known.startsWith(key) : rest === '"' && known === key));
}
