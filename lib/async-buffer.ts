interface Waiter<T> {
  resolve(result: IteratorResult<T, undefined>): void;
  reject(error: unknown): void;
}

/**
 * Values on their way from a producer that never waits to one reader that may. It holds what the reader has not
 * taken yet; what bounds it is the producer's own limit.
 */
export class AsyncBuffer<T> {
  #values: T[] = [];
  #next = 0;
  #waiters: Waiter<T>[] = [];
  #end: { readonly error?: unknown } | undefined;

  push(value: T): void {
    const waiter = this.#waiters.shift();
    if (waiter === undefined) this.#values.push(value);
    else waiter.resolve({ done: false, value });
  }

  /** No more values: the reader gets what is left, then the end. */
  close(): void {
    this.#end ??= {};
    for (const waiter of this.#waiters.splice(0)) waiter.resolve({ done: true, value: undefined });
  }

  /** No more values: the reader gets what is left, then the error, once. */
  fail(error: unknown): void {
    this.#end ??= { error };
    const [first, ...others] = this.#waiters.splice(0);
    if (first === undefined) return;
    this.#end = {};
    first.reject(error);
    for (const waiter of others) waiter.resolve({ done: true, value: undefined });
  }

  /** Nobody reads on: drops what the reader has not taken, a failure included. */
  discard(): void {
    this.#clear();
    this.close();
    this.#end = {};
  }

  next(): Promise<IteratorResult<T, undefined>> {
    const value = this.#values[this.#next];
    if (value !== undefined) {
      this.#next++;
      if (this.#next === this.#values.length) this.#clear();
      return Promise.resolve({ done: false, value });
    }
    const end = this.#end;
    if (end === undefined) return new Promise((resolve, reject) => this.#waiters.push({ resolve, reject }));
    if (!('error' in end)) return Promise.resolve({ done: true, value: undefined });
    this.#end = {};
    // eslint-disable-next-line @typescript-eslint/prefer-promise-reject-errors -- an AbortSignal's reason may be any value
    return Promise.reject(end.error);
  }

  #clear(): void {
    this.#values = [];
    this.#next = 0;
  }
}
