import { GrammarNode } from './node.js';
import { Numerals, rangeOf, type NumberLimits } from './number.js';
import { literal, type Terminal } from './terminal.js';
import { Text } from './text.js';

/** Far more than a schema that a model could follow. */
const mostRules = 100_000;

/** Thrown when a schema has too many rules. */
export class TooManyRules extends Error {}

/**
 * Makes rules. Between two tokens of JSON there is no white space but at most one space after a comma and after a colon:
 * as models write it on one line, and bounded, so that none fills its answer with it.
 */
export class Rules {
  readonly all: GrammarNode[] = [];
  readonly comma = this.#withSpace(',');
  readonly opensObject = this.literal('{');
  readonly closesObject = this.literal('}');
  readonly opensArray = this.literal('[');
  readonly closesArray = this.literal(']');
  readonly colon = this.#withSpace(':');
  readonly nothing = this.sequence();

  terminal(terminal: Terminal): GrammarNode {
    return this.#keep(new GrammarNode('terminal', [], terminal));
  }

  literal(text: string): GrammarNode {
    return this.terminal(literal(text));
  }

  choice(...options: readonly GrammarNode[]): GrammarNode {
    return this.#keep(new GrammarNode('choice', options));
  }

  sequence(...parts: readonly GrammarNode[]): GrammarNode {
    return this.#keep(new GrammarNode('sequence', parts));
  }

  /** One level deeper. */
  nest(inner: GrammarNode): GrammarNode {
    return this.#keep(new GrammarNode('nest', [inner]));
  }

  text(min: number, max: number): GrammarNode {
    return this.terminal(new Text({ min, max, escapes: true }).start);
  }

  number(isInteger: boolean, limits: NumberLimits): GrammarNode {
    const start = new Numerals(rangeOf(isInteger, limits)).start;
    return start === undefined ? this.choice() : this.terminal(start);
  }

  #withSpace(text: string): GrammarNode {
    return this.sequence(this.literal(text), this.choice(this.sequence(), this.literal(' ')));
  }

  #keep(node: GrammarNode): GrammarNode {
    if (this.all.length >= mostRules) throw new TooManyRules();
    this.all.push(node);
    return node;
  }
}
