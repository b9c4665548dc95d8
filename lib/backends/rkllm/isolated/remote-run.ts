import type { TokenBatch } from '../../backend.js';

/** So many tokens are read in one go; one batch may have more. */
const drainTokens = 2 ** 15;

/** One run in the runtime's process: the tokens that have arrived, until they are read. */
export class RemoteRun {
  readonly id: number;
  readonly #onReadable: () => void;
  readonly #batches: TokenBatch[] = [];
  #armed = false;
  /** It has given a token. */
  decodes = false;
  /** It was told to stop; what still comes was written after that. */
  aborting = false;

  constructor(id: number, onReadable: () => void) {
    this.id = id;
    this.#onReadable = onReadable;
  }

  push(batch: TokenBatch): void {
    this.decodes = true;
    if (this.aborting) return;
    this.#batches.push(batch);
    if (!this.#armed) return;
    this.#armed = false;
    this.#onReadable();
  }

  /** As much as keeps the event loop for no more than a few milliseconds, whatever a flood has piled up. */
  drain(): TokenBatch | undefined {
    let tokens = 0;
    let count = 0;
    for (const { tokenIds } of this.#batches) {
      tokens += tokenIds.length;
      if (count > 0 && tokens > drainTokens) break;
      count++;
    }
    const batches = this.#batches.splice(0, count);
    return batches.length > 1 ? joined(batches) : batches[0];
  }

  /** False: there is nothing to drain; the next token is announced. */
  arm(): boolean {
    this.#armed = this.#batches.length === 0;
    return !this.#armed;
  }
}

function joined(batches: readonly TokenBatch[]): TokenBatch {
  const bytes = Buffer.concat(batches.map((batch) => batch.bytes));
  const count = batches.reduce((sum, { tokenIds }) => sum + tokenIds.length, 0);
  const tokenIds = new Int32Array(count);
  const ends = new Uint32Array(count);
  const rows = batches[0]?.rows === undefined ? undefined : new Uint8Array(count);
  let at = 0;
  let textAt = 0;
  for (const batch of batches) {
    tokenIds.set(batch.tokenIds, at);
    rows?.set(batch.rows ?? [], at);
    for (const end of batch.ends) ends[at++] = textAt + end;
    textAt += batch.bytes.byteLength;
  }
  return rows === undefined ? { bytes, tokenIds, ends } : { bytes, tokenIds, ends, rows };
}
