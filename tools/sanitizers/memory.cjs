/**
 * Memory over time: a run of 1,000,000 tokens, then 10,000 short runs, on the fake runtime (RUNTIME, or the built one).
 *   node --expose-gc tools/sanitizers/memory.cjs
 * RSS has to be flat: what the last half adds is measured and has to stay below 8 MiB.
 */
const { mkdtempSync, rmSync, writeFileSync } = require('node:fs');
const { tmpdir } = require('node:os');
const path = require('node:path');
const { loadModel } = require('../../dist/index.js');

const root = path.resolve(__dirname, '..', '..');
const runtimePath = process.env.RUNTIME ?? path.join(root, 'build', 'Release', 'fake', 'librkllmrt-1.1.1.so');
const directory = mkdtempSync(path.join(tmpdir(), 'rkllm-memory-'));

function load(name, ...script) {
  const file = path.join(directory, `${name}.rkllm`);
  writeFileSync(file, ['#fake-rkllm', ...script, ''].join('\n'));
  return loadModel(file, { runtimePath, template: 'none', isolation: 'none' });
}

const mib = (bytes) => Math.round((bytes / 2 ** 20) * 10) / 10;

/** The collector's own reserves are not what is looked for. */
function sample() {
  globalThis.gc?.();
  return mib(process.memoryUsage.rss());
}

function report(what, samples) {
  const half = samples[Math.floor(samples.length / 2)];
  const growth = mib((samples.at(-1) - half) * 2 ** 20);
  console.log(`${what}: RSS in MiB ${samples.join(' ')}; the last half added ${growth}`);
  return growth;
}

async function longRun() {
  const model = await load('long', 'token word', 'repeat 1000000', 'token-us 1');
  const samples = [sample()];
  let tokens = 0;
  for await (const chunk of model.generate('hi')) {
    if (chunk.type !== 'text') continue;
    const before = Math.floor(tokens / 100_000);
    tokens += chunk.tokenIds.length;
    if (Math.floor(tokens / 100_000) > before) samples.push(sample());
  }
  await model.dispose();
  if (tokens !== 1_000_000) throw new Error(`${tokens} tokens`);
  return report('1,000,000 tokens in a run', samples);
}

async function shortRuns() {
  const model = await load('short', 'token a', 'token b', 'token c');
  const samples = [];
  for (let i = 0; i <= 10_000; i++) {
    await model.generate('hi');
    if (i % 1000 === 0) samples.push(sample());
  }
  await model.dispose();
  return report('10,000 short runs', samples);
}

async function main() {
  const growth = [await longRun(), await shortRuns()];
  rmSync(directory, { recursive: true });
  // The long run keeps its own text (4 MB) and nothing else.
  process.exitCode = growth.every((added) => added < 8) ? 0 : 1;
}

void main();
