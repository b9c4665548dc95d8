/**
 * An application whose model has a process of its own, for tests that end it or look at it: forked with STATE and, for a
 * model in a worker thread, `worker`. MODEL and RUNTIME come through the environment. It says `there` when it is in the
 * state, and what a command has given; commands are messages.
 */
const { existsSync, readFileSync } = require('node:fs');
const { Worker, isMainThread, parentPort, workerData } = require('node:worker_threads');

const load = (options = {}) =>
  require('../../dist/index.js').loadModel(process.env.MODEL, {
    ...{ runtimePath: process.env.RUNTIME, template: 'none', isolation: 'process' },
    ...options,
  });
const journal = () =>
  existsSync(`${process.env.MODEL}.journal`) ? readFileSync(`${process.env.MODEL}.journal`, 'utf8') : '';
const until = async (holds) => {
  while (!holds()) await new Promise((resolve) => setTimeout(resolve, 5));
};

/** What keeps the application alive, and the model from being collected. */
const kept = [];
const keep = (model) =>
  kept.push(
    model,
    setInterval(() => model.state, 60_000),
  );

const states = {
  async loading() {
    void load();
    await until(() => journal().startsWith('init'));
  },
  async idle() {
    keep(await load());
  },
  async running() {
    const model = await load();
    keep(model);
    const chunks = model.generate('hi')[Symbol.asyncIterator]();
    kept.push(chunks);
    await chunks.next();
  },
};
/** The script decides that it hangs. */
states.hanging = states.running;

const commands = {
  exit: () => process.exit(3),
  throw() {
    setImmediate(() => {
      throw new Error('boom');
    });
  },
  async terminate() {
    await worker.terminate();
    process.send('terminated');
  },
  async generate() {
    const { text } = await kept[0].generate('hi', { maxNewTokens: 2 });
    process.send(text);
  },
};

let worker;
async function main([state, where]) {
  process.on('message', (command) => void commands[command]());
  for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP']) process.on(signal, () => process.send(signal));
  if (where === 'worker') {
    worker = new Worker(__filename, { workerData: state });
    await new Promise((resolve, reject) => worker.once('message', resolve).once('error', reject));
  } else {
    await states[state]();
  }
  process.send('there');
}

if (isMainThread) void main(process.argv.slice(2));
else void states[workerData]().then(() => parentPort.postMessage('there'));
