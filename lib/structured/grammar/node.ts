import { newId, type Terminal } from './terminal.js';

/** What a part of a value may be: a place to read from, one of several, one after the other, or one level deeper. */
export type NodeKind = 'terminal' | 'choice' | 'sequence' | 'nest';

/**
 * A rule of the grammar. Rules refer to each other in circles, so what they are made of is set after they are made, and
 * {@link measure} tells what the shortest of them are like.
 */
export class GrammarNode {
  readonly id = newId();
  readonly kind: NodeKind;
  parts: readonly GrammarNode[];
  readonly terminal: Terminal | undefined;
  /** Bytes of the shortest text. Infinity: there is none. */
  length = Infinity;
  /** How many levels that text is deep, below this one. */
  height = Infinity;

  constructor(kind: NodeKind, parts: readonly GrammarNode[], terminal?: Terminal) {
    this.kind = kind;
    this.parts = parts;
    this.terminal = terminal;
  }

  /** @returns whether the shortest text is shorter than it was known to be, or less deep. */
  measure(): boolean {
    const [length, height] = this.#shortest();
    if (length > this.length || (length === this.length && height >= this.height)) return false;
    this.length = length;
    this.height = height;
    return true;
  }

  #shortest(): readonly [length: number, height: number] {
    if (this.terminal !== undefined) return [this.terminal.shortest, 0];
    if (this.kind === 'sequence') {
      return this.parts.reduce<[number, number]>(
        ([length, height], part) => [length + part.length, Math.max(height, part.height)],
        [0, 0],
      );
    }
    const deeper = this.kind === 'nest' ? 1 : 0;
    return this.parts.reduce<[number, number]>(
      ([length, height], part) =>
        part.length < length || (part.length === length && part.height + deeper < height)
          ? [part.length, part.height + deeper]
          : [length, height],
      [Infinity, Infinity],
    );
  }
}

/** Until nothing gets shorter. In the order in which they were made: most are made of earlier ones. */
export function measureAll(nodes: readonly GrammarNode[]): void {
  for (let changed = true; changed;) {
    changed = false;
    for (const node of nodes) if (node.measure()) changed = true;
  }
}
