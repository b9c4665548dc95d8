/**
 * What a process of its own for the runtime costs (`isolation: 'process'`) against none, and against a callback in C that
 * looks at every token. All drive the fake runtime; rounds alternate, so that a busy machine slows all of them. Medians;
 * the costs of `process` are those of both processes. On a machine that has anything else to do look at "best" and
 * "idle p99".
 *
 *   npm run build && npm run bench -- isolation [--rounds N] [--tokens N] [--quick]
 *
 * JSON on stdout, a table on stderr. Needs the build and g++; compiles into build-bench/.
 */
import { execFileSync } from 'node:child_process';
import os from 'node:os';
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

const { values: options } = parseArgs({
  options: {
    rounds: { type: 'string' },
    tokens: { type: 'string', default: '1000000' },
    quick: { type: 'boolean', default: false },
  },
});
const rounds = Number(options.rounds ?? (options.quick ? 3 : 7));
const floodTokens = Number(options.tokens);
const paceSeconds = options.quick ? 2 : 5;

const targets = {
  tokenWall: 10,
  tokenCpu: 12,
  loopP99Ms: 10,
  abortBeyondPeriodMs: 1,
  startMs: 100,
};

const modes = ['none', 'process'];
/** 16 MiB: hidden states of 1,024 tokens of a model that is 4,096 wide, or the logits of 64 with 65,536 tokens. */
const matrices = { hiddenStates: { rows: 1024, columns: 4096 }, logits: { rows: 64, columns: 65_536 } };

const raw = programs.compileRaw();
const loadBefore = os.loadavg();
const results = {
  machine: machine(),
  tokens: floodTokens,
  rounds,
  floods: measureFloods(),
  pacing: programs.measurePacing(
    ['raw', ...modes],
    programs.pacedModels(paceSeconds),
    options.quick ? 1 : 3,
    (design, model) => (design === 'raw' ? raw(model) : run(design, 'pace', { model, design: 'chunks' })),
  ),
  abort: measureAbort(),
  start: measureStart(),
  matrices: measureMatrices(),
};
results.machine.loadAverage = { before: loadBefore, after: os.loadavg() };
results.targets = judge(measuredOf(results), targets);
console.error(table(results));
console.log(JSON.stringify(results, undefined, 2));

function run(isolation, task, job) {
  return programs.measure('isolation-designs.mjs', { isolation, task, ...job });
}

function measureFloods() {
  const model = programs.repeating('flood', floodTokens);
  const designs = modes.flatMap((mode) => ['chunks', 'tokens', 'text-stream'].map((design) => `${mode} ${design}`));
  return programs.measureFloods(['raw', ...designs], rounds, (name) => {
    const [isolation, design] = name.split(' ');
    const job = { design, model, delayFloods: 10 };
    return { tokens: floodTokens, sample: name === 'raw' ? raw(model) : run(isolation, 'flood', job) };
  });
}

function measureAbort() {
  const job = { design: 'chunks', model: programs.abortModel, aborts: options.quick ? 20 : 100 };
  return Object.fromEntries(modes.map((mode) => [mode, beyondPeriod(run(mode, 'abort', job), programs.abortPeriodMs)]));
}

/** A load in either mode, the first of a program and the further ones, against Node.js that does nothing. */
function measureStart() {
  const model = programs.script('start', 'token a');
  const samples = { node: [], none: [], process: [], nextNone: [], nextProcess: [] };
  for (let number = 0; number < (options.quick ? 3 : 9); number++) {
    const before = performance.now();
    execFileSync(process.execPath, ['-e', '0']);
    samples.node.push(performance.now() - before);
    for (const [mode, next] of Object.entries({ none: 'nextNone', process: 'nextProcess' })) {
      const [first, ...further] = run(mode, 'start', { model, loads: 4 }).samples;
      samples[mode].push(first);
      samples[next].push(...further);
    }
  }
  const ms = Object.fromEntries(Object.entries(samples).map(([name, of]) => [name, round(median(of))]));
  return {
    nodeMs: ms.node,
    first: { noneMs: ms.none, processMs: ms.process, childMs: round(ms.process - ms.none) },
    further: { noneMs: ms.nextNone, processMs: ms.nextProcess, childMs: round(ms.nextProcess - ms.nextNone) },
  };
}

function measureMatrices() {
  const calls = options.quick ? 10 : 30;
  const entries = Object.entries(matrices).map(([call, { rows, columns }]) => {
    const size = call === 'logits' ? `vocab ${columns}` : `embed-dim ${columns}`;
    const model = programs.script(call, size);
    const megabytes = (4 * rows * columns) / 1e6;
    const rates = modes.map((mode) => {
      const { samples } = run(mode, 'matrix', { call, model, rows, columns, calls, runtime: programs.laterRuntime });
      return [mode, Math.round(megabytes / (median(samples) / 1000))];
    });
    return [call, { rows, columns, megabytes: round(megabytes), megabytesPerSecond: Object.fromEntries(rates) }];
  });
  return Object.fromEntries(entries);
}

function measuredOf({ floods, abort, start }) {
  const isolated = ['chunks', 'tokens', 'text-stream'].map((design) => floods[`process ${design}`]);
  return {
    tokenWall: floods['process tokens'].wall,
    tokenCpu: floods['process tokens'].cpu,
    loopP99Ms: Math.max(...isolated.map((values) => values.loopP99Ms)),
    abortBeyondPeriodMs: abort.process.beyondPeriodMs.median,
    startMs: start.further.childMs,
  };
}

function table({ floods, pacing, abort, start, matrices: measured, targets: judged, machine: { loadAverage } }) {
  return [
    ...loadTable(loadAverage),
    ...floodTable(floods),
    ...pacingTable(pacing),
    row('ms', ...modes),
    row('abort beyond', ...modes.map((mode) => abort[mode].beyondPeriodMs.median)),
    row('first load', start.first.noneMs, start.first.processMs),
    row('further loads', start.further.noneMs, start.further.processMs),
    row('node -e 0', start.nodeMs),
    '',
    row('MB/s', ...modes),
    ...Object.entries(measured).map(([call, { megabytesPerSecond: rates }]) =>
      row(call, ...modes.map((mode) => rates[mode])),
    ),
    '',
    ...targetTable(judged),
  ].join('\n');
}
