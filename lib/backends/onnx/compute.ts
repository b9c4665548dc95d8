import { RkllmError } from '../../errors.js';
import type { ComputedOutput } from '../backend.js';
import type { Matrix } from '../runtime-controls.js';
import { ClosingError } from './busy-guard.js';
import { timed, type Decoding } from './decode-loop.js';
import type { Decoder } from './decoder.js';

/**
 * Computes a prompt from its start, chunk by chunk, and collects what the graph gives of each token; the last row, where
 * it gives no others.
 *
 * @returns undefined when it was stopped.
 */
export async function computeAll(
  decoder: Decoder,
  output: ComputedOutput,
  { prompt, chunks, pacer, stop }: Pick<Decoding, 'prompt' | 'chunks' | 'pacer' | 'stop'>,
): Promise<Matrix | undefined> {
  decoder.restart(prompt.length);
  pacer?.begin();
  const parts: Matrix[] = [];
  let isPruned = false;
  try {
    for (let start = 0; start < prompt.length;) {
      if (stop.aborted) return undefined;
      const end = start + Math.max(chunks.size, decoder.smallestChunk);
      const chunk = prompt.subarray(start, end);
      start = end;
      const part = await timed(chunks, chunk.length, () => decoder.computeRows(chunk, output));
      isPruned ||= part.rows < chunk.length;
      parts.push(part);
      await pacer?.prefilled(chunk.length, stop);
    }
  } catch (error) {
    if (error instanceof ClosingError) return undefined;
    throw error;
  }
  if (stop.aborted) return undefined;
  return joined(isPruned ? parts.slice(-1) : parts);
}

function joined(parts: readonly Matrix[]): Matrix {
  const columns = parts[0]?.columns ?? 0;
  const rows = parts.reduce((sum, part) => sum + part.rows, 0);
  const values = allocated(rows, columns);
  let at = 0;
  for (const part of parts) {
    values.set(part.values, at);
    at += part.values.length;
  }
  return { values, rows, columns };
}

function allocated(rows: number, columns: number): Float32Array {
  try {
    return new Float32Array(rows * columns);
  } catch (cause) {
    const megabytes = Math.ceil((4 * rows * columns) / 2 ** 20);
    throw new RkllmError('RKLLM_RUN_FAILED', `There is no memory for ${rows} rows, which take ${megabytes} MiB.`, {
      hint: 'Give a shorter prompt.',
      details: { rows, columns, megabytes },
      cause,
    });
  }
}
