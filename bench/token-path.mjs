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
import { statSync, writeFileSync } from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { performance } from 'node:perf_hooks';
import { parseArgs } from 'node:util';
import {
  beyondPeriod,
  floodTable,
  judge,
  loadTable,
  machine,
  median,
  pacingTable,
  round,
  row,
  targetTable,
} from './common/figures.mjs';
import * as programs from './common/programs.mjs';

const { addon, out, repeating, root } = programs;

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

const files = {
  perTokenAddon: compilePerToken(),
  flood: repeating('flood', floodTokens),
  koffiWarmUp: repeating('koffi-warm-up', 1000),
  koffiFlood: repeating('koffi-flood', koffiTokens),
};
const raw = programs.compileRaw();
const loadBefore = os.loadavg();
const results = {
  machine: machine(),
  tokens: floodTokens,
  rounds,
  floods: measureFloods(),
  pacing: programs.measurePacing(
    ['raw', 'chunks', 'per-token', 'koffi'],
    programs.pacedModels(paceSeconds),
    options.quick ? 1 : 3,
    (design, model) => run(design, 'pace', model),
  ),
  abort: beyondPeriod(
    run('chunks', 'abort', programs.abortModel, { aborts: options.quick ? 20 : 100 }),
    programs.abortPeriodMs,
  ),
  import: measureImport(),
  addon: measureAddon(),
};
results.machine.loadAverage = { before: loadBefore, after: os.loadavg() };
results.targets = judge(measuredOf(results), targets);
console.error(
  [
    ...loadTable(results.machine.loadAverage),
    ...floodTable(results.floods),
    ...pacingTable(results.pacing),
    ...importTable(results.import),
    ...targetTable(results.targets),
  ].join('\n'),
);
console.log(JSON.stringify(results, undefined, 2));

function compilePerToken() {
  const include = path.join(root, 'node_modules/node-api-headers/include');
  const perTokenAddon = path.join(out, 'per_token.node');
  execFileSync('g++', [
    ...['-std=c++17', '-O2', '-Wall', '-Wextra', '-shared', '-fPIC', `-I${include}`, '-o', perTokenAddon],
    ...[programs.source('per_token.cc'), '-pthread', '-ldl'],
  ]);
  return perTokenAddon;
}

/** One design in a process of its own; `raw` is the C program. */
function run(design, task, model, more = {}) {
  if (design === 'raw') return raw(model);
  const warmUp = design === 'koffi' ? files.koffiWarmUp : programs.warmUp;
  const job = { design, task, model, warmUp, perTokenAddon: files.perTokenAddon, ...more };
  return programs.measure('token-path-designs.mjs', job);
}

function measureFloods() {
  const designs = ['raw', 'seam', 'chunks', 'tokens', 'text-stream', 'for-await-token', 'per-token', 'koffi'];
  return programs.measureFloods(designs, rounds, (design) => {
    const koffi = design === 'koffi';
    return {
      tokens: koffi ? koffiTokens : floodTokens,
      sample: run(design, 'flood', koffi ? files.koffiFlood : files.flood, { delayFloods: koffi ? 1 : 10 }),
    };
  });
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

function importTable(imported) {
  const names = ['requireEmpty', 'require', 'importEmpty', 'import'];
  return [
    '',
    row('import ms', 'within', 'process'),
    ...names.map((name) => row(name, ...Object.values(imported[name]))),
  ];
}

function measureAddon() {
  const stripped = path.join(out, 'rkllm.stripped.node');
  execFileSync('strip', ['-o', stripped, addon]);
  return { arch: process.arch, strippedKb: round(statSync(stripped).size / 1024) };
}

function measuredOf({ floods, abort, import: imported, addon: { strippedKb } }) {
  const ours = ['chunks', 'tokens', 'text-stream'].map((design) => floods[design]);
  return {
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
}
