import { setTimeout as sleep } from 'node:timers/promises';
import { deferred } from '../../deferred.js';
import { askAgainMs } from './abort-watch.js';
import type { ModelHandle, NativeAddon } from './addon.js';
import type { EventRouter } from './event-router.js';
import { hung } from './native-errors.js';

/** The model in C++, its events, and what happens when the vendor's library does not come back. */
export class NativeModel {
  readonly addon: NativeAddon;
  readonly handle: ModelHandle;
  readonly router: EventRouter;
  /** For whoever waits for a run that was told to end. */
  readonly limit: { readonly timeoutMs: number; readonly onHung: () => void };
  readonly #lost = deferred<never>();
  #isLost = false;

  /** Rejects when the model is given up. */
  readonly lost: Promise<never> = this.#lost.promise;

  constructor(addon: NativeAddon, handle: ModelHandle, router: EventRouter, timeoutMs: number) {
    this.addon = addon;
    this.handle = handle;
    this.router = router;
    this.limit = { timeoutMs, onHung: () => this.#giveUp() };
  }

  /** Resolves when the handle is free, or was given up before. @throws RkllmError `RKLLM_RUNTIME_HUNG`. */
  async dispose(): Promise<void> {
    if (this.#isLost) return;
    this.addon.dispose(this.handle);
    const again = setInterval(() => this.addon.dispose(this.handle), askAgainMs);
    const timer = new AbortController();
    const timeout = sleep(this.limit.timeoutMs, 'timeout' as const, { signal: timer.signal, ref: false });
    timeout.catch(() => undefined);
    const first = await Promise.race([this.router.disposed, timeout]);
    clearInterval(again);
    timer.abort();
    if (first !== 'timeout') return;
    this.#giveUp();
    throw hung(this.limit.timeoutMs);
  }

  #giveUp(): void {
    if (this.#isLost) return;
    this.#isLost = true;
    const error = hung(this.limit.timeoutMs);
    this.addon.abandon(this.handle);
    this.router.giveUp(error);
    this.#lost.reject(error);
  }
}
