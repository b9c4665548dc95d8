import { RkllmError } from '../../errors.js';
import { compileSchema } from '../../structured/compile.js';
import { Automaton, type GrammarState } from '../../structured/grammar/automaton.js';
import type { JsonSchema } from '../../structured/validate.js';
import type { TokenChooser } from './decode-loop.js';
import type { Sampler } from './sampler.js';
import type { TokenTable } from './token-table.js';
import { hasToken, readText, Vocabulary, withoutSpaces } from './vocabulary.js';

/** Schemas whose automata are kept for the next run. */
const mostAutomata = 4;

/** Holds the answers of one model to schemas. What was found out about a schema is kept for the next answer. */
export class JsonConstraints {
  readonly #table: TokenTable;
  readonly #size: number;
  readonly #eosTokenIds: ReadonlySet<number>;
  readonly #automata = new Map<string, Automaton>();
  #vocabulary: Vocabulary | undefined;

  constructor(table: TokenTable, size: number, eosTokenIds: ReadonlySet<number>) {
    this.#table = table;
    this.#size = size;
    this.#eosTokenIds = eosTokenIds;
  }

  /**
   * @param spaces - that the answer loses at its start.
   * @param limit - tokens that the answer may have.
   * @throws RkllmError `RKLLM_RESPONSE_INVALID` when no value is that short.
   */
  chooser(schema: JsonSchema, sampler: Sampler, spaces: number, limit: number): TokenChooser {
    const key = JSON.stringify(schema);
    let automaton = this.#automata.get(key);
    if (automaton === undefined) {
      const oldest = this.#automata.size >= mostAutomata ? this.#automata.keys().next().value : undefined;
      if (oldest !== undefined) this.#automata.delete(oldest);
      automaton = new Automaton(compileSchema('generate()', schema));
      this.#automata.set(key, automaton);
    }
    this.#vocabulary ??= new Vocabulary(this.#table, this.#size, this.#eosTokenIds);
    return new ConstrainedSampler(sampler, automaton, this.#vocabulary, this.#eosTokenIds, spaces, limit);
  }
}

/**
 * Takes from the sampler only what a value of the schema may have, and sees to it that the value is complete within the
 * limit: a token after which that were not possible is not taken; the shortest end of the value is written instead.
 */
class ConstrainedSampler implements TokenChooser {
  readonly #sampler: Sampler;
  readonly #automaton: Automaton;
  readonly #vocabulary: Vocabulary;
  readonly #eosTokenIds: ReadonlySet<number>;
  #spaces: number;
  #state: GrammarState;
  /** What is left of the end that the limit has asked for. */
  #closing: number[] | undefined;

  constructor(
    sampler: Sampler,
    automaton: Automaton,
    vocabulary: Vocabulary,
    eosTokenIds: ReadonlySet<number>,
    spaces: number,
    limit: number,
  ) {
    this.#sampler = sampler;
    this.#automaton = automaton;
    this.#vocabulary = vocabulary;
    this.#eosTokenIds = eosTokenIds;
    this.#spaces = spaces;
    this.#state = automaton.start;
    const shortest = this.#shortestEnd(this.#state);
    if (shortest === undefined) throw cannotWrite();
    if (shortest.length > limit) throw tooShort(shortest.length, limit);
  }

  next(logits: Float32Array, left: number): number | undefined {
    this.#tidy();
    if (this.#closing === undefined) {
      this.#forbid(logits);
      const id = this.#sampler.next(logits);
      if (this.#eosTokenIds.has(id)) return id;
      const text = withoutSpaces(this.#vocabulary.textOf(id), this.#spaces);
      const after = readText(this.#automaton, this.#state, text);
      if (after === undefined) throw cannotWrite(); // the logits of all that may follow are no numbers
      if (this.#canEnd(after, left - 1)) {
        this.#state = after;
        this.#spaces = 0;
        return id;
      }
      this.#closing = [...(this.#shortestEnd(this.#state) ?? [])];
    }
    return this.#closing.shift();
  }

  ending(): 'eos' | 'length' | undefined {
    if (this.#closing !== undefined) return this.#closing.length === 0 ? 'length' : undefined;
    return this.#state.isOver ? 'eos' : undefined;
  }

  /** What was found out about states that are forgotten would keep them in memory. */
  #tidy(): void {
    const state = this.#automaton.tidy(this.#state);
    if (state === this.#state) return;
    this.#state = state;
    this.#vocabulary.forget();
  }

  #forbid(logits: Float32Array): void {
    const allowed =
      this.#spaces > 0
        ? this.#vocabulary.allowedBehindSpaces(this.#automaton, this.#state, this.#spaces)
        : this.#vocabulary.allowedIn(this.#automaton, this.#state);
    const mayEnd = this.#state.isComplete;
    for (let id = 0; id < logits.length; id++) {
      if (!hasToken(allowed, id) && !(mayEnd && this.#eosTokenIds.has(id))) logits[id] = -Infinity;
    }
  }

  #canEnd(state: GrammarState, left: number): boolean {
    // Every token of the end has at least one byte, where there are tokens for it.
    const end = state.shortest <= left && this.#vocabulary.hasEveryByte ? [] : this.#shortestEnd(state);
    return end !== undefined && end.length <= left;
  }

  #shortestEnd(from: GrammarState): readonly number[] | undefined {
    let text = '';
    let state = from;
    for (let byte = state.shortestByte; byte !== undefined; byte = state.shortestByte) {
      const next = this.#automaton.step(state, byte);
      if (next === undefined) return undefined;
      text += String.fromCharCode(byte);
      state = next;
    }
    return this.#vocabulary.spell(text);
  }
}

function cannotWrite(): RkllmError {
  return new RkllmError('RKLLM_RUN_FAILED', 'The model has no tokens that could write a value of the schema.', {
    hint: "Its vocabulary lacks characters of JSON: use another model, or ask without 'responseFormat'.",
  });
}

function tooShort(shortest: number, limit: number): RkllmError {
  return new RkllmError(
    'RKLLM_RESPONSE_INVALID',
    `The shortest value of the schema takes about ${String(shortest)} tokens, but there is room for ${String(limit)}.`,
    {
      hint: 'Raise maxNewTokens, shorten the prompt, or ask for less.',
      details: { shortest, limit, text: '', problems: [] },
    },
  );
}
