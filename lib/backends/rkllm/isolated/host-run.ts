import { askAgainMs } from '../abort-watch.js';
import type { ModelHandle, NativeAddon, RunHandle } from '../addon.js';
import type { FrameSocket } from './frame-socket.js';
import { tokensFrames } from './frames.js';

/** So many tokens in one batch are a flood: then they gather for a moment, since a frame costs more than a token. */
const floodTokens = 1024;
const gatherMs = 1;

/** Sends the tokens of one run, in the runtime's process. While the other end does not read, they stay in the addon. */
export class HostRun {
  readonly #addon: NativeAddon;
  readonly #model: ModelHandle;
  readonly #handle: RunHandle;
  readonly #id: number;
  readonly #socket: FrameSocket;
  #waiting = false;
  #ended = false;
  #askAgain: NodeJS.Timeout | undefined;

  constructor(addon: NativeAddon, model: ModelHandle, handle: RunHandle, id: number, socket: FrameSocket) {
    this.#addon = addon;
    this.#model = model;
    this.#handle = handle;
    this.#id = id;
    this.#socket = socket;
    this.onReadable();
  }

  /** Sends what there is, and sees to it that the next token is noticed. */
  onReadable(): void {
    if (this.#waiting || this.#ended) return;
    const sent = this.#send();
    if (sent === 0 && !this.#addon.arm(this.#handle)) return; // `readable` follows
    this.#waiting = true;
    const goOn = (): void => {
      this.#waiting = false;
      this.onReadable();
    };
    // Requests that have come meanwhile get their turn first.
    if (this.#socket.isFull) this.#socket.whenDrained(goOn);
    else if (sent >= floodTokens) setTimeout(goOn, gatherMs);
    else setImmediate(goOn);
  }

  /** Asks until it is heard: a run that just enters the runtime or leaves it does not hear. */
  abort(): void {
    if (this.#ended || this.#askAgain !== undefined) return;
    if (this.#addon.abort(this.#model, this.#handle)) return;
    this.#askAgain = setTimeout(() => {
      this.#askAgain = undefined;
      this.abort();
    }, askAgainMs);
  }

  /** Sends the rest. */
  end(): void {
    this.#ended = true;
    clearTimeout(this.#askAgain);
    this.#send();
  }

  #send(): number {
    const batch = this.#addon.drain(this.#handle);
    if (batch === undefined) return 0;
    this.#socket.write(...tokensFrames(this.#id, batch));
    return batch.tokenIds.length;
  }
}
