import { TimeLimit } from '../time-limit.js';
import type { HostReport } from './messages.js';

/** What the runtime prints before a mark explains the report that has the mark; if it never comes, this is enough. */
const patienceMs = 1000;

/**
 * Holds a report back until what was printed before it has been read, which comes another way, and those behind it.
 */
export class HeldReports {
  readonly #prefix: string;
  readonly #onReport: (report: HostReport) => void;
  readonly #seen = new Set<string>();
  #held: HostReport[] = [];
  readonly #limit = new TimeLimit(() => {
    this.#isDeaf = true;
    this.giveAll();
  });
  /** A mark did not come: whatever has become of the stream, no report waits for it again. */
  #isDeaf = false;

  constructor(prefix: string, onReport: (report: HostReport) => void) {
    this.#prefix = prefix;
    this.#onReport = onReport;
  }

  take(report: HostReport): void {
    this.#held.push(report);
    this.#giveReady();
  }

  /** Whether a printed line is a mark; then it is nothing else. */
  takeMark(text: string): boolean {
    if (!text.startsWith(this.#prefix)) return false;
    if (this.#isDeaf) return true;
    this.#seen.add(text);
    this.#giveReady();
    return true;
  }

  /** Nothing is printed any more. */
  giveAll(): void {
    this.#limit.stop();
    const held = this.#held;
    this.#held = [];
    for (const report of held) this.#onReport(report);
  }

  #giveReady(): void {
    for (;;) {
      const [first] = this.#held;
      if (first === undefined) break;
      if (!this.#isDeaf && first.logMark !== undefined && !this.#seen.delete(first.logMark)) {
        if (!this.#limit.isSet) this.#limit.start(patienceMs);
        return;
      }
      this.#held.shift();
      this.#onReport(first);
    }
    this.#limit.stop();
  }
}
