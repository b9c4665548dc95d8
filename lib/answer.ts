import type { TokenBatch } from './backends/backend.js';
import { StopMatcher, type Released } from './chat/stop-matcher.js';
import { TagSplitter, type Piece, type Splits } from './chat/tag-splitter.js';
import type { ToolCall } from './chat/tool-call.js';
import type { Chunk } from './generation.js';
import { TokenDecoder } from './token-decoder.js';

/** What ends an answer, besides the engine. */
export interface AnswerEnds {
  /** Output limit in tokens. */
  readonly maxNewTokens: number | undefined;
  /** Tokens of reasoning at which it is cut; undefined: it never is. */
  readonly maxReasoningTokens: number | undefined;
  /** Texts that the caller wants the answer to end at. */
  readonly stop: readonly string[];
  /** Texts at which the model means the answer to end; an engine should stop by itself there, but not all do. */
  readonly endMarkers: readonly string[];
  readonly stopTokenIds: readonly number[];
}

/** What came up in the answer that ends it: a stop sequence, or the model's own end. */
type Ending = { readonly stopSequence: string } | 'end-marker' | 'stop-token';

/** An answer as it is written: from the engine's bytes over characters, stop sequences and tags to chunks. */
export class Answer {
  readonly #ends: AnswerEnds;
  readonly #stopTokenIds: ReadonlySet<number>;
  readonly #push: (chunk: Chunk) => void;
  #decoder = new TokenDecoder();
  readonly #stopMatcher: StopMatcher;
  /** Absent where all of the answer is text. */
  readonly #splitter: TagSplitter | undefined;
  #ending: Ending | undefined;
  #text = '';
  #reasoning: string | undefined;
  #toolCalls: ToolCall[] = [];
  #outputTokens = 0;
  #reasoningTokens = 0;
  #reasoningTruncated = false;
  /** All that the model wrote, tags included; only where the reasoning may be cut. */
  #written = '';
  /** Tokens whose text is not out yet: a character is not complete, or it may be part of a stop sequence. */
  #heldTokenIds: number[] = [];

  constructor(ends: AnswerEnds, splits: Splits, push: (chunk: Chunk) => void) {
    this.#ends = ends;
    this.#stopTokenIds = new Set(ends.stopTokenIds);
    this.#stopMatcher = new StopMatcher([...ends.stop, ...ends.endMarkers]);
    const isPlain = splits.reasoning === 'text' && splits.toolCalls === 'text';
    this.#splitter = isPlain ? undefined : new TagSplitter(splits);
    this.#push = push;
  }

  get text(): string {
    return this.#text;
  }

  /** Undefined when there was none. */
  get reasoning(): string | undefined {
    return this.#reasoning;
  }

  get toolCalls(): readonly ToolCall[] {
    return this.#toolCalls;
  }

  get outputTokens(): number {
    return this.#outputTokens;
  }

  get stopSequence(): string | undefined {
    return typeof this.#ending === 'object' ? this.#ending.stopSequence : undefined;
  }

  /** An end marker or a stop token came up: the model has ended its answer. */
  get endedByModel(): boolean {
    return this.#ending === 'end-marker' || this.#ending === 'stop-token';
  }

  get reachedLimit(): boolean {
    return this.#outputTokens >= (this.#ends.maxNewTokens ?? Infinity);
  }

  /** The reasoning has been cut, and the answer follows all the same. */
  get reasoningTruncated(): boolean {
    return this.#reasoningTruncated;
  }

  /** The reasoning has had its tokens and goes on; {@link cutReasoning} ends that. */
  get thinksTooLong(): boolean {
    const { maxReasoningTokens: most } = this.#ends;
    if (most === undefined || this.#reasoningTruncated || this.isOver()) return false;
    return this.#splitter?.isThinking === true && this.#reasoningTokens >= most;
  }

  /** Tokens that come now are none of it. */
  takesNothing(): boolean {
    return this.isOver() || this.thinksTooLong;
  }

  /** It is complete. */
  isOver(): boolean {
    return this.#ending !== undefined || this.reachedLimit;
  }

  /** Takes the tokens of a batch from `from` up to `to`, as far as they belong to the answer; returns how many did. */
  take(batch: TokenBatch, from: number, to: number): number {
    if (this.takesNothing()) return 0;
    const { tokenIds } = batch;
    const limit = Math.min(to, from + (this.#ends.maxNewTokens ?? Infinity) - this.#outputTokens);
    const stopAt = this.#stopTokenIn(tokenIds, from, limit);
    const end = stopAt ?? limit;
    // With tags one by one, so that each token comes with what it is part of.
    const step = this.#splitter === undefined ? end - from : 1;
    let next = from;
    while (next < end && this.#ending === undefined && !this.thinksTooLong) {
      next += this.#takeAll(batch, next, next + step);
    }
    if (stopAt !== undefined && !this.thinksTooLong) this.#ending ??= 'stop-token';
    return next - from;
  }

  /** Those after the token that completes a stop sequence do not belong to the answer. */
  #takeAll(batch: TokenBatch, from: number, to: number): number {
    const text = this.#decoder.decode(batch, from, to);
    const released = this.#stopMatcher.push(text);
    const { matched, unread } = released;
    const taken = matched === undefined ? to - from : this.#decoder.tokensFor(text.length - unread, batch, from, to);
    if (this.#splitter?.isThinking === true) this.#reasoningTokens += taken;
    this.#outputTokens += taken;
    this.#heldTokenIds = appended(this.#heldTokenIds, batch.tokenIds, from, from + taken);
    this.#release(released);
    return taken;
  }

  /**
   * Ends the reasoning that has had its tokens. What follows is the answer, from another run of the engine.
   *
   * @returns all that the model has written, up to there. A character that is not complete is left out.
   */
  cutReasoning(): string {
    this.#emit(this.#stopMatcher.flush());
    this.#decoder = new TokenDecoder();
    const dropped = this.#splitter?.endReasoning() ?? 0;
    this.#reasoningTruncated = true;
    return this.#written.slice(0, this.#written.length - dropped);
  }

  /** What was held back comes out. An answer that is not complete and was cut inside a character ends before it. */
  flush(complete: boolean): void {
    if (this.#hasTextLeft()) this.#release(this.#stopMatcher.push(complete ? this.#decoder.end() : ''));
    if (this.#hasTextLeft()) this.#emit(this.#stopMatcher.flush());
    for (const piece of this.#splitter?.flush() ?? []) this.#pushPiece(piece);
    if (this.#heldTokenIds.length > 0) this.#pushText('');
  }

  /** After a text that ended it there is none. */
  #hasTextLeft(): boolean {
    return this.#ending === undefined || this.#ending === 'stop-token';
  }

  #release({ text, matched }: Released): void {
    this.#emit(text);
    if (matched === undefined) return;
    this.#ending = this.#ends.stop.includes(matched) ? { stopSequence: matched } : 'end-marker';
  }

  #emit(text: string): void {
    if (text === '') return;
    if (this.#ends.maxReasoningTokens !== undefined) this.#written += text;
    if (this.#splitter === undefined) this.#pushText(text);
    else for (const piece of this.#splitter.push(text)) this.#pushPiece(piece);
  }

  #pushPiece(piece: Piece): void {
    if (piece.type === 'tool-call') {
      this.#toolCalls.push(piece.call);
      this.#push({ type: 'tool-call', call: piece.call, tokenIds: this.#takeHeldTokenIds() });
    } else if (piece.type === 'text') {
      this.#pushText(piece.text);
    } else {
      this.#reasoning = (this.#reasoning ?? '') + piece.text;
      this.#push({ type: 'reasoning', text: piece.text, tokenIds: this.#takeHeldTokenIds() });
    }
  }

  #pushText(text: string): void {
    this.#text += text;
    this.#push({ type: 'text', text, tokenIds: this.#takeHeldTokenIds() });
  }

  #takeHeldTokenIds(): readonly number[] {
    const tokenIds = this.#heldTokenIds;
    this.#heldTokenIds = [];
    return tokenIds;
  }

  #stopTokenIn(tokenIds: Int32Array, from: number, to: number): number | undefined {
    if (this.#stopTokenIds.size === 0) return undefined;
    for (let i = from; i < to; i++) if (this.#stopTokenIds.has(tokenIds[i] ?? -1)) return i;
    return undefined;
  }
}

/** Of the right size from the start: pushing one by one costs several times as much in a flood. */
function appended(held: number[], tokenIds: Int32Array, from: number, to: number): number[] {
  const offset = held.length - from;
  const ids = held.length > 0 ? held : new Array<number>(to - from);
  for (let i = from; i < to; i++) ids[i + offset] = tokenIds[i] ?? 0;
  return ids;
}
