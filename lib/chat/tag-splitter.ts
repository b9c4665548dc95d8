import { beginningAtEndOf } from './stop-matcher.js';
import { parseToolCall, type ToolCall } from './tool-call.js';

/** A piece of an answer, and what it is. */
export type Piece =
  | { readonly type: 'text' | 'reasoning'; readonly text: string }
  | { readonly type: 'tool-call'; readonly call: ToolCall };

export interface Splits {
  /** `open`: the prompt ends inside the reasoning already. */
  readonly reasoning: 'text' | 'split' | 'open';
  readonly toolCalls: 'text' | 'parse';
}

const thinking = { open: '<think>', close: '</think>' } as const;
const calling = { open: '<tool_call>', close: '</tool_call>' } as const;

/**
 * Tells reasoning and tool calls from the text of an answer that arrives in pieces. What could be part of a tag is held
 * back, and so is a tool call until it is complete. Tags are hidden; everything else comes out as it was written.
 */
export class TagSplitter {
  readonly #tags: readonly (typeof thinking | typeof calling)[];
  #inside: typeof thinking | typeof calling | undefined;
  #held = '';
  /** What a tool call has so far. */
  #json = '';

  constructor({ reasoning, toolCalls }: Splits) {
    this.#tags = [...(reasoning === 'text' ? [] : [thinking]), ...(toolCalls === 'text' ? [] : [calling])];
    this.#inside = reasoning === 'open' ? thinking : undefined;
  }

  /** Takes the next piece of the answer. */
  push(text: string): Piece[] {
    let rest = this.#held + text;
    const pieces: Piece[] = [];
    for (;;) {
      const next = this.#nextTagIn(rest);
      if (next === undefined) break;
      this.#release(rest.slice(0, next.index), pieces);
      if (this.#inside === calling) pieces.push(this.#takeCall());
      this.#inside = next.inside;
      rest = rest.slice(next.index + next.tag.length);
    }
    const keep = beginningAtEndOf(rest, this.#expected());
    this.#held = rest.slice(rest.length - keep);
    this.#release(rest.slice(0, rest.length - keep), pieces);
    return pieces;
  }

  /** The answer is over: what was held back is no tag, and a tool call that is not complete is text. */
  flush(): Piece[] {
    const pieces: Piece[] = [];
    this.#release(this.#held, pieces);
    this.#held = '';
    if (this.#inside === calling) pieces.push({ type: 'text', text: calling.open + this.#json });
    this.#inside = undefined;
    return pieces;
  }

  /** The tags that mean something here. Inside reasoning, or a call, only its end does. */
  #expected(): readonly string[] {
    return this.#inside === undefined ? this.#tags.map(({ open }) => open) : [this.#inside.close];
  }

  #nextTagIn(
    text: string,
  ): { index: number; tag: string; inside: typeof thinking | typeof calling | undefined } | undefined {
    const found = this.#expected()
      .map((tag) => ({ tag, index: text.indexOf(tag) }))
      .filter(({ index }) => index >= 0)
      .sort((a, b) => a.index - b.index)[0];
    return found && { ...found, inside: this.#tags.find(({ open }) => open === found.tag) };
  }

  #release(text: string, pieces: Piece[]): void {
    if (this.#inside === calling) this.#json += text;
    else if (text !== '') pieces.push({ type: this.#inside === thinking ? 'reasoning' : 'text', text });
  }

  #takeCall(): Piece {
    const json = this.#json;
    this.#json = '';
    const call = parseToolCall(json);
    return call === undefined
      ? { type: 'text', text: calling.open + json + calling.close }
      : { type: 'tool-call', call };
  }
}
