import { setTimeout as sleep } from 'node:timers/promises';
import { deferred } from '../../deferred.js';
import type { RkllmError } from '../../errors.js';
import { askAgainMs } from './abort-watch.js';
import type { LoadedEvent, ModelHandle } from './addon.js';
import type { Driver } from './driver.js';
import type { EventRouter } from './event-router.js';
import { hung, type HungWhile } from './native-errors.js';

/** How long the runtime may take, in milliseconds. */
export interface Patience {
  /** For the load. */
  readonly loadMs: number;
  /** For the next token, or the end of a call. */
  readonly stallMs: number;
  /** For the end of what it was told to stop. */
  readonly abortMs: number;
}

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
    router.onLost((error) => self.deref()?.lose(error));
  }

  private lose(error: RkllmError): void {
    this.#lost.reject(error);
  }

  /** @throws RkllmError why it cannot be loaded, or `RKLLM_RUNTIME_HUNG`. */
  async loaded(): Promise<LoadedEvent> {
    const limit = setTimeout(() => this.giveUp('load', this.patience.loadMs), this.patience.loadMs);
    try {
      return await this.router.loaded;
    } finally {
      clearTimeout(limit);
    }
  }

  /** Resolves when the handle is free, or was given up before. @throws RkllmError `RKLLM_RUNTIME_HUNG`. */
  async dispose(): Promise<void> {
    if (this.router.lost !== undefined) return;
    this.driver.dispose(this.handle);
    const again = setInterval(() => this.driver.dispose(this.handle), askAgainMs);
    const timer = new AbortController();
    const timeout = sleep(this.patience.abortMs, 'timeout' as const, { signal: timer.signal, ref: false });
    timeout.catch(() => undefined);
    try {
      const first = await Promise.race([this.router.disposed, timeout]);
      if (first === 'timeout') throw this.giveUp('dispose', this.patience.abortMs);
    } finally {
      clearInterval(again);
      timer.abort();
    }
  }

  /** The vendor's library is stuck: whatever waits for it fails, and nothing more is asked of it. */
  giveUp(during: HungWhile, afterMs: number): RkllmError {
    const error = hung(during, afterMs, this.driver.isolated === true);
    if (this.router.lost !== undefined) return this.router.lost;
    this.driver.abandon(this.handle);
    this.router.giveUp(error);
    return error;
  }
}
