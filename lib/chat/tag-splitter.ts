import { beginningAtEndOf } from './stop-matcher.js';
import { parseToolCall, salvageCall, type ToolCall } from './tool-call.js';
import { BareCalls } from './tools/bare-calls.js';
import type { ToolSet } from './tools/tool-set.js';

/** A piece of an answer, and what it is. */
export type Piece =
  | { readonly type: 'text' | 'reasoning'; readonly text: string }
  | { readonly type: 'tool-call'; readonly call: ToolCall };

export interface Splits {
  /** `open`: the prompt ends inside the reasoning already. */
  readonly reasoning: 'text' | 'split' | 'open';
  readonly toolCalls: 'text' | 'parse';
  /** What the model may call: its calls are compared with that. */
  readonly tools?: ToolSet | undefined;
  /** An answer may begin with calls that have no tags. */
  readonly bareCalls?: boolean | undefined;
}

/** What stands around reasoning. */
export const thinking = { open: '<think>', close: '</think>' } as const;
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
  readonly #tools: ToolSet | undefined;
  readonly #bareCalls: BareCalls | undefined;

  constructor({ reasoning, toolCalls, tools, bareCalls = false }: Splits) {
    this.#tools = tools;
    this.#bareCalls = bareCalls && toolCalls === 'parse' ? new BareCalls() : undefined;
    this.#tags = [...(reasoning === 'text' ? [] : [thinking]), ...(toolCalls === 'text' ? [] : [calling])];
    this.#inside = reasoning === 'open' ? thinking : undefined;
  }

  /** What comes next is reasoning. */
  get isThinking(): boolean {
    return this.#inside === thinking;
  }

  /** Takes the next piece of the answer. */
  push(text: string): Piece[] {
    let rest = this.#held + text;
    const pieces: Piece[] = [];
    for (;;) {
      const next = this.#nextTagIn(rest);
      if (next === undefined) break;
      this.#release(rest.slice(0, next.index), pieces);
      // Behind an open object comes a tag of another call: it was none. Reasoning stands before everything.
      if (next.inside === calling) this.#endBareCalls(pieces);
      if (this.#inside === calling) pieces.push(this.#takeCall());
      this.#inside = next.inside;
      rest = rest.slice(next.index + next.tag.length);
    }
    const keep = beginningAtEndOf(rest, this.#expected());
    this.#held = rest.slice(rest.length - keep);
    this.#release(rest.slice(0, rest.length - keep), pieces);
    return pieces;
  }

  /**
   * The reasoning is over, without the model's end of it: what comes next is text.
   *
   * @returns how much of the end of what was pushed has been held back, and is dropped: the beginning of that end.
   */
  endReasoning(): number {
    const { length } = this.#held;
    this.#held = '';
    this.#inside = undefined;
    return length;
  }

  /** The answer is over: what was held back is no tag, and a tool call that is not complete is text. */
  flush(): Piece[] {
    const pieces: Piece[] = [];
    this.#release(this.#held, pieces);
    this.#held = '';
    this.#endBareCalls(pieces);
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
    else if (this.#inside === thinking) pieces.push(...(text === '' ? [] : [{ type: 'reasoning', text } as const]));
    else if (this.#bareCalls === undefined) pushText(text, pieces);
    else {
      for (const found of this.#bareCalls.push(text)) {
        if (typeof found === 'string') pushText(found, pieces);
        else pieces.push({ type: 'tool-call', call: this.#checked(found) });
      }
    }
  }

  #endBareCalls(pieces: Piece[]): void {
    pushText(this.#bareCalls?.flush() ?? '', pieces);
  }

  #checked(call: ToolCall): ToolCall {
    return this.#tools?.checked(call) ?? call;
  }

  #takeCall(): Piece {
    const json = this.#json;
    this.#json = '';
    const call = parseToolCall(json) ?? (this.#tools && salvageCall(json));
    return call === undefined
      ? { type: 'text', text: calling.open + json + calling.close }
      : { type: 'tool-call', call: this.#checked(call) };
  }
}

function pushText(text: string, pieces: Piece[]): void {
  if (text !== '') pieces.push({ type: 'text', text });
}
