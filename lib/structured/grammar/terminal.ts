/**
 * A place within something that is read byte by byte, such as a string. The same place is the same object as long as its
 * owner remembers it.
 */
export interface Terminal {
  readonly id: number;
  /** Where it is after a byte; undefined when the byte cannot stand here. */
  step(byte: number): Terminal | undefined;
  /** What is read may be over here. */
  readonly canEnd: boolean;
  /** How many bytes the shortest way to the end has. */
  readonly shortest: number;
  /** The first byte of that way; undefined at its end. */
  readonly shortestByte: number | undefined;
}

let made = 0;

/** Told apart by it in all of the process. */
export function newId(): number {
  return made++;
}

/** Fixed bytes. */
class LiteralPlace implements Terminal {
  readonly id = newId();
  readonly #bytes: Uint8Array;
  readonly #from: number;
  #next: LiteralPlace | undefined;

  constructor(bytes: Uint8Array, from: number) {
    this.#bytes = bytes;
    this.#from = from;
  }

  get canEnd(): boolean {
    return this.shortest === 0;
  }

  get shortest(): number {
    return this.#bytes.length - this.#from;
  }

  get shortestByte(): number | undefined {
    return this.#bytes[this.#from];
  }

  step(byte: number): Terminal | undefined {
    if (byte !== this.shortestByte) return undefined;
    return (this.#next ??= new LiteralPlace(this.#bytes, this.#from + 1));
  }
}

/** A text that is written as it is. */
export function literal(text: string): Terminal {
  return new LiteralPlace(new TextEncoder().encode(text), 0);
}

/** Numbers have more beginnings than should be remembered. */
const mostPlaces = 20_000;

/** Places by what tells them apart. There may be two of the same: beyond so many they are forgotten. */
export class Places<T> {
  readonly #known = new Map<string, T>();
  readonly #make: (key: string) => T;

  constructor(make: (key: string) => T) {
    this.#make = make;
  }

  at(key: string): T {
    let place = this.#known.get(key);
    if (place === undefined) {
      if (this.#known.size >= mostPlaces) this.#known.clear();
      this.#known.set(key, (place = this.#make(key)));
    }
    return place;
  }
}
