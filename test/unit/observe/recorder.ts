import { subscribe, unsubscribe } from 'node:diagnostics_channel';
import { channels, type GenerateTrace, type LoadTrace, type QueueTrace } from 'rkllm';

const events = ['start', 'end', 'asyncStart', 'asyncEnd', 'error'] as const;
type Message = LoadTrace | GenerateTrace | QueueTrace;

interface Published {
  /** Such as `generate:start`, or `queue:added`. */
  readonly name: string;
  /** As it was at that moment. */
  readonly message: Message;
}

/** Subscribes to all channels until the end of the test. */
export function record(): Recorder {
  const recorder = new Recorder();
  open.push(recorder);
  return recorder;
}

const open: Recorder[] = [];
afterEach(() => {
  for (const recorder of open.splice(0)) recorder.stop();
});

export class Recorder {
  readonly published: Published[] = [];
  readonly #unsubscribers: (() => void)[] = [];

  constructor() {
    for (const kind of ['load', 'generate'] as const) {
      for (const event of events) this.#listen(channels[kind][event].name, () => `${kind}:${event}`);
    }
    this.#listen(channels.queue.name, (message) => `queue:${(message as QueueTrace).event}`);
  }

  /** What was published, in its order. */
  get names(): string[] {
    return this.published.map(({ name }) => name);
  }

  /** The messages of one name. */
  of(name: string): Message[] {
    return this.published.filter((each) => each.name === name).map(({ message }) => message);
  }

  /** What was published of one generation. */
  namesOf(id: string): string[] {
    return this.published.filter(({ message }) => 'id' in message && message.id === id).map(({ name }) => name);
  }

  stop(): void {
    for (const unsubscribe of this.#unsubscribers.splice(0)) unsubscribe();
  }

  #listen(channel: string | symbol, nameOf: (message: Message) => string): void {
    const listener = (published: unknown): void => {
      // A channel belongs to the process: a model of the file before may still be at work in Jest's worker.
      if (!(published instanceof Object)) return;
      const message = published as Message;
      this.published.push({ name: nameOf(message), message: { ...message } });
    };
    subscribe(channel, listener);
    this.#unsubscribers.push(() => unsubscribe(channel, listener));
  }
}
