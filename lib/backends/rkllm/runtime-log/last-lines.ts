import type { RuntimeLogLine } from './line.js';

/** What was printed last, for the error of something that went wrong. */
export class LastLines {
  readonly #limit: number;
  readonly #lines: RuntimeLogLine[] = [];
  #next = 0;

  /** @param limit - how many lines are kept, from 1; default 50. */
  constructor(limit = 50) {
    this.#limit = limit;
  }

  push(line: RuntimeLogLine): void {
    this.#lines[this.#next] = line;
    this.#next = (this.#next + 1) % this.#limit;
  }

  /** A copy, the oldest first. */
  list(): RuntimeLogLine[] {
    return [...this.#lines.slice(this.#next), ...this.#lines.slice(0, this.#next)];
  }

  /** Forgets them, as before a new attempt. */
  clear(): void {
    this.#lines.length = 0;
    this.#next = 0;
  }
}
