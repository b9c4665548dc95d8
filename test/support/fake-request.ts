import { randomUUID } from 'node:crypto';
import type { QueuedRequest } from '../../lib/request-queue.js';

/** A request that has its slot until the test finishes it. */
export class FakeRequest implements QueuedRequest {
  readonly id = randomUUID();
  state: 'waiting' | 'running' | 'settled' = 'waiting';
  readonly refusals: unknown[] = [];
  /** Resolves when the request is told that its slot is free again. */
  readonly settled: Promise<void>;
  finish!: () => void; // set in the constructor
  readonly #finished: Promise<void>;
  #settle!: () => void; // set in the constructor

  constructor() {
    this.#finished = new Promise((resolve) => (this.finish = resolve));
    this.settled = new Promise((resolve) => (this.#settle = resolve));
  }

  async run(): Promise<() => void> {
    if (this.state !== 'waiting') throw new Error('It has been run before.');
    this.state = 'running';
    await this.#finished;
    return () => {
      this.state = 'settled';
      this.#settle();
    };
  }

  refuse(reason: unknown): void {
    this.refusals.push(reason);
  }
}
