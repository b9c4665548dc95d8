/**
 * What observing costs, and what it costs to be observable. Generations of an engine that has its answer at once, short
 * ones for the cost of a generation and long ones for that of a token, with nobody listening, with a subscriber on every
 * channel, and with a logger. Rounds alternate, so that a busy machine slows all of them; medians. "Unobserved" is how
 * the checks for subscribers compare with a generation: the hooks, called with nothing to do, per generation.
 *
 *   npm run build:ts && npm run bench -- observe [--rounds N]
 */
import { createRequire } from 'node:module';
import path from 'node:path';
import { performance } from 'node:perf_hooks';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';

const root = path.join(path.dirname(fileURLToPath(import.meta.url)), '..');
const require = createRequire(import.meta.url);
const { channels, loadModel } = require(path.join(root, 'dist/index.js'));
const { Observer } = require(path.join(root, 'dist/observe/observer.js'));

const { values: options } = parseArgs({ options: { rounds: { type: 'string', default: '15' } } });
const rounds = Number(options.rounds);
const workloads = { short: { generations: 2000, tokens: 1 }, long: { generations: 20, tokens: 20_000 } };

/** A backend whose runs have ended when they begin. */
function instant(tokens) {
  const batch = {
    bytes: Buffer.alloc(tokens * 3, 'ab '),
    tokenIds: new Int32Array(tokens),
    ends: Uint32Array.from({ length: tokens }, (_, index) => 3 * (index + 1)),
  };
  const info = { name: 'instant', contextLength: 1 << 20 };
  const capabilities = { perRequestSampling: true, seed: true, kvReuse: false, tokenInput: true, slots: 1 };
  const start = () => {
    const batches = [batch];
    const ended = Promise.resolve({ reason: 'eos' });
    return { ended, drain: () => batches.pop(), readable: () => Promise.resolve(), abort: () => undefined };
  };
  const failed = new Promise(() => undefined);
  return { name: 'instant', load: async () => ({ info, capabilities, start, failed, dispose: async () => undefined }) };
}

const ignore = () => undefined;
const logger = { debug: ignore, info: ignore, warn: ignore, error: ignore };
const all = [
  ...['load', 'generate'].flatMap((kind) =>
    ['start', 'end', 'asyncStart', 'asyncEnd', 'error'].map((event) => channels[kind][event]),
  ),
  channels.queue,
];
const observers = {
  unobserved: { options: {}, begin: ignore, finish: ignore },
  subscribed: {
    options: {},
    begin: () => all.forEach((channel) => channel.subscribe(ignore)),
    finish: () => all.forEach((channel) => channel.unsubscribe(ignore)),
  },
  logged: { options: { logger }, begin: ignore, finish: ignore },
};

async function microsecondsPerGeneration(model, generations) {
  const start = performance.now();
  for (let i = 0; i < generations; i++) await model.generate({ prompt: 'Hi' });
  return ((performance.now() - start) * 1000) / generations;
}

/** The hooks of one generation that finds the engine free, with nobody listening. */
function microsecondsOfHooks() {
  const observer = new Observer(undefined);
  const queueListener = observer.queue('instant');
  const queue = { pending: 0, active: 1 };
  const describe = () => ({});
  const call = () => queue;
  const calls = 200_000;
  const start = performance.now();
  for (let i = 0; i < calls; i++) {
    observer.generate(describe, undefined, call);
    queueListener.started('id', queue);
  }
  return ((performance.now() - start) * 1000) / calls;
}

const median = (values) => [...values].sort((a, b) => a - b)[Math.floor(values.length / 2)];
const round = (value) => Number(value.toPrecision(3));

const hooks = median(Array.from({ length: rounds }, microsecondsOfHooks));
const result = { hooksMicroseconds: round(hooks) };
for (const [name, { generations, tokens }] of Object.entries(workloads)) {
  const runs = await Promise.all(
    Object.entries(observers).map(async ([how, { options, begin, finish }]) => {
      const model = await loadModel(undefined, { ...options, template: 'none', backend: instant(tokens) });
      return { how, begin, finish, model, samples: [] };
    }),
  );
  for (let number = 0; number <= rounds; number++) {
    for (const { begin, finish, model, samples } of runs) {
      begin();
      const sample = await microsecondsPerGeneration(model, generations);
      finish();
      if (number > 0) samples.push(sample); // the first one warms up
    }
  }
  const medians = Object.fromEntries(runs.map(({ how, samples }) => [how, median(samples)]));
  result[name] = {
    tokens,
    microseconds: Object.fromEntries(Object.entries(medians).map(([how, value]) => [how, round(value)])),
    hooksToUnobserved: round(hooks / medians.unobserved),
    subscribedToUnobserved: round(medians.subscribed / medians.unobserved),
    loggedToUnobserved: round(medians.logged / medians.unobserved),
  };
  await Promise.all(runs.map(({ model }) => model.dispose()));
}
console.log(JSON.stringify(result, undefined, 2));
