import type { RkllmError } from '../../errors.js';
import type { Answers } from './answers.js';
import type { LoadedEvent, PerformedEvent } from './addon.js';
import { deferred, type Deferred } from '../../deferred.js';
import type { DriverEvent } from './driver.js';
import { toCallError, toLoadError, toStartError } from './native-errors.js';

type EventOf<Type extends DriverEvent['type']> = Extract<DriverEvent, { readonly type: Type }>;

/** Hears of what concerns no single operation. Must not refer to the model. */
export interface RouterHooks {
  readonly onIdentified?: (() => void) | undefined;
  readonly onLine?: ((line: EventOf<'printed'>['line']) => void) | undefined;
}

/** What a run does with the events of its id. */
export interface RunListener {
  onReadable(): void;
  /** The model was given up, or is gone: no event comes any more. */
  onLost(error: RkllmError): void;
  /** `failure` is the reason of a `failed` outcome, where it is better known than the event tells. */
  onEnded(event: EventOf<'ended'>, failure?: RkllmError): void;
  /** The runtime was never asked. */
  onRefused(error: RkllmError): void;
}

/**
 * Takes the events of one native model to whoever waits for them. It refers to waiting operations and to functions of
 * the caller only, never to the model: the native side keeps it alive, and a forgotten model must stay collectable.
 */
export class EventRouter {
  readonly #answers: Answers;
  readonly #loaded = deferred<LoadedEvent>();
  readonly #disposed = deferred<undefined>();
  readonly #runs = new Map<number, RunListener>();
  readonly #calls = new Map<number, Deferred<PerformedEvent>>();
  readonly #hooks: RouterHooks;
  #paused = false;
  #asking = 0;
  #lost: RkllmError | undefined;
  #onLost: ((error: RkllmError) => void) | undefined;
  #nextRun = 0;
  #nextCall = 0;

  constructor(answers: Answers, hooks: RouterHooks = {}) {
    this.#answers = answers;
    this.#hooks = hooks;
  }

  /** Rejects with an RkllmError when the load failed. */
  readonly loaded: Promise<LoadedEvent> = this.#loaded.promise;
  readonly disposed: Promise<undefined> = this.#disposed.promise;

  /** The listener to give to the addon. Never throws. */
  readonly onEvent = (event: DriverEvent): void => {
    switch (event.type) {
      case 'identified':
        this.#hooks.onIdentified?.();
        break;
      case 'printed':
        this.#hooks.onLine?.(event.line);
        break;
      case 'loaded':
      case 'failed':
        this.#onLoadOver(event, this.#answers.takeFailure());
        break;
      case 'readable':
        this.#runs.get(event.run)?.onReadable();
        break;
      case 'ended':
        this.#paused = event.paused === true;
        this.#runs.get(event.run)?.onEnded(event, this.#answers.takeFailure());
        this.#runs.delete(event.run);
        break;
      case 'performed':
        this.#onPerformed(event, this.#answers.takeFailure());
        break;
      case 'refused':
        this.#onRefused(event);
        break;
      case 'asked':
        this.#asking++;
        void this.#answers.give(event).then(() => this.#asking--);
        break;
      case 'disposed':
        this.#disposed.resolve(undefined);
        break;
      case 'lost':
        this.giveUp(event.error);
        break;
    }
  };

  /** The runtime waits for a function of the caller. */
  get asks(): boolean {
    return this.#asking > 0;
  }

  /** Why no event comes any more. */
  get lost(): RkllmError | undefined {
    return this.#lost;
  }

  /** The model's owner hears of the loss. Must not keep the model alive. */
  onLost(listener: (error: RkllmError) => void): void {
    this.#onLost = listener;
  }

  /** The last run was paused: parts of the KV cache can be cleared. */
  get paused(): boolean {
    return this.#paused;
  }

  #onLoadOver(event: EventOf<'loaded' | 'failed'>, failure: RkllmError | undefined): void {
    if (failure !== undefined) this.#loaded.reject(failure);
    else if (event.type === 'failed') this.#loaded.reject(toLoadError(event));
    else this.#loaded.resolve(event);
  }

  #onPerformed(event: EventOf<'performed'>, failure: RkllmError | undefined): void {
    const call = this.#calls.get(event.call);
    this.#calls.delete(event.call);
    if (failure !== undefined) call?.reject(failure);
    else if (event.returned !== 0) call?.reject(toCallError(event));
    else call?.resolve(event);
  }

  #onRefused({ what, id, error }: EventOf<'refused'>): void {
    const reason = toStartError(error);
    if (what === 'run') this.#runs.get(id)?.onRefused(reason);
    else this.#calls.get(id)?.reject(reason);
    (what === 'run' ? this.#runs : this.#calls).delete(id);
  }

  /** Listens to a run that is about to be started; returns the id to start it with. */
  add(listener: RunListener): number {
    const id = this.#nextRun;
    this.#nextRun = (this.#nextRun + 1) % 2 ** 32;
    this.#runs.set(id, listener);
    return id;
  }

  /** The run could not be started. */
  remove(id: number): void {
    this.#runs.delete(id);
  }

  /** Waits for a call that is about to be made with this id. */
  addCall(): { readonly id: number; readonly outcome: Promise<PerformedEvent> } {
    const id = this.#nextCall;
    this.#nextCall = (this.#nextCall + 1) % 2 ** 32;
    const call = deferred<PerformedEvent>();
    this.#calls.set(id, call);
    return { id, outcome: call.promise };
  }

  /** The call could not be made. */
  removeCall(id: number): void {
    this.#calls.delete(id);
  }

  /** No event will come: ends every wait. */
  giveUp(error: RkllmError): void {
    if (this.#lost !== undefined) return;
    this.#lost = error;
    this.#loaded.reject(error);
    for (const run of this.#runs.values()) run.onLost(error);
    this.#runs.clear();
    for (const call of this.#calls.values()) call.reject(error);
    this.#calls.clear();
    this.#disposed.reject(error);
    this.#onLost?.(error);
  }
}
