import { newId, Places, type Terminal } from './terminal.js';
import { Text } from './text.js';

const quote = 0x22;

/** Enough to get away from any list of names: the quote, letters, and what may be within a character. */
const waysOut: readonly number[] = [quote, ...rangeFrom(0x61, 26), ...rangeFrom(0x80, 64)];

/**
 * Names of properties that the schema does not name, from quote to quote. They have no escapes: so what is written tells
 * whether it is a name that must not come a second time.
 */
export class OtherKeys {
  readonly start: Terminal;
  /** As they are written, in bytes as characters, without the quote at the end. */
  readonly #taken: ReadonlySet<string>;
  readonly #beginnings: ReadonlySet<string>;
  readonly #inner = new Map<string, Terminal>();
  readonly #places = new Places((written) => new KeyPlace(this, written, this.#inner.get(written) ?? this.start));

  constructor(names: readonly string[]) {
    this.#taken = new Set(names.map((name) => Buffer.from(`"${name}`, 'utf8').toString('latin1')));
    this.#beginnings = new Set(
      [...this.#taken].flatMap((name) => rangeFrom(0, name.length).map((i) => name.slice(0, i + 1))),
    );
    this.start = new KeyPlace(this, '', new Text({ min: 1, max: Infinity, escapes: false }).start);
  }

  /** The place behind what was written; what it was matters only while it may become a name that is taken. */
  after(written: string, inner: Terminal): Terminal {
    if (!this.#beginnings.has(written)) return inner;
    this.#inner.set(written, inner);
    return this.#places.at(written);
  }

  isTaken(written: string): boolean {
    return this.#taken.has(written);
  }
}

class KeyPlace implements Terminal {
  readonly id = newId();
  readonly canEnd = false;
  readonly #keys: OtherKeys;
  readonly #written: string;
  readonly #inner: Terminal;
  #way: { readonly byte: number; readonly length: number } | undefined;

  constructor(keys: OtherKeys, written: string, inner: Terminal) {
    this.#keys = keys;
    this.#written = written;
    this.#inner = inner;
  }

  get shortest(): number {
    return (this.#way ??= this.#findWay()).length;
  }

  get shortestByte(): number | undefined {
    return (this.#way ??= this.#findWay()).byte;
  }

  step(byte: number): Terminal | undefined {
    const inner = this.#inner.step(byte);
    if (inner === undefined || (inner.canEnd && this.#keys.isTaken(this.#written))) return undefined;
    return this.#keys.after(this.#written + String.fromCharCode(byte), inner);
  }

  /** Breadth first. There is one: names are finite. */
  #findWay(): { readonly byte: number; readonly length: number } {
    let reached: { readonly byte: number; readonly place: Terminal }[] = [];
    for (const byte of waysOut) {
      const place = this.step(byte);
      if (place !== undefined) reached.push({ byte, place });
    }
    for (let depth = 1; ; depth++) {
      const out = reached
        .filter(({ place }) => !(place instanceof KeyPlace))
        .map(({ byte, place }) => ({ byte, length: depth + place.shortest }))
        .sort((a, b) => a.length - b.length)[0];
      if (out !== undefined) return out;
      reached = reached.flatMap(({ byte, place }) =>
        waysOut.flatMap((next) => {
          const after = place.step(next);
          return after === undefined ? [] : [{ byte, place: after }];
        }),
      );
    }
  }
}

function rangeFrom(first: number, count: number): number[] {
  return Array.from({ length: count }, (_, i) => first + i);
}
