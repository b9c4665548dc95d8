import { deferred } from '../../deferred.js';
import { askAgainMs } from './abort-watch.js';
import type { LoadedEvent, ModelHandle } from './addon.js';
import type { Driver } from './driver.js';
import type { EventRouter } from './event-router.js';
import { hung, type HungWhile } from './native-errors.js';
import { StallWatch } from './stall-watch.js';
import { TimeLimit } from './time-limit.js';

/** How long the runtime may take, in milliseconds. */
export interface Patience {
  /** For the load. */
  readonly loadMs: number;
  /** For the next token, or the end of a call. */
  readonly stallMs: number;
  /** For the end of what it was told to stop. */
  readonly abortMs: number;
}

/** How long a process that was killed may take to be gone, with all its memory. One that is stuck in the kernel never is. */
const killedMs = 5000;

/** The model in C++, here or in another process, its events, and what happens when the vendor's library does not come back. */
export class NativeModel {
  readonly driver: Driver;
  readonly handle: ModelHandle;
  readonly router: EventRouter;
  readonly patience: Patience;
  readonly #lost = deferred<never>();

  /** Rejects when the model is given up, or gone. */
  readonly lost: Promise<never> = this.#lost.promise;

  constructor(driver: Driver, handle: ModelHandle, router: EventRouter, patience: Patience) {
    this.driver = driver;
    this.handle = handle;
    this.router = router;
    this.patience = patience;
    // The driver holds the router: a forgotten model must stay collectable.
    const self = new WeakRef(this);
    router.onLost((error) => {
      const model = self.deref();
      if (model !== undefined) model.#lost.reject(error);
    });
  }

  /** @throws RkllmError why it cannot be loaded, or `RKLLM_RUNTIME_HUNG`. */
  async loaded(): Promise<LoadedEvent> {
    const watch = new StallWatch(this, () => 'load', this.patience.loadMs);
    watch.start();
    try {
      return await this.router.loaded;
    } finally {
      watch.stop();
    }
  }

  /**
   * Resolves when the handle is free, or was given up before and is gone, if that is possible.
   *
   * @throws RkllmError `RKLLM_RUNTIME_HUNG`.
   */
  async dispose(): Promise<void> {
    try {
      if (this.router.lost === undefined) await this.#free();
    } finally {
      if (this.router.lost !== undefined) await this.#left();
    }
  }

  async #free(): Promise<void> {
    const { abortMs } = this.patience;
    this.driver.dispose(this.handle);
    const again = setInterval(() => this.driver.dispose(this.handle), askAgainMs);
    const limit = new TimeLimit(() => this.giveUp('dispose', abortMs));
    limit.start(abortMs);
    try {
      await this.router.disposed; // rejects when the model is given up
    } finally {
      limit.stop();
      clearInterval(again);
    }
  }

  /** Its memory may be wanted for the next one. */
  async #left(): Promise<void> {
    const over = deferred<undefined>();
    const limit = new TimeLimit(() => over.resolve(undefined));
    limit.start(killedMs);
    await Promise.race([this.driver.left?.(this.handle), over.promise]);
    limit.stop();
  }

  /** The vendor's library is stuck: whatever waits for it fails, and nothing more is asked of it. */
  giveUp(during: HungWhile, afterMs: number): void {
    if (this.router.lost !== undefined) return;
    this.driver.abandon(this.handle);
    this.router.giveUp(hung(during, afterMs, this.driver.isolated === true));
  }
}
