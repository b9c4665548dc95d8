import type { RkllmError } from '../../errors.js';
import type { Answers } from './answers.js';
import type { EndedEvent, FailedEvent, LoadedEvent, NativeEvent, PerformedEvent } from './addon.js';
import { deferred, type Deferred } from '../../deferred.js';
import { toLoadError } from './native-errors.js';

/** What a run does with the events of its id. */
export interface RunListener {
  onReadable(): void;
  /** The model was given up: no event comes any more. */
  onLost(error: RkllmError): void;
  /** `failure` is the reason of a `failed` outcome, where it is better known than the event tells. */
  onEnded(event: EndedEvent, failure?: RkllmError): void;
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
  #paused = false;
  #nextRun = 0;
  #nextCall = 0;

  constructor(answers: Answers) {
    this.#answers = answers;
  }

  /** Rejects with an RkllmError when the load failed. */
  readonly loaded: Promise<LoadedEvent> = this.#loaded.promise;
  readonly disposed: Promise<undefined> = this.#disposed.promise;

  /** The listener to give to the addon. Never throws. */
  readonly onEvent = (event: NativeEvent): void => {
    switch (event.type) {
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
      case 'asked':
        void this.#answers.give(event);
        break;
      case 'disposed':
        this.#disposed.resolve(undefined);
        break;
    }
  };

  /** The last run was paused: parts of the KV cache can be cleared. */
  get paused(): boolean {
    return this.#paused;
  }

  #onLoadOver(event: LoadedEvent | FailedEvent, failure: RkllmError | undefined): void {
    if (failure !== undefined) this.#loaded.reject(failure);
    else if (event.type === 'failed') this.#loaded.reject(toLoadError(event));
    else this.#loaded.resolve(event);
  }

  #onPerformed(event: PerformedEvent, failure: RkllmError | undefined): void {
    const call = this.#calls.get(event.call);
    this.#calls.delete(event.call);
    if (failure === undefined) call?.resolve(event);
    else call?.reject(failure);
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

  /** The model is hung and no event will come: ends every wait. */
  giveUp(error: RkllmError): void {
    for (const run of this.#runs.values()) run.onLost(error);
    this.#runs.clear();
    for (const call of this.#calls.values()) call.reject(error);
    this.#calls.clear();
    this.#disposed.reject(error);
  }
}
