import type { GrammarNode } from './node.js';
import { newId, type Terminal } from './terminal.js';

/** Levels that a value is nested at most. */
export const mostLevels = 64;

/** States that are remembered from one token to the next; beyond, all but the one in use are made again. */
const mostRemembered = 50_000;

/** What has to be read: a rule or a place within something, and then what is below it on the stack. */
class Cell {
  readonly id = newId();
  readonly what: GrammarNode | Terminal;
  readonly next: Cell | undefined;
  readonly depth: number;
  readonly #above = new Map<number, Cell>();
  #shortest: number | undefined;

  constructor(what: GrammarNode | Terminal, next: Cell | undefined, depth: number) {
    this.what = what;
    this.next = next;
    this.depth = depth;
  }

  /** Bytes of the shortest way to the end of everything. */
  get shortest(): number {
    if (this.next === undefined) return 0; // the bottom stands for the end
    const own = isTerminal(this.what) ? this.what.shortest : this.what.length;
    return (this.#shortest ??= own + this.next.shortest);
  }

  /** The same cell on this one is the same object. */
  push(what: GrammarNode | Terminal, depth: number): Cell {
    const key = what.id * (mostLevels + 2) + depth;
    let cell = this.#above.get(key);
    if (cell === undefined) this.#above.set(key, (cell = new Cell(what, this, depth)));
    return cell;
  }
}

/** Everything that may be going on after what has been read. */
export class GrammarState {
  readonly cells: readonly TerminalCell[];
  /** What has been read is a value. */
  readonly isComplete: boolean;
  readonly #steps = new Map<number, GrammarState | undefined>();

  constructor(cells: readonly TerminalCell[], isComplete: boolean) {
    this.cells = cells;
    this.isComplete = isComplete;
  }

  /** Nothing can follow. */
  get isOver(): boolean {
    return this.cells.length === 0;
  }

  /** Bytes of the shortest way to a value. */
  get shortest(): number {
    return this.isComplete ? 0 : Math.min(...this.cells.map(({ shortest }) => shortest));
  }

  /** The first byte of it; undefined where there is nothing left to write. */
  get shortestByte(): number | undefined {
    if (this.isComplete) return undefined;
    // Where one may be over, what is below it is there, too.
    const ways = this.cells.filter(({ what }) => what.shortestByte !== undefined);
    const best = ways.reduce<TerminalCell | undefined>(
      (least, cell) => (least === undefined || cell.shortest < least.shortest ? cell : least),
      undefined,
    );
    return best?.what.shortestByte;
  }

  remembered(byte: number, make: () => GrammarState | undefined): GrammarState | undefined {
    const known = this.#steps.get(byte);
    if (known !== undefined || this.#steps.has(byte)) return known;
    const made = make();
    this.#steps.set(byte, made);
    return made;
  }
}

type TerminalCell = Cell & { readonly what: Terminal };

/**
 * Reads the bytes of a value. All that may be going on is followed at the same time; the same situation is the same state,
 * so that what was found out about one (its steps, which tokens may follow) is found out once.
 */
export class Automaton {
  readonly #root: GrammarNode;
  readonly #mostStates: number;
  /** Below everything. */
  #bottom: Cell;
  #states = new Map<string, GrammarState>();
  #start: GrammarState | undefined;

  constructor(root: GrammarNode, mostStates = mostRemembered) {
    this.#root = root;
    this.#mostStates = mostStates;
    this.#bottom = new Cell(root, undefined, 0);
  }

  /** States that are remembered. */
  get size(): number {
    return this.#states.size;
  }

  get start(): GrammarState {
    return (this.#start ??= this.#stateOf([this.#bottom.push(this.#root, 0)]));
  }

  step(state: GrammarState, byte: number): GrammarState | undefined {
    return state.remembered(byte, () => {
      const cells: Cell[] = [];
      for (const { what, next, depth } of state.cells) {
        const after = what.step(byte);
        if (after !== undefined && next !== undefined) cells.push(next.push(after, depth));
      }
      if (cells.length === 0) return undefined;
      const reached = this.#stateOf(cells);
      return reached.isOver && !reached.isComplete ? undefined : reached;
    });
  }

  /**
   * Between two tokens: a long answer must not fill the memory. Where there are too many states all are forgotten.
   *
   * @param state - where the answer is.
   * @returns the same place, from which none of the forgotten states can be reached: go on from there, and keep none of
   * the others.
   */
  tidy(state: GrammarState): GrammarState {
    if (this.size <= this.#mostStates) return state;
    this.#states = new Map();
    this.#start = undefined;
    this.#bottom = new Cell(this.#root, undefined, 0);
    return this.#stateOf(state.cells.map((cell) => this.#madeAgain(cell)));
  }

  /** The same stack on the new bottom. */
  #madeAgain(top: Cell): Cell {
    const stack: Cell[] = [];
    for (let cell = top; cell.next !== undefined; cell = cell.next) stack.push(cell);
    return stack.reduceRight((below, { what, depth }) => below.push(what, depth), this.#bottom);
  }

  #stateOf(cells: readonly Cell[]): GrammarState {
    const reached = new Set<Cell>();
    const terminals: TerminalCell[] = [];
    let isComplete = false;
    // A stack of its own: schemas may be nested deeper than calls.
    const open = [...cells];
    for (let cell = open.pop(); cell !== undefined; cell = open.pop()) {
      if (reached.has(cell)) continue;
      reached.add(cell);
      const { what, next, depth } = cell;
      if (next === undefined) {
        isComplete = true;
      } else if (isTerminal(what)) {
        terminals.push(cell as TerminalCell);
        if (what.canEnd) open.push(next);
      } else if (depth + what.height <= mostLevels) {
        open.push(...expand(what, next, depth));
      }
    }
    terminals.sort((a, b) => a.id - b.id);
    const key = `${isComplete ? '!' : ''}${terminals.map(({ id }) => id).join(' ')}`;
    let state = this.#states.get(key);
    if (state === undefined) this.#states.set(key, (state = new GrammarState(terminals, isComplete)));
    return state;
  }
}

function expand(node: GrammarNode, next: Cell, depth: number): readonly Cell[] {
  if (node.terminal !== undefined) return [next.push(node.terminal, depth)];
  if (node.kind === 'choice') return node.parts.map((part) => next.push(part, depth));
  if (node.kind === 'nest') return node.parts.map((part) => next.push(part, depth + 1));
  return [node.parts.reduceRight((below, part) => below.push(part, depth), next)];
}

function isTerminal(what: GrammarNode | Terminal): what is Terminal {
  return 'step' in what;
}
