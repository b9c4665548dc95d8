import { StringDecoder } from 'node:string_decoder';
import { parseLogLine, type LogStream, type RuntimeLogLine } from './line.js';

/** The longest line that is kept, in bytes. The rest of a longer one is dropped, up to its end. */
export const longestLine = 8192;

const lineFeed = 0x0a;
const carriageReturn = 0x0d;

/**
 * Makes lines of the chunks of a stream. A line ends with `\n`, `\r` or the stream; empty ones are left out. It holds no more
 * than one line of {@link longestLine} bytes, whatever comes.
 */
export class LogLines {
  readonly #stream: LogStream;
  readonly #take: (line: RuntimeLogLine) => void;
  readonly #begun = Buffer.allocUnsafe(longestLine);
  #length = 0;
  /** The line that has begun is told already, as far as it is kept. */
  #cut = false;

  constructor(stream: LogStream, take: (line: RuntimeLogLine) => void) {
    this.#stream = stream;
    this.#take = take;
  }

  /** Takes what came; it may end anywhere, also inside a character. Tells the lines that it ends. */
  write(chunk: Uint8Array): void {
    let start = 0;
    for (let index = 0; index < chunk.length; ++index) {
      if (chunk[index] !== lineFeed && chunk[index] !== carriageReturn) continue;
      this.#append(chunk.subarray(start, index));
      this.#endLine();
      start = index + 1;
    }
    this.#append(chunk.subarray(start));
  }

  /** Tells the last line, if it has no end: what is said last before a death often has none. */
  end(): void {
    this.#endLine();
  }

  #append(bytes: Uint8Array): void {
    if (this.#cut) return;
    const kept = bytes.subarray(0, longestLine - this.#length);
    this.#begun.set(kept, this.#length);
    this.#length += kept.length;
    if (kept.length === bytes.length) return;
    this.#cut = true;
    // The decoder leaves out what is cut off in the middle of a character.
    this.#tell(`${new StringDecoder('utf8').write(this.#begun)} …`);
  }

  #endLine(): void {
    if (!this.#cut) this.#tell(this.#begun.toString('utf8', 0, this.#length));
    this.#cut = false;
    this.#length = 0;
  }

  #tell(text: string): void {
    const line = parseLogLine(text, this.#stream);
    if (line.text !== '') this.#take(line);
  }
}
