import { setImmediate as yieldToEventLoop, setTimeout as sleep } from 'node:timers/promises';
import type { Run, RunEnd, TokenBatch } from './backends/backend.js';

/** A flood of tokens must not starve timers and sockets: after so many, the event loop gets its turn. */
const tokensPerTurn = 2048;

/** Nor is each of its tokens worth a wake-up: they gather while the reader pauses. No engine is near such a speed. */
const pauseMs = 1;

/**
 * Reads a run to its end.
 *
 * @param accept - takes the tokens of a batch from `from` up to `to`. What it throws ends the reading, not the run.
 * @returns how the run ended, or rejects with its failure.
 */
export async function readRun(
  run: Run,
  accept: (batch: TokenBatch, from: number, to: number) => void,
): Promise<RunEnd> {
  let ended = false as boolean; // changed by the callback below
  const markEnded = (): void => void (ended = true);
  run.ended.then(markEnded, markEnded);
  let sincePause = 0;
  for (;;) {
    const batch = run.drain();
    if (batch !== undefined) {
      const { length } = batch.tokenIds;
      for (let from = 0; from < length; from += tokensPerTurn) {
        if (from > 0) await yieldToEventLoop();
        accept(batch, from, Math.min(from + tokensPerTurn, length));
      }
      sincePause += length;
      if (sincePause < tokensPerTurn) continue;
      sincePause = 0;
      await sleep(pauseMs);
    } else if (ended) {
      return run.ended;
    } else {
      await run.readable();
    }
  }
}
