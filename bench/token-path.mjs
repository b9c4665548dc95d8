/**
 * What a token costs on its way from the runtime's callback to JavaScript: this package against a callback in C, an
 * addon that crosses once per token, and koffi. All drive the fake runtime, each in a process of its own; rounds
 * alternate, so that a busy machine slows all of them. Medians; ratios are to the C callback of the same run. On a
 * machine that has anything else to do the wall times and the event loop's delays say little: look at "idle p99".
 *
 *   npm run build && npm run bench -- token-path [--rounds N] [--tokens N] [--quick]
 *
 * JSON on stdout, a table on stderr. Needs the build, g++ and strip; compiles into build-bench/.
 */
import { execFileSync } from 'node:child_process';
import { existsSync, mkdirSync, statSync, writeFileSync } from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { performance } from 'node:perf_hooks';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';

const here = path.dirname(fileURLToPath(import.meta.url));
const root = path.join(here, '..');
const out = path.join(root, 'build-bench');
const runtime = path.join(root, 'build/Release/fake/librkllmrt-1.1.1.so');
const addon = path.join(root, 'build/Release/rkllm.node');

const { values: options } = parseArgs({
  options: {
    rounds: { type: 'string' },
    tokens: { type: 'string', default: '1000000' },
    quick: { type: 'boolean', default: false },
  },
});
const rounds = Number(options.rounds ?? (options.quick ? 3 : 7));
const floodTokens = Number(options.tokens);
/** koffi takes so long per token that a full flood would take minutes. */
const koffiTokens = Math.min(20_000, floodTokens);
const paceSeconds = options.quick ? 2 : 5;
const abortPeriodMs = 10;

const targets = {
  chunkWall: 3,
  chunkCpu: 4,
  tokenWall: 8,
  tokenCpu: 10,
  loopP99Ms: 5,
  peakRssMb: 80,
  abortBeyondPeriodMs: 0.5,
  importMs: 2,
  addonKb: 300,
};

const files = prepare();
const loadBefore = os.loadavg();
const results = {
  machine: machine(),
  tokens: floodTokens,
  rounds,
  floods: measureFloods(),
  pacing: measurePacing(),
  abort: measureAbort(),
  import: measureImport(),
  addon: measureAddon(),
};
results.machine.loadAverage = { before: loadBefore, after: os.loadavg() };
results.targets = judge(results);
console.error(table(results));
console.log(JSON.stringify(results, undefined, 2));

function prepare() {
  for (const file of [runtime, addon, path.join(root, 'dist/index.js')]) {
    if (!existsSync(file)) throw new Error(`${file} is missing: npm run build`);
  }
  mkdirSync(out, { recursive: true });
  const include = path.join(root, 'node_modules/node-api-headers/include');
  const raw = path.join(out, 'raw');
  const perTokenAddon = path.join(out, 'per_token.node');
  const source = (name) => path.join(here, 'native', name);
  execFileSync('g++', ['-x', 'c', '-O2', '-Wall', '-Wextra', '-o', raw, source('raw.c'), '-ldl']);
  execFileSync('g++', [
    ...['-std=c++17', '-O2', '-Wall', '-Wextra', '-shared', '-fPIC', `-I${include}`, '-o', perTokenAddon],
    ...[source('per_token.cc'), '-pthread', '-ldl'],
  ]);
  const script = (name, repeat, ...lines) => {
    const file = path.join(out, `${name}.rkllm`);
    writeFileSync(file, ['#fake-rkllm', 'token ab ', 'token cd ', `repeat ${repeat / 2}`, ...lines, ''].join('\n'));
    return file;
  };
  return {
    raw,
    perTokenAddon,
    warmUp: script('warm-up', 100_000),
    flood: script('flood', floodTokens),
    koffiWarmUp: script('koffi-warm-up', 1000),
    koffiFlood: script('koffi-flood', koffiTokens),
    abort: script('abort', 1000, `token-us ${abortPeriodMs * 1000}`),
    pace: Object.fromEntries(
      [10, 100, 1000].map((rate) => [
        rate,
        script(`pace-${rate}`, Math.max(2, rate * paceSeconds), `token-us ${1e6 / rate}`),
      ]),
    ),
  };
}

/** One design in a process of its own; `raw` is the C program. */
function run(design, task, model, more = {}) {
  const child =
    design === 'raw'
      ? [files.raw, [runtime, files.warmUp, model]]
      : [
          process.execPath,
          [
            path.join(here, 'token-path-designs.mjs'),
            JSON.stringify({
              ...{ design, task, runtime, model, perTokenAddon: files.perTokenAddon },
              warmUp: design === 'koffi' ? files.koffiWarmUp : files.warmUp,
              ...more,
            }),
          ],
        ];
  return JSON.parse(execFileSync(...child, { encoding: 'utf8', stdio: ['ignore', 'pipe', 'inherit'] }));
}

function measureFloods() {
  const designs = ['raw', 'seam', 'chunks', 'tokens', 'text-stream', 'for-await-token', 'per-token', 'koffi'];
  const samples = Object.fromEntries(designs.map((design) => [design, []]));
  for (let round = 0; round < rounds; round++) {
    for (const design of designs) {
      const koffi = design === 'koffi';
      const tokens = koffi ? koffiTokens : floodTokens;
      const sample = run(design, 'flood', koffi ? files.koffiFlood : files.flood, { delayFloods: koffi ? 1 : 10 });
      // Whoever skips tokens or text is not compared.
      const characters = sample.characters ?? sample.bytes;
      if (characters !== 3 * tokens || (design !== 'text-stream' && sample.tokens !== tokens)) {
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
  const medians = Object.fromEntries(designs.map((design) => [design, medianOfEach(samples[design])]));
  const best = (design, name) => Math.min(...samples[design].map((sample) => sample[name]));
  for (const [design, values] of Object.entries(medians)) {
    values.wall = round(values.wallNs / medians.raw.wallNs);
    values.cpu = round(values.cpuNs / medians.raw.cpuNs);
    // What a busy machine disturbed least; the targets are judged by the medians.
    values.bestWall = round(best(design, 'wallNs') / best('raw', 'wallNs'));
    values.bestCpu = round(best(design, 'cpuNs') / best('raw', 'cpuNs'));
  }
  return medians;
}

/** CPU time as a share of wall time. The fake runtime's own pauses cost something, which `raw` shows. */
function measurePacing() {
  const designs = ['raw', 'chunks', 'per-token', 'koffi'];
  const pacing = {};
  for (const [rate, model] of Object.entries(files.pace)) {
    const shares = Object.fromEntries(designs.map((design) => [design, []]));
    for (let i = 0; i < (options.quick ? 1 : 3); i++) {
      for (const design of designs) {
        const sample = run(design, 'pace', model);
        shares[design].push(sample.cpuShare ?? sample.cpuMs / sample.wallMs);
      }
    }
    pacing[rate] = Object.fromEntries(designs.map((design) => [design, round(100 * median(shares[design]))]));
  }
  return { unit: 'CPU time in % of one core, by tokens/s', ...pacing };
}

function measureAbort() {
  const { latencies, periods } = run('chunks', 'abort', files.abort, { aborts: options.quick ? 20 : 100 });
  const beyond = latencies.map((latency) => latency - abortPeriodMs).sort((a, b) => a - b);
  return {
    periodMs: abortPeriodMs,
    measuredPeriodMs: round(median(periods)),
    beyondPeriodMs: { median: round(median(beyond)), p95: round(beyond[Math.floor(0.95 * beyond.length)]) },
  };
}

/**
 * Whole processes that import the package against ones that import nothing, and the import alone, from within. What
 * Node.js takes for empty files, one as CommonJS and two as this package has its ESM face, is told beside it.
 */
function measureImport() {
  const entry = path.join(root, 'dist/index.js');
  const facade = path.join(root, 'dist/index.mjs');
  const empty = path.join(out, 'empty.cjs');
  const emptyFacade = path.join(out, 'empty.mjs');
  writeFileSync(empty, '');
  writeFileSync(emptyFacade, "export * from './empty.cjs';\n");
  const time = (code, ...flags) => {
    const start = performance.now();
    const output = execFileSync(process.execPath, [...flags, '-e', code], { encoding: 'utf8' });
    return { process: performance.now() - start, within: Number(output) };
  };
  const esm = '--input-type=module';
  const timed = (load) => `const t = performance.now(); ${load}; console.log(performance.now() - t)`;
  const commands = {
    none: () => time('console.log(performance.now())'),
    requireEmpty: () => time(timed(`require(${JSON.stringify(empty)})`)),
    require: () => time(timed(`require(${JSON.stringify(entry)})`)),
    noneEsm: () => time('console.log(performance.now())', esm),
    importEmpty: () => time(timed(`await import(${JSON.stringify(emptyFacade)})`), esm),
    import: () => time(timed(`await import(${JSON.stringify(facade)})`), esm),
  };
  const samples = Object.fromEntries(Object.keys(commands).map((name) => [name, []]));
  for (let i = 0; i < (options.quick ? 7 : 25); i++) {
    for (const [name, command] of Object.entries(commands)) samples[name].push(command());
  }
  const whole = (name) => median(samples[name].map((sample) => sample.process));
  const cost = (name, nothing) => ({
    withinMs: round(median(samples[name].map((sample) => sample.within))),
    processMs: round(whole(name) - whole(nothing)),
  });
  return {
    nodeStartMs: round(whole('none')),
    requireEmpty: cost('requireEmpty', 'none'),
    require: cost('require', 'none'),
    importEmpty: cost('importEmpty', 'noneEsm'),
    import: cost('import', 'noneEsm'),
  };
}

function measureAddon() {
  const stripped = path.join(out, 'rkllm.stripped.node');
  execFileSync('strip', ['-o', stripped, addon]);
  return { arch: process.arch, strippedKb: round(statSync(stripped).size / 1024) };
}

function judge({ floods, abort, import: imported, addon: { strippedKb } }) {
  const ours = ['chunks', 'tokens', 'text-stream'].map((design) => floods[design]);
  const measured = {
    chunkWall: floods.chunks.wall,
    chunkCpu: floods.chunks.cpu,
    tokenWall: floods.tokens.wall,
    tokenCpu: floods.tokens.cpu,
    loopP99Ms: Math.max(...ours.map((values) => values.loopP99Ms)),
    peakRssMb: Math.max(...ours.map((values) => values.peakRssMb)),
    abortBeyondPeriodMs: abort.beyondPeriodMs.median,
    importMs: imported.require.processMs,
    addonKb: strippedKb,
  };
  return Object.fromEntries(
    Object.entries(targets).map(([name, target]) => [
      name,
      { measured: measured[name], target, met: measured[name] <= target },
    ]),
  );
}

function machine() {
  return {
    cpu: os.cpus()[0]?.model,
    cores: os.cpus().length,
    arch: process.arch,
    node: process.version,
    date: new Date().toISOString(),
  };
}

function table({ floods, pacing, import: imported, targets: judged, machine: { loadAverage } }) {
  const lines = [
    `load average ${loadAverage.before[0].toFixed(1)} before, ${loadAverage.after[0].toFixed(1)} after`,
    '',
    row(
      'flood',
      'wall × raw',
      'CPU × raw',
      'best wall',
      'best CPU',
      'wall ns',
      'CPU ns',
      'RSS MB',
      'loop p99',
      'idle p99',
    ),
    ...Object.entries(floods).map(([design, values]) =>
      row(
        design,
        ...[values.wall, values.cpu, values.bestWall, values.bestCpu, values.wallNs, values.cpuNs, values.peakRssMb],
        ...[values.loopP99Ms ?? '', values.idleP99Ms ?? ''],
      ),
    ),
    '',
    row('CPU %', ...Object.keys(pacing['10'])),
    ...['10', '100', '1000'].map((rate) => row(`${rate}/s`, ...Object.values(pacing[rate]))),
    '',
    row('import ms', 'within', 'process'),
    ...['requireEmpty', 'require', 'importEmpty', 'import'].map((name) => row(name, ...Object.values(imported[name]))),
    '',
    row('target', 'measured', 'target', 'met'),
    ...Object.entries(judged).map(([name, { measured, target, met }]) =>
      row(name, measured, target, met ? 'yes' : 'NO'),
    ),
  ];
  return lines.join('\n');
}

function row(name, ...cells) {
  return name.padEnd(20) + cells.map((cell) => String(cell).padStart(11)).join('');
}

function medianOfEach(samples) {
  const names = Object.keys(samples[0]).filter((name) => samples[0][name] !== undefined);
  return Object.fromEntries(names.map((name) => [name, round(median(samples.map((sample) => sample[name])))]));
}

function median(values) {
  const sorted = [...values].sort((a, b) => a - b);
  const middle = sorted.length >> 1;
  return sorted.length % 2 === 1 ? sorted[middle] : (sorted[middle - 1] + sorted[middle]) / 2;
}

function round(value) {
  return Number(value.toPrecision(3));
}
