/** What the programs of rkllm-exit.test.ts have in common. RUNTIME and MODEL come through the environment. */
const { existsSync, readFileSync } = require('node:fs');
const path = require('node:path');
const { Worker } = require('node:worker_threads');
const { createRkllmBackend } = require('../../dist/backends/rkllm/index.js');

const request = { input: { type: 'text', text: 'hi' }, maxNewTokens: undefined, sampling: {} };

/** Loads a fake model. */
exports.load = (model = process.env.MODEL, npu = {}) =>
  createRkllmBackend().load({
    path: model,
    maxContextLength: undefined,
    maxNewTokens: undefined,
    sampling: {},
    threads: undefined,
    runtimePath: process.env.RUNTIME,
    npu: { isolation: process.env.RKLLM_TEST_ISOLATION ?? 'none', ...npu },
    signal: undefined,
  });

exports.start = (model) => model.start(request);

/** Starts a run and waits for its first token. */
exports.startAndRead = async (model) => {
  const run = model.start(request);
  await run.readable();
  return run;
};

/** Reads a run for ever, as a consumer does. */
exports.consume = async (run) => {
  let over = false;
  run.ended.then(
    () => (over = true),
    () => (over = true),
  );
  let tokens = 0;
  for (;;) {
    const batch = run.drain();
    if (batch === undefined && over) return tokens;
    if (batch === undefined) await run.readable();
    else tokens += batch.tokenIds.length;
    await new Promise((resolve) => setImmediate(resolve));
  }
};

/** Waits until the runtime is inside a call, as its journal shows. */
exports.reached = async (call) => {
  const journal = `${process.env.MODEL}.journal`;
  while (!existsSync(journal) || !readFileSync(journal, 'utf8').includes(`${call} `)) await exports.sleep(1);
};

exports.sleep = (ms) => new Promise((resolve) => setTimeout(resolve, ms));

/** A worker that runs the source with this prelude at hand, and says `go` when the source does. */
exports.work = (source) => {
  const prelude = path.join(__dirname, 'rkllm-prelude.cjs');
  const program = `const { load, start, startAndRead, consume, sleep } = require(${JSON.stringify(prelude)});
    const { parentPort } = require('node:worker_threads');
    const go = () => parentPort.postMessage('go');
    (async () => { ${source} })();`;
  const worker = new Worker(program, { eval: true });
  return {
    worker,
    started: new Promise((resolve, reject) => worker.once('message', resolve).once('error', reject)),
    exited: new Promise((resolve) => worker.once('exit', resolve)),
  };
};
