/**
 * Leaves models of the CPU at every moment and in every way, each time in a process of its own, and looks how that ends: Node.js
 * aborts a process whose thread is torn down inside ONNX Runtime.
 *
 *   npm run build:ts && npm run soak:onnx [-- --times N] [--seed N] [--lanes N]
 *
 * Progress on stderr, a summary as JSON on stdout. Exit code 1: one did not end as it should.
 */
import { execFile } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { choices } from './random.mjs';

const { values: options } = parseArgs({
  options: {
    times: { type: 'string', default: '200' },
    seed: { type: 'string', default: String(Date.now() % 1_000_000) },
    lanes: { type: 'string', default: '2' },
  },
});
const times = Number(options.times);
const seed = Number(options.seed);
const leaver = fileURLToPath(new URL('onnx-leaver.cjs', import.meta.url));

/** With what a process ends, by the way in which its models are left. */
const codes = { exit: 3, throw: 1, dispose: 0, stopLoad: 0, forget: 0, terminate: 0 };
const ways = Object.keys(codes);
const moments = ['load', 'prefill', 'decode', 'idle'];

function run(job) {
  const args = ['--expose-gc', leaver, JSON.stringify(job)];
  return new Promise((resolve) => {
    const child = execFile(process.execPath, args, { timeout: 120_000 }, (_, stdout, stderr) => {
      resolve({ code: child.exitCode, signal: child.signalCode, stdout, stderr });
    });
  });
}

/** @returns what is wrong. */
function problem({ way }, { code, signal, stdout, stderr }) {
  if (signal !== null || code !== codes[way]) return `ended with ${signal ?? code}: ${stderr.slice(0, 500)}`;
  if (way === 'throw' ? !stderr.includes('Error: mine') : stderr !== '') return `printed ${stderr.slice(0, 500)}`;
  return stdout === '' ? undefined : `printed ${stdout.slice(0, 500)}`;
}

const violations = [];
const done = {};
let next = 0;

async function lane() {
  while (next < times) {
    const number = next++;
    const random = choices(seed, number);
    const way = ways[number % ways.length];
    const moment = moments[(number + Math.floor(number / ways.length)) % moments.length]; // all pairs come in turn
    const job = { way, moment, models: random.chance(0.3) ? 2 : 1, delay: random.below(random.chance(0.5) ? 10 : 80) };
    const wrong = problem(job, await run(job));
    done[way] = (done[way] ?? 0) + 1;
    if (wrong !== undefined) {
      violations.push({ number, ...job, wrong });
      console.error(`violation (--seed ${seed}, number ${number}): ${JSON.stringify(job)} ${wrong}`);
    }
    if (next % 20 === 0) console.error(`${next} of ${times}, ${violations.length} violations`);
  }
}

await Promise.all(Array.from({ length: Number(options.lanes) }, lane));
console.log(JSON.stringify({ seed, times, ways: done, violations }));
process.exitCode = violations.length === 0 ? 0 : 1;
