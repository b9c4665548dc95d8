/** What a process holds: children, descriptors, threads, memory. */
import { readdirSync, readFileSync, readlinkSync } from 'node:fs';
import { setTimeout as sleep } from 'node:timers/promises';
import processes from '../../test/support/processes.cjs';

/** A model's process that hangs has two seconds to leave. */
const patienceMs = 10_000;

const tasks = () => readdirSync('/proc/self/task').length;
const rssMb = () => Number(/^VmRSS:\s+(\d+)/mu.exec(readFileSync('/proc/self/status', 'utf8'))[1]) / 1024;

function descriptors() {
  const targets = readdirSync('/proc/self/fd').map((name) => {
    try {
      return readlinkSync(`/proc/self/fd/${name}`);
    } catch {
      return undefined; // that of the listing itself
    }
  });
  return targets.filter((target) => target !== undefined);
}

export class Resources {
  #base;
  #samples = [];

  constructor(onViolation) {
    this.violate = onViolation;
  }

  /** When nothing is under way. The first time says what is normal. */
  async inspect(cycle) {
    await this.#settled(() => processes.childrenOf(process.pid).length === 0);
    for (const { pid, name, state } of processes.childrenOf(process.pid)) {
      this.violate(cycle, `process ${pid} (${name}, state ${state}) is left`);
    }
    const count = { descriptors: descriptors().length, threads: tasks() };
    this.#base ??= count;
    const base = this.#base;
    await this.#settled(() => descriptors().length <= base.descriptors && tasks() <= base.threads);
    if (descriptors().length > base.descriptors) {
      this.violate(cycle, `descriptors have grown from ${base.descriptors}: ${descriptors().join(' ')}`);
    }
    if (tasks() > base.threads) this.violate(cycle, `threads have grown from ${base.threads} to ${tasks()}`);
    this.#samples.push({ cycle, mb: rssMb() });
  }

  /** Memory of the process itself: at the end, and by how much it has grown in the second half, by least squares. */
  memory() {
    const half = this.#samples.slice(Math.floor(this.#samples.length / 2));
    const mean = (of) => half.reduce((sum, sample) => sum + of(sample), 0) / half.length;
    const cycles = mean(({ cycle }) => cycle);
    const mb = mean((sample) => sample.mb);
    const spread = mean(({ cycle }) => (cycle - cycles) ** 2);
    const slope = spread === 0 ? 0 : mean((sample) => (sample.cycle - cycles) * (sample.mb - mb)) / spread;
    const { mb: rss } = this.#samples.at(-1);
    return { rssMb: Math.round(rss), mbPerThousandCycles: Number((1000 * slope).toFixed(2)), samples: half.length };
  }

  /** Collects meanwhile: what is forgotten goes with the garbage. */
  async #settled(holds) {
    for (const deadline = Date.now() + patienceMs; Date.now() < deadline; await sleep(20)) {
      globalThis.gc();
      if (holds()) return;
    }
  }
}
