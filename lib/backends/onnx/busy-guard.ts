import { runInThisContext } from 'node:vm';

/**
 * Node.js aborts the whole process (SIGABRT) when it tears down a worker thread that is inside a native ONNX Runtime
 * call: the addon then cannot make its result and throws where nothing catches. So the worker says in shared memory
 * when it is in such a call, and whoever ends the process waits for that.
 *
 * The order matters. The worker stores BUSY before it reads CLOSING, the other side stores CLOSING before it reads
 * BUSY: either the worker sees the request, or the other side sees the worker busy.
 */
const CLOSING = 0;
const BUSY = 1;
const cellCount = 2;

/** A call takes as long as one prompt chunk. When it lasts longer than this the exit no longer waits. */
const longestWaitMs = 60_000;
const pollMs = 1000;

export type GuardCells = Int32Array;

export function createGuardCells(): GuardCells {
  return new Int32Array(new SharedArrayBuffer(cellCount * Int32Array.BYTES_PER_ELEMENT));
}

/** Thrown instead of entering a native call while the engine is being closed. */
export class ClosingError extends Error {
  override readonly name = 'ClosingError';
}

/** The engine's side: brackets every native call. */
export class BusyGuard {
  readonly #cells: GuardCells;

  constructor(cells: GuardCells) {
    this.#cells = cells;
  }

  get closing(): boolean {
    return Atomics.load(this.#cells, CLOSING) !== 0;
  }

  close(): void {
    Atomics.store(this.#cells, CLOSING, 1);
  }

  async run<T>(call: () => Promise<T>): Promise<T> {
    Atomics.store(this.#cells, BUSY, 1);
    try {
      if (this.closing) throw new ClosingError('The engine is being closed.');
      return await call();
    } finally {
      Atomics.store(this.#cells, BUSY, 0);
      Atomics.notify(this.#cells, BUSY);
    }
  }
}

/** Cells of all engines that this thread owns. */
const watched = new Set<GuardCells>();

/** Makes the exit of this thread wait for the engine's native call. One handler serves all engines. */
export function watchExit(cells: GuardCells): void {
  if (watched.size === 0) realProcess().on('exit', closeAll);
  watched.add(cells);
}

export function unwatchExit(cells: GuardCells): void {
  watched.delete(cells);
  if (watched.size === 0) realProcess().off('exit', closeAll);
}

/** In a test of Jest `process` is a copy whose handlers nobody calls. */
function realProcess(): NodeJS.Process {
  return runInThisContext('process') as NodeJS.Process;
}

function closeAll(): void {
  for (const cells of watched) Atomics.store(cells, CLOSING, 1);
  const deadline = performance.now() + longestWaitMs;
  for (const cells of watched) {
    while (Atomics.load(cells, BUSY) !== 0 && performance.now() < deadline) Atomics.wait(cells, BUSY, 1, pollMs);
  }
}
