/** Keeps count of requests: each settles once, with an outcome that it may have, and reaches the runtime at most once. */
import { channels } from '../../dist/index.js';

/** A request that has not settled by then never will. */
const patienceMs = 60_000;

export class Ledger {
  #cycles = new Map();
  #traces = new Map();
  #completed = new Set();
  outcomes = {};
  requests = 0;

  constructor(onViolation) {
    this.violate = onViolation;
    channels.generate.start.subscribe(({ id }) => this.#traces.set(id, 0));
    channels.generate.asyncEnd.subscribe(({ id }) => {
      const count = (this.#traces.get(id) ?? 0) + 1;
      this.#traces.set(id, count);
      if (count > 1) this.violate(undefined, `request ${id} has settled ${count} times`);
    });
  }

  /**
   * @param allowed - codes and names of errors that it may be rejected with.
   * @param check - looks at what it was resolved with; gives what is wrong.
   */
  request(cycle, prompt, promise, allowed, check = () => undefined) {
    this.requests++;
    const settled = promise.then(
      (value) => {
        const partial = [value].flat().some(({ finishReason }) => finishReason === 'abort');
        if (!partial) this.#completed.add(prompt);
        this.#count('done');
        const wrong = check(value);
        if (wrong !== undefined) this.violate(cycle, `${prompt}: ${wrong}`);
      },
      (error) => {
        const code = codeOf(error);
        this.#count(code);
        if (!allowed.includes(code)) this.violate(cycle, `${prompt} was rejected with ${error?.stack ?? error}`);
      },
    );
    const open = this.#cycles.get(cycle) ?? [];
    this.#cycles.set(cycle, [...open, { prompt, settled }]);
    return settled;
  }

  /** Waits for all requests of a cycle. */
  async close(cycle) {
    const open = this.#cycles.get(cycle) ?? [];
    this.#cycles.delete(cycle);
    for (const { prompt, settled } of open) {
      if (!(await within(settled, patienceMs))) this.violate(cycle, `${prompt} is lost: it has not settled`);
    }
  }

  /** When nothing is under way: against what the runtimes have written down. */
  reconcile({ runs, violations }) {
    for (const violation of violations) this.violate(undefined, violation);
    for (const [prompt, times] of runs) {
      if (times > 1) this.violate(undefined, `${prompt} was run ${times} times`);
    }
    for (const prompt of this.#completed) {
      if (!runs.has(prompt)) this.violate(undefined, `${prompt} was answered and never run`);
    }
    const unsettled = [...this.#traces.values()].filter((count) => count === 0).length;
    if (unsettled > 0) this.violate(undefined, `${unsettled} generations have been told to start and never to end`);
    this.#completed.clear();
    this.#traces.clear();
  }

  #count(outcome) {
    this.outcomes[outcome] = (this.outcomes[outcome] ?? 0) + 1;
  }
}

/** An RkllmError's code, else the error's name. */
export function codeOf(error) {
  return typeof error?.code === 'string' ? error.code : (error?.name ?? String(error));
}

/** Whether a promise settles in that time. */
export async function within(promise, ms) {
  let limit;
  const late = new Promise((resolve) => (limit = setTimeout(resolve, ms, false)));
  const settled = () => true;
  try {
    return await Promise.race([promise.then(settled, settled), late]);
  } finally {
    clearTimeout(limit);
  }
}
