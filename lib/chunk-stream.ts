import { ReadableStream } from 'node:stream/web';
import { AsyncBuffer } from './async-buffer.js';
import { RkllmError } from './errors.js';
import type { Chunk } from './generation.js';

/** The chunks of a generation, or of what has several, on their way to one reader. */
export class ChunkStream<T = Chunk> implements AsyncIterable<T> {
  readonly #buffer = new AsyncBuffer<T>();
  readonly #leave: () => Promise<void>;
  #consumed = false;

  /** @param leave - called when the reader leaves before the end; it has left when the promise resolves. */
  constructor(leave: () => Promise<void>) {
    this.#leave = leave;
  }

  push(chunk: T): void {
    this.#buffer.push(chunk);
  }

  close(): void {
    this.#buffer.close();
  }

  fail(error: unknown): void {
    this.#buffer.fail(error);
  }

  /** @throws RkllmError `RKLLM_STREAM_CONSUMED` when it has a reader already. */
  [Symbol.asyncIterator](): Required<Pick<AsyncIterator<T, undefined>, 'next' | 'return'>> {
    if (this.#consumed) {
      throw new RkllmError('RKLLM_STREAM_CONSUMED', 'This generation has been iterated before; its chunks are gone.', {
        hint:
          'Iterate it once and keep what you need, give two readers a stream each with tee(), or await it: the result ' +
          'can be awaited any number of times.',
      });
    }
    this.#consumed = true;
    return {
      next: () => this.#buffer.next(),
      return: async () => {
        await this.#leave();
        this.#buffer.discard();
        return { done: true, value: undefined };
      },
    };
  }
}

/** Two streams of what one has. The source loses its reader when both have lost theirs. */
export function tee(source: ChunkStream): [ChunkStream, ChunkStream] {
  const reader = source[Symbol.asyncIterator]();
  const left = new Set<number>();
  const branch = (index: number): ChunkStream =>
    new ChunkStream(async () => {
      left.add(index);
      if (left.size === 2) await reader.return();
    });
  const branches: [ChunkStream, ChunkStream] = [branch(0), branch(1)];
  void distribute(reader, branches, left);
  return branches;
}

async function distribute(
  reader: Pick<AsyncIterator<Chunk, undefined>, 'next'>,
  branches: readonly ChunkStream[],
  left: ReadonlySet<number>,
): Promise<void> {
  const staying = (): ChunkStream[] => branches.filter((_, index) => !left.has(index));
  try {
    for (;;) {
      const { done, value } = await reader.next();
      if (done) break;
      for (const branch of staying()) branch.push(value);
    }
    for (const branch of branches) branch.close();
  } catch (error) {
    for (const branch of branches) branch.fail(error);
  }
}

/** @param stop - called with the reason when the web stream is cancelled, before the source loses its reader. */
export function toReadableStream(source: ChunkStream, stop: (reason: unknown) => void): ReadableStream<Chunk> {
  const reader = source[Symbol.asyncIterator]();
  return new ReadableStream<Chunk>(
    {
      pull: async (controller) => {
        const { done, value } = await reader.next();
        if (done) controller.close();
        else controller.enqueue(value);
      },
      cancel: async (reason) => {
        stop(reason);
        await reader.return();
      },
    },
    // What waits does so in the source.
    { highWaterMark: 0 },
  );
}

/** The text alone. Its reader reads the chunks from the start: it may leave before it has asked for any. */
export function textOf(chunks: AsyncIterable<Chunk>): AsyncIterable<string> {
  return {
    [Symbol.asyncIterator]: () => {
      const reader = chunks[Symbol.asyncIterator]();
      const texts = textsFrom(reader);
      return {
        next: () => texts.next(),
        return: async () => {
          await reader.return?.();
          return texts.return(undefined);
        },
      };
    },
  };
}

async function* textsFrom(reader: Pick<AsyncIterator<Chunk, undefined>, 'next'>): AsyncGenerator<string, undefined> {
  for (;;) {
    const { done, value } = await reader.next();
    if (done) return undefined;
    if (value.type === 'text' && value.text !== '') yield value.text;
  }
}
