/** Everything that can happen to a model, in one process, for the sanitizers to watch. RUNTIME is the fake to use. */
const { mkdtempSync, rmSync, writeFileSync } = require('node:fs');
const { tmpdir } = require('node:os');
const path = require('node:path');
const { Worker, isMainThread, parentPort, workerData } = require('node:worker_threads');
const { nativeAddon } = require('../../dist/backends/rkllm/addon.js');
const { createRkllmBackend } = require('../../dist/backends/rkllm/index.js');

const directory = isMainThread ? mkdtempSync(path.join(tmpdir(), 'rkllm-stress-')) : undefined;
let files = 0;

function fakeModel(...script) {
  const file = path.join(directory, `${files++}.rkllm`);
  writeFileSync(file, ['#fake-rkllm', ...script, ''].join('\n'));
  return file;
}

function load(file, runtimePath = process.env.RUNTIME, sampling = {}, npu = {}) {
  const nothing = { maxContextLength: undefined, maxNewTokens: undefined, threads: undefined, signal: undefined };
  return createRkllmBackend().load({
    ...nothing,
    path: file,
    sampling,
    runtimePath,
    npu: { isolation: 'none', ...npu },
  });
}

const besides = (name) => path.join(path.dirname(process.env.RUNTIME), `librkllmrt-${name}.so`);

const start = (model, text = 'hi', maxNewTokens = undefined) =>
  model.start({ input: { type: 'text', text }, maxNewTokens, sampling: {} });
const sleep = (ms) => new Promise((resolve) => setTimeout(resolve, ms));

async function consume(run) {
  let over = false;
  const mark = () => (over = true);
  run.ended.then(mark, mark);
  let tokens = 0;
  for (;;) {
    const batch = run.drain();
    if (batch !== undefined) tokens += batch.tokenIds.length;
    else if (over) return tokens;
    else await run.readable();
  }
}

function expectEqual(found, wanted, what) {
  if (found !== wanted) throw new Error(`${what}: ${found} instead of ${wanted}`);
}

async function expectFailure(promise, code) {
  const error = await promise.then(
    () => undefined,
    (reason) => reason,
  );
  expectEqual(error?.code, code, 'failure');
}

async function streams() {
  const flood = await load(fakeModel('token a', 'token bc', 'token ', 'null', 'waiting', 'repeat 40000'));
  for (let i = 0; i < 2; i++) expectEqual(await consume(start(flood)), 200_000, 'flood');
  await flood.dispose();
  const large = await load(fakeModel(`token ${'x'.repeat(65_536)}`, 'repeat 500', 'foreign-thread'));
  expectEqual(await consume(start(large)), 500, 'large tokens');
  await large.dispose();
  const echo = await load(fakeModel(), undefined, { temperature: 0, topP: 0.5, repeatPenalty: 1.2 });
  const tokenIds = Int32Array.from({ length: 1000 }, (_, i) => i);
  expectEqual(await consume(echo.start({ input: { type: 'tokens', tokenIds }, sampling: {} })), 1001, 'token input');
  expectEqual(await consume(start(echo, 'a b c d e f', 3)), 3, 'limit');
  await echo.dispose();
}

async function aborts() {
  for (const script of [
    [],
    ['abort-delay-ms 1'],
    ['no-finish', 'abort-code -1'],
    ['foreign-thread'],
    ['prefill-ms 1'],
  ]) {
    const model = await load(fakeModel('token a', 'repeat 2000', ...script));
    for (let i = 0; i < 100; i++) {
      const runs = [start(model), start(model)];
      for (let turn = 0; turn < i % 10; turn++) await new Promise((resolve) => setImmediate(resolve));
      runs[i % 2].abort();
      if (i % 3 === 0) runs[1 - (i % 2)].abort();
      await Promise.all(runs.map(consume));
    }
    const last = start(model);
    await last.readable();
    await model.dispose();
    await last.ended;
  }
}

/** Rows of different length, read to the end, cut and aborted: what lies behind the rows must not be touched. */
async function batches() {
  for (const release of ['1.2.3', '1.3.0', '1.3.1']) {
    const script = ['bytes a😊', 'next-row', 'token b', 'next-row', 'null', 'waiting', 'token c'];
    for (const batchSize of [1, 3, 8]) {
      const model = await load(fakeModel('embed-dim 2', ...script, 'repeat 50'), besides(release), {}, { batchSize });
      const kinds = [
        { prompt: 'hi' },
        { tokenIds: new Int32Array(500) },
        { embeddings: new Float32Array(1000), tokens: 500 },
      ];
      const rows = Array.from({ length: batchSize }, (_, row) => kinds[row % 3]);
      for (let i = 0; i < 30; i++) {
        const runs = [undefined, 7].map((maxNewTokens) => model.startBatch({ rows, maxNewTokens }));
        for (let turn = 0; turn < i % 5; turn++) await new Promise((resolve) => setImmediate(resolve));
        if (i % 2 === 0) runs[i % 4 === 0 ? 0 : 1].abort();
        await Promise.all(runs.map(consume));
      }
      expectEqual((await model.runtime.kvCacheSizes()).length, batchSize, 'sizes');
      await model.dispose();
    }
  }
}

async function failures() {
  await expectFailure(load(fakeModel('init-code -1')), 'RKLLM_INIT_FAILED');
  await expectFailure(load(fakeModel('init-null-handle')), 'RKLLM_INIT_FAILED');
  await expectFailure(load(fakeModel(), besides('1.0.1')), 'RKLLM_RUNTIME_UNSUPPORTED');
  await expectFailure(load(fakeModel(), besides('missing-dependency')), 'RKLLM_RUNTIME_INVALID');
  const model = await load(fakeModel('token a', 'error-after 1', 'run-code -1', 'null-result', 'after-finish 3'));
  for (let i = 0; i < 20; i++) await expectFailure(start(model).ended, 'RKLLM_RUN_FAILED');
  await expectFailure(start(model, 'a\0b').ended, 'RKLLM_INVALID_INPUT');
  await model.dispose();
  await expectFailure(start(model).ended, 'RKLLM_DISPOSED');
}

/** Questions that are answered, refused, left open, and broken by an abort at any moment. */
async function questions() {
  for (const [release, ...script] of [
    ['1.3.0', 'no-tokenizer'],
    ['1.3.1', 'no-embedding', 'embed-chunk 1'],
    ['1.3.1', 'no-tokenizer', 'no-embedding', 'foreign-thread', 'unanswered-ignored'],
  ]) {
    let asked = 0;
    const give = async (answer) => {
      if (++asked % 50 === 0) await new Promise(() => undefined);
      if (asked % 5 === 0) throw new Error('no answer');
      if (asked % 2 === 0) await sleep(0);
      return answer;
    };
    const npu = {
      tokenizer: () => give([1, 2, 3]),
      embedder: (tokenIds) => give(new Float32Array(tokenIds.length * 8)),
    };
    const model = await load(fakeModel('token a', 'token b', ...script), besides(release), {}, npu);
    for (let i = 0; i < 300; i++) {
      const run = start(model);
      const timer = setTimeout(() => run.abort(), i % 3 === 0 ? 20 : i % 4);
      await consume(run).catch(() => undefined);
      clearTimeout(timer);
      await run.ended.catch((error) => expectEqual(error.code, 'RKLLM_RUN_FAILED', 'failure'));
    }
    const last = start(model);
    await model.dispose();
    await last.ended.catch(() => undefined);
    if (asked < 100) throw new Error(`asked ${asked} times`);
  }
}

function wrongArguments() {
  const addon = nativeAddon();
  const odd = [undefined, null, 1, 'x', {}, [], () => 1, new Int32Array(3), new Uint8Array(3), Symbol('s'), 10n, NaN];
  let refused = 0;
  // Two take no arguments, two any number.
  const others = ['lineBufferStdout', 'expectChild', 'guardChild', 'releaseChild'];
  const names = Object.keys(addon).filter((name) => !others.includes(name));
  for (const name of names) {
    for (const a of odd) {
      for (const b of odd) {
        for (const c of odd) {
          try {
            addon[name](a, b, c);
          } catch (error) {
            if (!(error instanceof TypeError)) throw error;
            refused++;
          }
        }
      }
    }
  }
  expectEqual(refused, names.length * odd.length ** 3, 'refused calls');
}

async function forgotten() {
  const file = fakeModel('token a', 'repeat 50');
  for (let i = 0; i < 50; i++) {
    const model = await load(file);
    if (i % 2 === 0) await start(model).ended;
    if (i % 10 === 0) globalThis.gc();
  }
  for (let i = 0; i < 20; i++) {
    globalThis.gc();
    await sleep(2);
  }
}

async function workers() {
  const file = fakeModel('token a', 'endless', 'token-us 50');
  const quick = fakeModel('token a', 'repeat 5000');
  for (let i = 0; i < 20; i++) {
    const worker = new Worker(__filename, { workerData: { file, endless: true } });
    await new Promise((resolve, reject) => worker.once('message', resolve).once('error', reject));
    await sleep(Math.random() * 3);
    await worker.terminate();
  }
  const ended = Array.from({ length: 3 }, () => {
    const worker = new Worker(__filename, { workerData: { file: quick, endless: false } });
    return new Promise((resolve, reject) => worker.once('exit', resolve).once('error', reject));
  });
  for (const code of await Promise.all(ended)) expectEqual(code, 0, 'worker');
}

async function inWorker({ file, endless }) {
  const model = await load(file);
  const run = start(model);
  if (endless) parentPort.postMessage('go');
  await consume(run);
  await model.dispose();
}

async function main() {
  for (const step of [streams, aborts, batches, failures, questions, wrongArguments, forgotten, workers]) {
    const begun = performance.now();
    await step();
    console.log(`${step.name}: ${Math.round(performance.now() - begun)} ms`);
  }
}

/** Leaves with a run in flight and a question open. V8 then leaves its heap as it is, so leaks cannot be looked for. */
async function leave() {
  const model = await load(fakeModel('token a', 'endless', 'token-us 100'));
  await start(model).readable();
  const asked = new Promise((resolve) => {
    const tokenizer = () => new Promise(() => resolve());
    void load(fakeModel('no-tokenizer'), besides('1.3.1'), {}, { tokenizer }).then((other) => start(other));
  });
  await asked;
  process.exit(0);
}

process.on('exit', () => {
  if (directory !== undefined) rmSync(directory, { recursive: true, force: true });
});
if (!isMainThread) void inWorker(workerData);
else void (process.argv[2] === 'leave' ? leave() : main());
