import type { Usage } from '../usage.js';

/** A beginning of prompts, and how many tokens it is. */
interface Measured {
  readonly text: string;
  readonly tokens: number;
}

/** Twice as many as a conversation of one turn has; the texts themselves are those of its messages. */
const mostMeasured = 32;
const mostRatios = 16;

/** Shorter texts say little about others. */
const leastWeight = 32;

/** The next text may have shorter tokens than those that were seen. */
const margin = 1.25;

/** For a token at the start that no text shows, and what releases before 1.2.1 keep of the context for themselves. */
const overhead = 4;

/**
 * How many tokens a text has, for an engine that cannot be asked: rather too many than too few. What was measured of
 * earlier answers and prompts is used as it is; the rest is weighed by its characters, and the weights are corrected by
 * what the model's own answers weigh.
 */
export class TokenEstimator {
  #measured: Measured[] = [];
  /** Tokens to weight. */
  #ratios: number[] = [];

  estimate(text: string): number {
    return this.#count(text) + overhead;
  }

  /** Learns from an answer and from what the engine told of its prompt. */
  learn(prompt: string, answer: string, { inputTokens, outputTokens }: Usage): void {
    const promptTokens = inputTokens ?? this.#count(prompt);
    this.#measure({ text: prompt + answer, tokens: promptTokens + outputTokens });
    this.#compare(answer, outputTokens);
    if (inputTokens === undefined) return;
    this.#measure({ text: prompt, tokens: inputTokens });
    this.#compare(prompt, inputTokens);
  }

  #count(text: string): number {
    let known: Measured = { text: '', tokens: 0 };
    for (const measured of this.#measured) {
      if (measured.text.length > known.text.length && text.startsWith(measured.text)) known = measured;
    }
    const factor = this.#ratios.length === 0 ? 1 : margin * Math.max(...this.#ratios);
    return known.tokens + Math.ceil(factor * weigh(text.slice(known.text.length)));
  }

  #measure(measured: Measured): void {
    this.#measured = [measured, ...this.#measured.filter(({ text }) => text !== measured.text)].slice(0, mostMeasured);
  }

  #compare(text: string, tokens: number): void {
    const weight = weigh(text);
    if (weight >= leastWeight) this.#ratios = [tokens / weight, ...this.#ratios].slice(0, mostRatios);
  }
}

/**
 * Tokens of a text if nothing is known of the tokenizer. Those of 32,000 tokens, as Phi-3's, take four to five letters of
 * English for one, each digit and sign by itself, one or two letters of other alphabets, and the bytes of rare characters.
 */
function weigh(text: string): number {
  let weight = 0;
  for (const character of text) weight += weightOf(character, character.codePointAt(0) ?? 0);
  return weight;
}

function weightOf(character: string, codePoint: number): number {
  if (codePoint < 0x80) return /[a-z ]/iu.test(character) ? 1 / 3 : 1;
  if (codePoint < 0x800) return 1;
  return codePoint < 0x10000 ? 2 : 4;
}
