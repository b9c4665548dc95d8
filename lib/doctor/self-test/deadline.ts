/** What became of work that had a time limit. */
export type Timed<T> =
  | { readonly outcome: 'done'; readonly value: T }
  | { readonly outcome: 'failed'; readonly error: unknown }
  /** It was told to stop, and `stopped` says whether it has. */
  | { readonly outcome: 'timed-out'; readonly stopped: boolean };

/**
 * Gives work a time limit. When it is over the signal aborts, and the work has a while to come to its end; then it is left
 * alone. Never rejects.
 */
export async function withDeadline<T>(
  { deadlineMs, graceMs }: { readonly deadlineMs: number; readonly graceMs: number },
  work: (signal: AbortSignal) => Promise<T>,
): Promise<Timed<T>> {
  const controller = new AbortController();
  const ended = work(controller.signal).then(
    (value): Timed<T> => ({ outcome: 'done', value }),
    (error: unknown): Timed<T> => ({ outcome: 'failed', error }),
  );
  const inTime = await before(deadlineMs, ended);
  if (inTime !== undefined) return inTime;
  controller.abort(new Error('It took too long.'));
  return { outcome: 'timed-out', stopped: (await before(graceMs, ended)) !== undefined };
}

/** Undefined: the time was over first. */
async function before<T>(ms: number, promise: Promise<T>): Promise<T | undefined> {
  let timer: NodeJS.Timeout | undefined;
  const over = new Promise<undefined>((resolve) => (timer = setTimeout(() => resolve(undefined), ms)));
  try {
    return await Promise.race([promise, over]);
  } finally {
    clearTimeout(timer);
  }
}
