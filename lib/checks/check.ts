/**
 * `'ok'`; `'warn'`: works, but worse than it could, or may not work; `'fail'`: cannot work; `'skip'`: does not apply
 * here, or could not be looked at.
 */
export type CheckStatus = 'ok' | 'warn' | 'fail' | 'skip';

/** One thing that was looked at, and what it means. Plain values only. */
export interface Check {
  /** Stable, such as `'driver'` or `'model.chip'`. */
  readonly id: string;
  /** What was looked at, in a few words. */
  readonly title: string;
  /** What it came to. */
  readonly status: CheckStatus;
  /** What was found. */
  readonly found: string;
  /** Why it matters. */
  readonly why: string;
  /** What to do about it, commands between backticks. Absent where there is nothing to do. */
  readonly fix?: string;
}

/** What a check always says. */
export type Subject = Pick<Check, 'id' | 'title' | 'why'>;

export function conclude(subject: Subject, status: CheckStatus, found: string, fix?: string): Check {
  const { id, title, why } = subject;
  return fix === undefined ? { id, title, status, found, why } : { id, title, status, found, why, fix };
}

/** Such as `3.6 GiB` or `512 MiB`. */
export function inBytes(bytes: number): string {
  const gibibyte = 1024 ** 3;
  if (bytes >= gibibyte) return `${(bytes / gibibyte).toFixed(1)} GiB`;
  return bytes >= 1024 ** 2 ? `${(bytes / 1024 ** 2).toFixed(0)} MiB` : `${bytes} bytes`;
}
