/** The programs that are measured, each in a process of its own, and the fake models that they run. */
import { execFileSync } from 'node:child_process';
import { existsSync, mkdirSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { floodFigures, median, round } from './figures.mjs';

export const bench = path.join(path.dirname(fileURLToPath(import.meta.url)), '..');
export const root = path.join(bench, '..');
export const out = path.join(root, 'build-bench');
export const runtime = path.join(root, 'build/Release/fake/librkllmrt-1.1.1.so');
/** The first that are asked for logits are those from 1.2.0 on. */
export const laterRuntime = path.join(root, 'build/Release/fake/librkllmrt-1.2.3.so');
export const addon = path.join(root, 'build/Release/rkllm.node');
export const abortPeriodMs = 10;

for (const file of [runtime, addon, path.join(root, 'dist/index.js')]) {
  if (!existsSync(file)) throw new Error(`${file} is missing: npm run build`);
}
mkdirSync(out, { recursive: true });

export function source(name) {
  return path.join(bench, 'native', name);
}

/** A fake model. */
export function script(name, ...lines) {
  const file = path.join(out, `${name}.rkllm`);
  writeFileSync(file, ['#fake-rkllm', ...lines, ''].join('\n'));
  return file;
}

export function repeating(name, tokens, ...lines) {
  return script(name, 'token ab ', 'token cd ', `repeat ${tokens / 2}`, ...lines);
}

export const warmUp = repeating('warm-up', 100_000);
export const abortModel = repeating('abort', 1000, `token-us ${abortPeriodMs * 1000}`);

/** By tokens per second. */
export function pacedModels(seconds) {
  const entries = [10, 100, 1000].map((rate) => [
    rate,
    repeating(`pace-${rate}`, Math.max(2, rate * seconds), `token-us ${1e6 / rate}`),
  ]);
  return Object.fromEntries(entries);
}

/** A callback in C that looks at every token; see native/raw.c. */
export function compileRaw() {
  const raw = path.join(out, 'raw');
  execFileSync('g++', ['-x', 'c', '-O2', '-Wall', '-Wextra', '-o', raw, source('raw.c'), '-ldl']);
  return (model) => JSON.parse(execFileSync(raw, [runtime, warmUp, model], { encoding: 'utf8' }));
}

/** Runs a program of `bench/` for one job. */
export function measure(program, job) {
  const args = [path.join(bench, program), JSON.stringify({ runtime, ...job })];
  return JSON.parse(execFileSync(process.execPath, args, { encoding: 'utf8', stdio: ['ignore', 'pipe', 'inherit'] }));
}

/** `sampleOf(design)` is one flood and how many tokens it had to have. Rounds alternate. */
export function measureFloods(designs, rounds, sampleOf) {
  const samples = Object.fromEntries(designs.map((design) => [design, []]));
  for (let number = 0; number < rounds; number++) {
    for (const design of designs) {
      const { sample, tokens } = sampleOf(design);
      // Whoever skips tokens or text is not compared.
      const characters = sample.characters ?? sample.bytes;
      if (characters !== 3 * tokens || (!design.endsWith('text-stream') && sample.tokens !== tokens)) {
        throw new Error(`${design} lost something: ${JSON.stringify(sample)}`);
      }
      samples[design].push({
        wallNs: (sample.wallMs * 1e6) / tokens,
        cpuNs: (sample.cpuMs * 1e6) / tokens,
        peakRssMb: sample.peakRssMb,
        loopP99Ms: sample.loopP99Ms,
        loopMaxMs: sample.loopMaxMs,
        idleP99Ms: sample.idleP99Ms,
      });
    }
  }
  return floodFigures(samples);
}

/** CPU time as a share of wall time. The fake runtime's own pauses cost something, which `raw` shows. */
export function measurePacing(designs, models, rounds, sampleOf) {
  const pacing = {};
  for (const [rate, model] of Object.entries(models)) {
    const shares = Object.fromEntries(designs.map((design) => [design, []]));
    for (let number = 0; number < rounds; number++) {
      for (const design of designs) {
        const sample = sampleOf(design, model);
        shares[design].push(sample.cpuShare ?? sample.cpuMs / sample.wallMs);
      }
    }
    pacing[rate] = Object.fromEntries(designs.map((design) => [design, round(100 * median(shares[design]))]));
  }
  return { unit: 'CPU time in % of one core, by tokens/s', ...pacing };
}
