import type { BatchAnswer } from '../backends/runtime-controls.js';
import type { Check } from '../checks/check.js';
import type { Generation } from '../generation.js';
import type { ModelInfo } from '../model.js';
import type { QueueListener } from '../request-queue.js';
import type { EngineLine } from '../backends/backend.js';
import { channels, type GenerateFigures, type GenerateTrace, type LoadTrace, type LogTrace } from './channels.js';
import { figuresOf, figuresOfBatch } from './figures.js';
import { createLog, type Log, type LogFields, type Logger } from './logger.js';
import { QueueEvents } from './queue-events.js';
import { traced } from './traced.js';

/**
 * Tells the channels and the log what a model does. Where nobody listens it costs one check for each load, generation
 * and event of the queue; descriptions are functions so that nothing is made in vain.
 */
export class Observer {
  readonly #log: Log | undefined;

  constructor(logger: Logger | undefined) {
    this.#log = createLog(logger);
  }

  load<M>(
    describe: () => LoadTrace,
    signal: AbortSignal | undefined,
    call: () => Promise<M>,
    resultOf: (loaded: M) => ModelInfo,
  ): Promise<M> {
    if (!this.#isWatched(channels.load)) return call();
    const trace = describe();
    const { operation, path, backend, options } = trace;
    this.#log?.('debug', { path, backend, options }, `${operation} started`);
    return traced({
      channel: channels.load,
      trace,
      call,
      outcomeOf: (loading) => loading,
      resultOf,
      isPartial: () => false,
      signal,
      onSettled: (ended) => this.#logLoad(ended),
    });
  }

  generate<G extends Generation>(describe: () => GenerateTrace, signal: AbortSignal | undefined, call: () => G): G {
    return this.#generate(describe, signal, call, (generation) => generation.result(), figuresOf);
  }

  batch(
    describe: () => GenerateTrace,
    signal: AbortSignal | undefined,
    call: () => Promise<readonly BatchAnswer[]>,
  ): Promise<readonly BatchAnswer[]> {
    return this.#generate(describe, signal, call, (answers) => answers, figuresOfBatch);
  }

  /** @param model - its name. */
  queue(model: string): QueueListener {
    return new QueueEvents(model, this.#log);
  }

  /** `RKLLM_BACKEND` made another model take a file's place. */
  substituted(asked: string, path: string | undefined): void {
    this.#log?.('warn', { asked, path }, 'another model takes its place');
  }

  /** Takes what the engine of a model prints, whoever begins to listen later. Never throws. */
  engineLines(path: string | undefined): (line: EngineLine) => void {
    return (line) => {
      const { level, component, text, stream } = line;
      this.#log?.(level, { path, component, stream }, text);
      if (channels.log.hasSubscribers) channels.log.publish({ path, ...line } satisfies LogTrace);
    };
  }

  /** Something may keep the model from working. */
  loadWarning({ id: check, title, found, fix }: Check): void {
    this.#log?.('warn', { check, found, fix }, `${title}: ${found}`);
  }

  /** The engine died and will be loaded again. @param crashes - how many there were lately. */
  engineDied(model: string, err: unknown, crashes: number, delayMs: number): void {
    this.#log?.('warn', { model, crashes, delayMs, err }, 'engine died, will be loaded again');
  }

  /** The engine died, was given up because it hung, or could not be loaded again; and that was the end of it. */
  modelFailed(model: string, err: unknown): void {
    this.#log?.('error', { model, err }, 'model failed');
  }

  #generate<R, Outcome>(
    describe: () => GenerateTrace,
    signal: AbortSignal | undefined,
    call: () => R,
    outcomeOf: (returned: R) => Promise<Outcome>,
    resultOf: (outcome: Outcome) => GenerateFigures,
  ): R {
    if (!this.#isWatched(channels.generate)) return call();
    return traced({
      channel: channels.generate,
      trace: describe(),
      call,
      outcomeOf,
      resultOf,
      isPartial: ({ finishReasons }) => finishReasons.includes('abort'),
      signal,
      onSettled: (ended) => this.#logGeneration(ended),
    });
  }

  #logLoad({ operation, path, backend, state, result, error, durationMs }: LoadTrace): void {
    if (result === undefined) this.#logEnd(operation, state, { path, backend, durationMs }, error);
    else this.#log?.('info', { ...result, durationMs }, `${operation} finished`);
  }

  #logGeneration({ id, operation, model, state, result, error, durationMs }: GenerateTrace): void {
    const fields = { id, operation, model, ...result, durationMs };
    this.#logEnd('generation', state, fields, error);
  }

  #logEnd(what: string, state: GenerateTrace['state'], fields: LogFields, err: unknown): void {
    if (state === 'failed') this.#log?.('error', { ...fields, err }, `${what} failed`);
    else this.#log?.('debug', fields, `${what} ${state === 'done' ? 'finished' : 'aborted'}`);
  }

  /** `TracingChannel.hasSubscribers` came with Node 20.13 only. */
  #isWatched({ start, end, asyncStart, asyncEnd, error }: (typeof channels)['load' | 'generate']): boolean {
    return (
      this.#log !== undefined ||
      start.hasSubscribers ||
      end.hasSubscribers ||
      asyncStart.hasSubscribers ||
      asyncEnd.hasSubscribers ||
      error.hasSubscribers
    );
  }
}
