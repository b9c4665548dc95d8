/**
 * What is done with a design of the token path, in the process that is measured. A design is `{ load, read }`: `load(file)`
 * gives a handle, `read(handle, sums)` reads one answer of it. Costs include those of the processes that models are in.
 */
import { readdirSync, readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import path from 'node:path';
import { monitorEventLoopDelay, performance } from 'node:perf_hooks';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';

const require = createRequire(import.meta.url);
const root = path.join(path.dirname(fileURLToPath(import.meta.url)), '../..');
const { childrenOf } = require(path.join(root, 'test/support/processes.cjs'));

/** What a consumer finds out; compared with what the raw loop found, so that no design can skip work. */
export const nothing = () => ({ tokens: 0, characters: 0, ids: 0 });

export function loader(job) {
  const { loadModel } = require(path.join(root, 'dist/index.js'));
  const { isolation = 'none', runtime: runtimePath } = job;
  return (model, more = {}) => loadModel(model, { runtimePath, template: 'none', isolation, ...more });
}

/** Of this process and its children, in ms. What a thread used that has ended since is not seen. */
function cpuOfAll() {
  const { user, system } = process.cpuUsage();
  const threads = childrenOf(process.pid).flatMap(({ pid }) =>
    readdirSync(`/proc/${pid}/task`).map((thread) => `/proc/${pid}/task/${thread}/schedstat`),
  );
  const nanoseconds = threads.map((file) => Number(readFileSync(file, 'utf8').split(' ')[0]));
  return (user + system) / 1000 + nanoseconds.reduce((sum, value) => sum + value, 0) / 1e6;
}

/** Of this process and its children together. */
function peakRssMbOfAll() {
  const peaks = [process.pid, ...childrenOf(process.pid).map(({ pid }) => pid)].map((pid) =>
    Number(/^VmHWM:\s+(\d+)/mu.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))[1]),
  );
  return peaks.reduce((sum, value) => sum + value, 0) / 1024;
}

/** Without `job.warmUp` the model itself is read once before. */
export async function flood({ load, read }, job) {
  const warmUp = job.warmUp === undefined ? undefined : await load(job.warmUp);
  const handle = await load(job.model);
  await read(warmUp ?? handle, nothing());
  const sums = nothing();
  const cpuBefore = cpuOfAll();
  const start = performance.now();
  await read(handle, sums);
  const wallMs = performance.now() - start;
  const cpuMs = cpuOfAll() - cpuBefore;
  const peakRssMb = peakRssMbOfAll();
  // Not in the timed flood: a timer every millisecond has its price.
  const delay = await loopDelay(async () => {
    for (let i = 0; i < job.delayFloods; i++) await read(handle, nothing());
  });
  const idle = await loopDelay(() => sleep(300));
  return {
    ...sums,
    ...{ wallMs, cpuMs, peakRssMb },
    loopP99Ms: delay.percentile(99) / 1e6,
    loopMaxMs: delay.max / 1e6,
    idleP99Ms: idle.percentile(99) / 1e6,
  };
}

/** How late a timer of 1 ms comes; includes that millisecond. */
async function loopDelay(during) {
  const delay = monitorEventLoopDelay({ resolution: 1 });
  delay.enable();
  await during();
  delay.disable();
  return delay;
}

/** CPU time as a share of wall time at a steady rate, from the first token on. */
export async function pace({ load, read }, job) {
  const handle = await load(job.model);
  if (job.warmUp !== undefined) await read(await load(job.warmUp), nothing());
  const sums = nothing();
  const cpuBefore = cpuOfAll();
  const start = performance.now();
  await read(handle, sums);
  return { ...sums, cpuShare: (cpuOfAll() - cpuBefore) / (performance.now() - start) };
}

/** From abort() to the settled result, where abort() is called as soon as a token is there. */
export async function abort({ load }, job) {
  const model = await load(job.model);
  const latencies = [];
  const periods = [];
  for (let i = 0; i < job.aborts; i++) {
    const generation = model.generate('x');
    let seen = 0;
    let last = 0;
    for await (const chunk of generation) {
      if (chunk.type !== 'text') continue;
      const now = performance.now();
      if (seen > 0) periods.push(now - last);
      last = now;
      if (++seen < 3) continue;
      generation.abort();
      const { finishReason } = await generation;
      latencies.push(performance.now() - now);
      if (finishReason !== 'abort') throw new Error(`the run ended with ${finishReason}`);
      break;
    }
  }
  return { latencies, periods };
}

export async function readChunks(model, sums) {
  for await (const chunk of model.generate('x')) {
    if (chunk.type !== 'text') continue;
    sums.tokens += chunk.tokenIds.length;
    sums.characters += chunk.text.length;
  }
}

export async function readChunkTokens(model, sums) {
  for await (const chunk of model.generate('x')) {
    if (chunk.type !== 'text') continue;
    for (const id of chunk.tokenIds) {
      sums.tokens++;
      sums.ids += id;
    }
    sums.characters += chunk.text.length;
  }
}

export async function readTextStream(model, sums) {
  for await (const text of model.generate('x').textStream) sums.characters += text.length;
}
