import { isRkllmError, type RkllmErrorCode } from '../errors.js';
import type { Chunk, FinishChunk, Generation, TextChunk } from '../generation.js';

/** Reads a generation to its end. */
export async function collect(generation: AsyncIterable<Chunk>): Promise<Chunk[]> {
  const chunks: Chunk[] = [];
  for await (const chunk of generation) chunks.push(chunk);
  return chunks;
}

/** Reads until the end or the failure: what came before it, and the failure. */
export async function collectUntilError(generation: Generation): Promise<{ chunks: Chunk[]; error: unknown }> {
  const chunks: Chunk[] = [];
  try {
    for await (const chunk of generation) chunks.push(chunk);
  } catch (error) {
    return { chunks, error };
  }
  throw new Error('The generation did not fail.');
}

export function textsOf(chunks: readonly Chunk[]): string[] {
  return chunks.filter((chunk): chunk is TextChunk => chunk.type === 'text').map(({ text }) => text);
}

export function textOf(chunks: readonly Chunk[]): string {
  return textsOf(chunks).join('');
}

export function tokenIdsOf(chunks: readonly Chunk[]): number[] {
  return chunks.flatMap((chunk) => (chunk.type === 'finish' ? [] : [...chunk.tokenIds]));
}

export function finishOf(chunks: readonly Chunk[]): FinishChunk {
  const last = chunks.at(-1);
  if (last?.type !== 'finish') throw new Error(`The last chunk is ${JSON.stringify(last)}, not a finish.`);
  return last;
}

/** What a call throws, or a promise rejects with. */
export async function failureOf(action: () => unknown): Promise<unknown> {
  try {
    await action();
  } catch (error) {
    return error;
  }
  throw new Error('Nothing was thrown.');
}

/** The code of the RkllmError that a call throws, or a promise rejects with. */
export async function codeOf(action: () => unknown): Promise<RkllmErrorCode> {
  const error = await failureOf(action);
  if (!isRkllmError(error)) throw error;
  if (error.hint === '' || error.message === '') throw new Error(`${error.code} lacks a message or a hint.`);
  return error.code;
}
