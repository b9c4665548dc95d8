import type { TracingChannel } from 'node:diagnostics_channel';
import type { GenerateTrace, LoadTrace } from './channels.js';

type Trace = LoadTrace | GenerateTrace;

/** What is to be known of a call that is traced. */
export interface TracedCall<T extends Trace, Returned, Outcome> {
  readonly channel: TracingChannel<unknown, T>;
  /** As it is at the start; what becomes of the call is added to it. */
  readonly trace: T;
  readonly call: () => Returned;
  readonly outcomeOf: (returned: Returned) => Promise<Outcome>;
  readonly resultOf: (outcome: Outcome) => NonNullable<T['result']>;
  /** Whether it was stopped before it was complete. */
  readonly isPartial: (result: NonNullable<T['result']>) => boolean;
  readonly signal: AbortSignal | undefined;
  /** Called when it has settled, before who waits for it learns of it. Not when the call itself throws. */
  readonly onSettled: (trace: T) => void;
}

/** Calls and publishes as `TracingChannel.tracePromise()` does, also where what is returned is no promise. */
export function traced<T extends Trace, Returned, Outcome>(traced: TracedCall<T, Returned, Outcome>): Returned {
  const { channel, trace, outcomeOf, resultOf, isPartial, signal, onSettled } = traced;
  const called = performance.now();
  const end = (ending: Pick<Trace, 'state' | 'result' | 'error'>): void => {
    Object.assign(trace, ending, { durationMs: performance.now() - called });
  };
  const fail = (error: unknown): void => {
    end({ state: signal?.aborted === true && error === signal.reason ? 'aborted' : 'failed', error });
    channel.error.publish(trace);
  };
  const settle = (): void => {
    onSettled(trace);
    channel.asyncStart.publish(trace);
    channel.asyncEnd.publish(trace);
  };
  const call = (): Returned => {
    try {
      return traced.call();
    } catch (error) {
      fail(error);
      throw error;
    }
  };
  try {
    const returned = channel.start.runStores(trace, call);
    outcomeOf(returned).then(
      (outcome) => {
        const result = resultOf(outcome);
        end({ state: isPartial(result) ? 'aborted' : 'done', result });
        settle();
      },
      (error: unknown) => {
        fail(error);
        settle();
      },
    );
    return returned;
  } finally {
    channel.end.publish(trace);
  }
}
