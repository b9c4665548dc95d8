/**
 * The ONNX backend on a model of the size of Phi-3-mini against the least that ONNX Runtime itself needs: the same graph, run
 * in a bare loop. Load, memory and aborts are measured in a process for each; what is compared takes turns in one process, so that
 * a busy machine slows both. See bench/onnx.mjs for how it is called.
 */
import { execFileSync, fork } from 'node:child_process';
import { existsSync, readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import os from 'node:os';
import path from 'node:path';
import { performance } from 'node:perf_hooks';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { machine, median, round } from './common/figures.mjs';

const require = createRequire(import.meta.url);
const file = fileURLToPath(import.meta.url);
const root = path.join(path.dirname(file), '..');
const threads = Math.min(4, os.availableParallelism());
const bareChunk = 64;
/** Room for so many tokens more than a bare loop needs: what that costs is measured, too. */
const unusedRoom = 1024;

/** Each in a process of its own. */
const jobs = {
  bare: async ({ directory, prompt, tokens }) => {
    const { loadMs, ask } = await bareLoop(directory);
    const figures = { loadMs: round(loadMs), ...(await askedTwice(ask, prompt, tokens)), ...memory() };
    const { decodeTokensPerSecond } = await ask(idsOf(prompt, 2), tokens, unusedRoom);
    return { ...figures, decodeTokensPerSecondWithUnusedRoom: decodeTokensPerSecond };
  },
  /** As users have it: chunks of the prompt as large as an abort may wait. */
  backend: (job) => measureBackend(job, {}),
  /** In the same chunks as the bare loop. */
  backendWithLargeChunks: (job) => measureBackend(job, { prefillChunk: bareChunk }),
  /** Both in turns, in the same chunks. */
  compare: async ({ directory, prompt, tokens, rounds }) => {
    const bare = await bareLoop(directory);
    const { ask } = await loadBackend(directory, { prefillChunk: bareChunk });
    const ratios = { prefill: [], decode: [] };
    for (let number = -1; number < rounds; number++) {
      // Who is second finds the machine as the first has left it.
      const order = number % 2 === 0 ? [bare.ask, ask] : [ask, bare.ask];
      const given = new Map();
      for (const one of order) given.set(one, await one(idsOf(prompt, number + 60), tokens));
      if (number < 0) continue; // the first one warms up
      const [theirs, ours] = [given.get(bare.ask), given.get(ask)];
      ratios.prefill.push(ours.prefillTokensPerSecond / theirs.prefillTokensPerSecond);
      ratios.decode.push(ours.decodeTokensPerSecond / theirs.decodeTokensPerSecond);
      console.error(`round ${number}: ${JSON.stringify({ theirs, ours })}`);
    }
    return { prefill: round(median(ratios.prefill)), decode: round(median(ratios.decode)) };
  },
  /** Leaves in the middle of a prompt. */
  exit: async ({ directory, prompt }) => {
    const { start } = await loadBackend(directory, {});
    start(idsOf(prompt, 1), 1);
    setTimeout(() => process.exit(exitCode), 700);
    return new Promise(() => undefined);
  },
};
const exitCode = 3;

/**
 * @param options.cache - where the model is, or is put; outside the repository, and kept.
 * @param options.prompt - tokens of the prompt.
 * @param options.tokens - tokens of the answer.
 * @param options.rounds - of the comparison.
 */
export async function benchFullSize({ cache, prompt, tokens, rounds }) {
  const directory = path.resolve(cache ?? path.join(os.tmpdir(), 'rkllm-bench-phi3-mini-shaped-int4'));
  writeModel(directory);
  const job = { directory, prompt, tokens, rounds };
  const figures = {};
  for (const name of ['bare', 'backend', 'backendWithLargeChunks']) {
    figures[name] = await inProcess({ ...job, name });
    console.error(`${name}: ${JSON.stringify(figures[name])}`);
  }
  const toBare = await inProcess({ ...job, name: 'compare' });
  const { code, signal } = await ended(start({ ...job, name: 'exit' }));
  return {
    ...{ threads, ...job, load: os.loadavg().map(round), ...machine() },
    figures,
    toBare,
    exitInTheMiddle: { code, signal, isClean: code === exitCode },
  };
}

/** Two gigabytes, written once. Removing the directory is up to who runs this. */
function writeModel(directory) {
  if (existsSync(path.join(directory, 'genai_config.json'))) return;
  execFileSync(process.execPath, [require.resolve('typescript/bin/tsc'), '-p', path.join(root, 'tools')]);
  const { writeFullSizeModel } = require(path.join(root, 'build/tools/onnx/write-full-size-model.js'));
  let told = 0;
  writeFullSizeModel(directory, (bytes) => {
    if (bytes - told < 2 ** 28) return;
    told = bytes;
    console.error(`${directory}: ${(bytes / 1e9).toFixed(1)} GB`);
  });
}

function start(job) {
  return fork(file, [], { env: { ...process.env, RKLLM_BENCH_JOB: JSON.stringify(job) } });
}

function ended(child) {
  return new Promise((resolve) => child.on('exit', (code, signal) => resolve({ code, signal })));
}

async function inProcess(job) {
  const child = start(job);
  let result;
  child.on('message', (message) => (result = message));
  const { code, signal } = await ended(child);
  if (code !== 0 || result === undefined) throw new Error(`${job.name} ended with ${signal ?? code}`);
  return result;
}

/** Any text will do. */
function idsOf(count, seed) {
  return Int32Array.from({ length: count }, (_, i) => 100 + ((seed + i * 37) % 200));
}

function residentMb(field) {
  return Number(new RegExp(`^${field}:\\s+(\\d+)`, 'mu').exec(readFileSync('/proc/self/status', 'utf8'))[1]) / 1024;
}

function memory() {
  return { rssMb: round(residentMb('VmRSS')), anonymousMb: round(residentMb('RssAnon')) };
}

/** The first time the weights come from the disk, and chunks find their size. */
async function askedTwice(ask, prompt, tokens) {
  await ask(idsOf(32, 7), 3);
  return ask(idsOf(prompt, 1), tokens);
}

async function bareLoop(directory) {
  const ort = require('onnxruntime-node');
  const { model } = JSON.parse(readFileSync(path.join(directory, 'genai_config.json'), 'utf8'));
  const startedAt = performance.now();
  const session = await ort.InferenceSession.create(path.join(directory, model.decoder.filename), {
    executionProviders: ['cpu'],
    intraOpNumThreads: threads,
    logSeverityLevel: 4,
  });
  const loadMs = performance.now() - startedAt;
  const feeds = {};
  const fetches = {};
  const makeRoom = (capacity) => {
    for (const { name, shape } of session.inputMetadata.filter(({ name }) => name.startsWith('past_key_values.'))) {
      const dims = [1, shape[1], capacity, shape[3]];
      if (feeds[name]?.dims[2] === capacity) continue;
      const tensor = new ort.Tensor('float32', new Float32Array(dims.reduce((a, b) => a * b)), dims);
      feeds[name] = tensor;
      fetches[name.replace('past_key_values', 'present')] = tensor;
    }
  };
  const logits = new ort.Tensor('float32', new Float32Array(model.vocab_size), [1, 1, model.vocab_size]);
  let length = 0;
  const run = async (ids) => {
    length += ids.length;
    feeds.input_ids = new ort.Tensor('int64', BigInt64Array.from(ids, BigInt), [1, ids.length]);
    feeds.attention_mask = new ort.Tensor('int64', new BigInt64Array(length).fill(1n), [1, length]);
    const { logits: given } = await session.run(feeds, { ...fetches, logits: ids.length === 1 ? logits : null });
    const row = given.data.subarray(given.data.length - model.vocab_size);
    let best = 0;
    for (let v = 1; v < row.length; v++) if (row[v] > row[best]) best = v;
    return best;
  };
  const ask = async (ids, tokens, unused = 0) => {
    makeRoom(ids.length + tokens + unused);
    length = 0;
    const prefillFrom = performance.now();
    let next = 0;
    for (let at = 0; at < ids.length; at += bareChunk) next = await run(ids.subarray(at, at + bareChunk));
    const decodeFrom = performance.now();
    for (let i = 1; i < tokens; i++) next = await run([next]);
    return speeds(ids.length, decodeFrom - prefillFrom, tokens, performance.now() - decodeFrom);
  };
  return { loadMs, ask };
}

function speeds(promptTokens, prefillMs, tokens, decodeMs) {
  return {
    prefillTokensPerSecond: round((1000 * promptTokens) / prefillMs),
    decodeTokensPerSecond: round((1000 * (tokens - 1)) / decodeMs),
  };
}

async function loadBackend(directory, options) {
  const { createOnnxBackend } = require(path.join(root, 'dist/backends/onnx/index.js'));
  const startedAt = performance.now();
  const model = await createOnnxBackend().load({ path: directory, sampling: {}, threads, ...options });
  const loadMs = performance.now() - startedAt;
  const start = (ids, maxNewTokens) =>
    model.start({ input: { type: 'tokens', tokenIds: ids }, maxNewTokens, sampling: {} });
  const ask = async (ids, tokens) => {
    const run = start(ids, tokens);
    let produced = 0;
    for (let batch; (batch = (await run.readable(), run.drain())) !== undefined;) produced += batch.tokenIds.length;
    const { promptTokens, cachedPromptTokens, prefillMs, decodeMs } = await run.ended;
    return speeds(promptTokens - cachedPromptTokens, prefillMs, produced, decodeMs);
  };
  return { loadMs, model, start, ask };
}

async function measureBackend({ directory, prompt, tokens }, options) {
  const { loadMs, model, start, ask } = await loadBackend(directory, options);
  const figures = await askedTwice(ask, prompt, tokens);
  const used = memory();
  const aborts = [];
  for (let i = 0; i < 5; i++) {
    const long = start(idsOf(prompt, 50 + i), tokens);
    await sleep(300 + 130 * i);
    const abortedAt = performance.now();
    long.abort();
    const { reason } = await long.ended;
    if (reason !== 'aborted')
      throw new Error(`${prompt} tokens were computed before they were aborted: give a longer prompt.`);
    aborts.push(round(performance.now() - abortedAt));
  }
  await model.dispose();
  return { loadMs: round(loadMs), ...figures, ...used, abortMs: median(aborts), longestAbortMs: Math.max(...aborts) };
}

const { RKLLM_BENCH_JOB: given } = process.env;
if (given !== undefined && process.argv[1] === file) {
  const job = JSON.parse(given);
  const result = await jobs[job.name](job);
  process.send(result, () => process.exit(0));
}
