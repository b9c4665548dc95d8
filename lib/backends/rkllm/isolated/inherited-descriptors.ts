import { closeSync, readFileSync, readdirSync } from 'node:fs';

/** What this process is given on purpose. */
const lastGiven = 3;
const closeOnExec = 0o2000000;

/**
 * Closes what the application, or what has started it, has left open for all its children: what has outlived an exec is
 * what is not closed by one. To be called before anything else opens files. Nothing where there is no /proc.
 */
export function closeInherited(): void {
  for (const descriptor of listed()) {
    if (descriptor <= lastGiven || (flagsOf(descriptor) & closeOnExec) !== 0) continue;
    closeSync(descriptor);
  }
}

function listed(): number[] {
  try {
    return readdirSync('/proc/self/fd').map(Number);
  } catch {
    return [];
  }
}

/** That of the listing itself is gone by now. */
function flagsOf(descriptor: number): number {
  try {
    const [, flags = ''] = /^flags:\s+(\d+)/mu.exec(readFileSync(`/proc/self/fdinfo/${descriptor}`, 'utf8')) ?? [];
    return Number.parseInt(flags, 8);
  } catch {
    return closeOnExec;
  }
}
