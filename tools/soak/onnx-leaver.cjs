/**
 * A process, or a worker thread of one, that leaves a model of the CPU at a bad moment. CommonJS: Node.js reads ES modules
 * asynchronously, and leaves the file open when the thread is terminated meanwhile.
 */
const { setTimeout: sleep } = require('node:timers/promises');
const { isMainThread, parentPort, Worker, workerData } = require('node:worker_threads');
const { loadModel } = require('../../dist/index.js');

const prompt = 'What is the RK3588? '.repeat(40);

/** Loads models and keeps them at work. @param onMoment - called when the moment is near that is wanted. */
async function work({ moment, models }, onMoment, signal) {
  if (moment === 'load') onMoment();
  const loaded = await Promise.all(
    Array.from({ length: models }, () =>
      loadModel(undefined, { template: 'none', queue: { maxPending: 100 }, signal }),
    ),
  );
  const ask = (model) => model.generate(prompt, { temperature: 0, maxNewTokens: 20 });
  if (moment === 'idle') await Promise.all(loaded.map(ask));
  else
    for (const model of loaded)
      for (let i = 0; i < 3; i++)
        void ask(model)
          .result()
          .catch(() => undefined);
  if (moment === 'decode') await Promise.all(loaded.map(async (model) => (await ask(model)).text));
  if (moment !== 'load') onMoment();
  return loaded;
}

const ways = {
  exit: async (job, delay) => {
    await work(job, () => setTimeout(() => process.exit(3), delay));
  },
  throw: async (job, delay) => {
    const leave = () => {
      throw new Error('mine');
    };
    await work(job, () => setTimeout(leave, delay));
  },
  dispose: async (job, delay) => {
    const models = await work(job, () => undefined);
    await sleep(delay);
    await Promise.all(models.map((model) => model.dispose({ abort: true })));
  },
  stopLoad: async (job, delay) => {
    const stop = new AbortController();
    setTimeout(() => stop.abort(), delay);
    const models = await work(job, () => undefined, stop.signal).catch((error) => {
      if (!stop.signal.aborted) throw error;
      return [];
    });
    await Promise.all(models.map((model) => model.dispose({ abort: true })));
  },
  /** Nobody has the model any more; what it was asked ends, and then the process. */
  forget: async (job, delay) => {
    await work(job, () => undefined);
    for (let i = 0; i < 5; i++) {
      await sleep(delay / 5);
      global.gc();
    }
  },
  /** A thread that owns the models is terminated. */
  terminate: async (job, delay) => {
    const worker = new Worker(__filename, { workerData: job });
    await new Promise((resolve) => worker.once('message', resolve));
    await sleep(delay);
    await worker.terminate();
  },
};

if (isMainThread) {
  const job = JSON.parse(process.argv[2]);
  void ways[job.way](job, job.delay);
} else {
  void work(workerData, () => parentPort.postMessage('there'));
}
