import { isRkllmError, type RkllmErrorCode } from '../errors.js';
import type { QueueListener, RequestQueue } from '../request-queue.js';
import { channels, type QueueTrace } from './channels.js';
import type { Log } from './logger.js';

type Refusal = Extract<QueueTrace, { event: 'refused' }>['reason'];

const refusals: Readonly<Partial<Record<RkllmErrorCode, Refusal>>> = {
  RKLLM_QUEUE_FULL: 'full',
  RKLLM_QUEUE_TIMEOUT: 'timeout',
  RKLLM_DISPOSED: 'disposed',
};

/** Publishes what the queue of a model does. */
export class QueueEvents implements QueueListener {
  readonly #model: string;
  readonly #log: Log | undefined;

  /** @param model - its name. */
  constructor(model: string, log: Log | undefined) {
    this.#model = model;
    this.#log = log;
  }

  added(id: string, queue: RequestQueue, position: number): void {
    if (channels.queue.hasSubscribers) publish({ event: 'added', position, ...this.#common(id, queue) });
  }

  started(id: string, queue: RequestQueue): void {
    if (channels.queue.hasSubscribers) publish({ event: 'started', ...this.#common(id, queue) });
  }

  refused(id: string, queue: RequestQueue, cause: unknown): void {
    const reason = refusalOf(cause);
    if (reason === 'full') this.#log?.('warn', this.#common(id, queue), 'queue full');
    if (channels.queue.hasSubscribers) publish({ event: 'refused', reason, ...this.#common(id, queue) });
  }

  #common(id: string, { pending, active }: RequestQueue): Pick<QueueTrace, 'id' | 'model' | 'pending' | 'active'> {
    return { id, model: this.#model, pending, active };
  }
}

/** Channels take anything; this takes what the documentation says. */
function publish(trace: QueueTrace): void {
  channels.queue.publish(trace);
}

/** @param cause - undefined when who asked has stopped it. */
function refusalOf(cause: unknown): Refusal {
  if (cause === undefined) return 'aborted';
  return (isRkllmError(cause) ? refusals[cause.code] : undefined) ?? 'failed';
}
