/**
 * A program that leaves in a state of a model: node rkllm-leave.cjs MANNER STATE…
 * `terminate` and `random N SEED` do it in workers, many in one process; all other manners end the process.
 */
const { Worker, isMainThread, parentPort, workerData } = require('node:worker_threads');

/** Loads the addon, so it is called only where models are: what only workers have loaded, Node.js unloads with them. */
const enter = (name) => require('./rkllm-states.cjs').states[name]();
const names = [
  ...['created', 'loading', 'ready', 'running', 'asking', 'embedding'],
  ...['aborting', 'disposing', 'disposed', 'failed'],
];
const pause = (ms) => new Promise((resolve) => setTimeout(resolve, ms));

const manners = {
  exit: () => process.exit(3),
  uncaught() {
    setImmediate(() => {
      throw new Error('boom');
    });
  },
  /** With the system's own action. */
  interrupt: () => process.kill(process.pid, 'SIGINT'),
  /** As a program that tidies up. */
  handled() {
    process.once('SIGINT', () => process.exit(4));
    process.kill(process.pid, 'SIGINT');
  },
  /** With the model as it is: the program just has nothing more to do. */
  end: (subject) => subject.runs.forEach((_, index) => subject.abort(index)),
};

async function leave(manner, name) {
  const subject = await enter(name);
  manners[manner](subject);
  // The subject must not be collected before.
  if (manner !== 'end') setTimeout(() => subject.events, 60_000);
}

function startWorker(data) {
  const worker = new Worker(__filename, { workerData: data });
  const started = new Promise((resolve, reject) => worker.once('message', resolve).once('error', reject));
  const exited = new Promise((resolve) => worker.once('exit', resolve));
  return { worker, started, exited };
}

async function terminateIn(asked) {
  for (const name of asked) {
    const { worker, started } = startWorker({ name });
    await started;
    await worker.terminate();
    console.log(name);
  }
}

/** Every way out of a worker that is not its natural end. */
async function exitInWorkers(asked) {
  for (const name of asked) {
    const { exited } = startWorker({ name, manner: 'exit' });
    console.log(name, await exited);
  }
}

/** Repeatable numbers from 0 to 1. */
function randomizer(seed) {
  let state = seed;
  return () => {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
    return state / 2 ** 32;
  };
}

/** Terminates workers in random states after random times, four side by side. */
async function terminateAtRandom(times, seed) {
  const random = randomizer(seed);
  let left = times;
  const lane = async () => {
    while (left-- > 0) {
      const name = names[Math.floor(random() * names.length)];
      const early = random() < 0.2; // while it is on its way into the state
      const delay = random() * (early ? 60 : 4);
      const { worker, started } = startWorker({ name });
      if (!early) await started;
      await pause(delay);
      await worker.terminate();
    }
  };
  await Promise.all(Array.from({ length: 4 }, lane));
  console.log(`survived ${times}`);
}

async function inWorker({ name, manner }) {
  const subject = await enter(name);
  if (manner !== undefined) {
    manners[manner](subject);
    return;
  }
  parentPort.postMessage('there');
  setTimeout(() => subject.events, 60_000);
}

async function main([manner, ...rest]) {
  if (manner === 'terminate') await terminateIn(rest);
  else if (manner === 'worker-exit') await exitInWorkers(rest);
  else if (manner === 'random') await terminateAtRandom(Number(rest[0]), Number(rest[1]));
  else await leave(manner, rest[0]);
}

if (isMainThread) void main(process.argv.slice(2));
else void inWorker(workerData);
