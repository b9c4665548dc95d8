import type { ReadableStream } from 'node:stream/web';
import type { Chunk, Generation, GenerationHandle, GenerationResult, GenerationState } from './generation.js';

/** A generation without `then`. */
export class GenerationView implements GenerationHandle {
  readonly #generation: Generation;

  constructor(generation: Generation) {
    this.#generation = generation;
  }

  get id(): string {
    return this.#generation.id;
  }

  get state(): GenerationState {
    return this.#generation.state;
  }

  get queuePosition(): number | undefined {
    return this.#generation.queuePosition;
  }

  get textStream(): AsyncIterable<string> {
    return this.#generation.textStream;
  }

  result(): Promise<GenerationResult> {
    return this.#generation.result();
  }

  text(): Promise<string> {
    return this.#generation.text();
  }

  tee(): [AsyncIterable<Chunk>, AsyncIterable<Chunk>] {
    return this.#generation.tee();
  }

  toReadableStream(): ReadableStream<Chunk> {
    return this.#generation.toReadableStream();
  }

  abort(reason?: unknown): void {
    this.#generation.abort(reason);
  }

  handle(): GenerationHandle {
    return this;
  }

  [Symbol.asyncIterator](): AsyncIterator<Chunk> {
    return this.#generation[Symbol.asyncIterator]();
  }

  [Symbol.asyncDispose](): PromiseLike<void> {
    return this.#generation[Symbol.asyncDispose]();
  }
}
