/**
 * Loads, asks, stops, crashes, forgets and disposes of fake models at random, in both isolation modes and in worker
 * threads, and watches that nothing is lost, doubled or left behind.
 *
 *   npm run build && npm run soak [-- --cycles N] [--seed N] [--first N] [--lanes N]
 *
 * Progress on stderr, a summary as JSON on stdout. Exit code 1: a violation, which is told with its seed and cycle; run
 * one again with --seed SEED --first CYCLE --cycles 1.
 */
import { performance } from 'node:perf_hooks';
import { parseArgs } from 'node:util';
import { runCycle } from './cycles.mjs';
import { takeJournal } from './fake-models.mjs';
import { Ledger } from './ledger.mjs';
import { choices } from './random.mjs';
import { Resources } from './resources.mjs';

const { values: options } = parseArgs({
  options: {
    cycles: { type: 'string', default: '2000' },
    seed: { type: 'string', default: String(Date.now() % 1_000_000) },
    first: { type: 'string', default: '0' },
    lanes: { type: 'string', default: '4' },
  },
});
const seed = Number(options.seed);
const first = Number(options.first);
const end = first + Number(options.cycles);
/** So many cycles run, some at a time; then everything has to be as it was. */
const stage = 40;
/** What memory may grow by, from what a heap and its allocator do by themselves. Judged from ten samples on. */
const growthLimitMbPerThousandCycles = 6;
const samplesToJudge = 10;

const violations = [];
const report = (cycle, what) => {
  violations.push({ seed, cycle, what: String(what) });
  console.error(`violation (--seed ${seed}, cycle ${cycle ?? `up to ${next}`}): ${what}`);
};
process.on('unhandledRejection', (reason) => report(undefined, `unhandled rejection: ${reason?.stack ?? reason}`));
process.on('warning', (warning) => report(undefined, `warning: ${warning.stack}`));

const ledger = new Ledger(report);
const resources = new Resources(report);
const kinds = {};
const started = performance.now();
let next = first;

async function lane(until) {
  while (next < until) {
    const cycle = next++;
    try {
      const kind = await runCycle(ledger, cycle, choices(seed, cycle));
      kinds[kind] = (kinds[kind] ?? 0) + 1;
    } catch (error) {
      report(cycle, error?.stack ?? error);
    }
  }
}

console.error(`seed ${seed}, cycles ${first} to ${end - 1}`);
while (next < end) {
  const until = Math.min(end, next + stage);
  await Promise.all(Array.from({ length: Number(options.lanes) }, () => lane(until)));
  await resources.inspect(next);
  ledger.reconcile(takeJournal());
  const { rssMb } = resources.memory();
  console.error(`${next - first} cycles, ${ledger.requests} requests, ${rssMb} MB, ${violations.length} violations`);
}

const memory = resources.memory();
if (memory.samples >= samplesToJudge && memory.mbPerThousandCycles > growthLimitMbPerThousandCycles) {
  report(undefined, `memory grows by ${memory.mbPerThousandCycles} MB in 1,000 cycles`);
}
const summary = {
  ...{ seed, first, cycles: end - first, seconds: Math.round((performance.now() - started) / 1000) },
  ...{ requests: ledger.requests, kinds, outcomes: ledger.outcomes, memory, violations },
};
console.log(JSON.stringify(summary));
process.exitCode = violations.length === 0 ? 0 : 1;
