import { StringDecoder } from 'node:string_decoder';
import type { TokenBatch } from './backends/backend.js';
import { StopMatcher } from './chat/stop-matcher.js';
import { TagSplitter, type Piece, type Splits } from './chat/tag-splitter.js';
import type { ToolCall } from './chat/tool-call.js';
import type { Chunk } from './generation.js';

/** What ends an answer, besides the engine. */
export interface AnswerEnds {
  /** Output limit in tokens. */
  readonly maxNewTokens: number | undefined;
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
  /** Splits and replaces like a streaming TextDecoder, at a fraction of the cost and with one-byte strings. */
  readonly #decoder = new StringDecoder('utf8');
  readonly #stopMatcher: StopMatcher;
  /** Absent where all of the answer is text. */
  readonly #splitter: TagSplitter | undefined;
  #ending: Ending | undefined;
  #text = '';
  #reasoning: string | undefined;
  #toolCalls: ToolCall[] = [];
  #outputTokens = 0;
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

  /** Nothing more is taken. */
  isOver(): boolean {
    return this.#ending !== undefined || this.reachedLimit;
  }

  /** Takes the tokens of a batch from `from` up to `to`, as far as they belong to the answer; returns how many did. */
  take(batch: TokenBatch, from: number, to: number): number {
    if (this.isOver()) return 0;
    const { tokenIds } = batch;
    const limit = Math.min(to, from + (this.#ends.maxNewTokens ?? Infinity) - this.#outputTokens);
    const stopAt = this.#stopTokenIn(tokenIds, from, limit);
    const end = stopAt ?? limit;
    if (this.#splitter === undefined) {
      if (end > from) this.#takeAll(batch, from, end);
    } else {
      // One by one, so that each token comes with what it is part of.
      for (let i = from; i < end && this.#ending === undefined; i++) this.#takeAll(batch, i, i + 1);
    }
    if (stopAt !== undefined) this.#ending ??= 'stop-token';
    return end - from;
  }

  #takeAll({ tokenIds, ends, bytes }: TokenBatch, from: number, to: number): void {
    this.#outputTokens += to - from;
    this.#heldTokenIds = appended(this.#heldTokenIds, tokenIds, from, to);
    this.#write(this.#decoder.write(bytes.subarray(ends[from - 1], ends[to - 1])));
  }

  /** What was held back comes out. An answer that is not complete and was cut inside a character ends before it. */
  flush(complete: boolean): void {
    if (this.#hasTextLeft()) this.#write(complete ? this.#decoder.end() : '');
    if (this.#hasTextLeft()) this.#emit(this.#stopMatcher.flush());
    for (const piece of this.#splitter?.flush() ?? []) this.#pushPiece(piece);
    if (this.#heldTokenIds.length > 0) this.#pushText('');
  }

  /** After a text that ended it there is none. */
  #hasTextLeft(): boolean {
    return this.#ending === undefined || this.#ending === 'stop-token';
  }

  #write(piece: string): void {
    const { text, matched } = this.#stopMatcher.push(piece);
    this.#emit(text);
    if (matched === undefined) return;
    this.#ending = this.#ends.stop.includes(matched) ? { stopSequence: matched } : 'end-marker';
  }

  #emit(text: string): void {
    if (text === '') return;
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
