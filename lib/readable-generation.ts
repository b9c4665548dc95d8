import type { ReadableStream } from 'node:stream/web';
import { ChunkStream, tee, textOf, toReadableStream } from './chunk-stream.js';
import { GenerationView } from './generation-view.js';
import type { Chunk, Generation, GenerationHandle, GenerationResult, GenerationState } from './generation.js';

/** How a {@link Generation} is read, awaited and left, whatever its answer comes from. */
export abstract class ReadableGeneration implements Generation {
  protected readonly chunks = new ChunkStream(() => this[Symbol.asyncDispose]());

  abstract readonly id: string;
  abstract get state(): GenerationState;
  abstract get queuePosition(): number | undefined;
  abstract result(): Promise<GenerationResult>;
  abstract abort(reason?: unknown): void;

  get textStream(): AsyncIterable<string> {
    return textOf(this);
  }

  async text(): Promise<string> {
    return (await this.result()).text;
  }

  then<A = GenerationResult, B = never>(
    onResult?: ((result: GenerationResult) => A | PromiseLike<A>) | null,
    onError?: ((error: unknown) => B | PromiseLike<B>) | null,
  ): Promise<A | B> {
    return this.result().then(onResult, onError);
  }

  tee(): [AsyncIterable<Chunk>, AsyncIterable<Chunk>] {
    return tee(this.chunks);
  }

  toReadableStream(): ReadableStream<Chunk> {
    return toReadableStream(this.chunks, (reason) => this.abort(reason));
  }

  handle(): GenerationHandle {
    return new GenerationView(this);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.abort();
    await this.result().catch(() => undefined);
  }

  [Symbol.asyncIterator](): AsyncIterator<Chunk, undefined> {
    return this.chunks[Symbol.asyncIterator]();
  }
}
