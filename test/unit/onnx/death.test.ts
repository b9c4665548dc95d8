import { cpSync, rmSync } from 'node:fs';
import path from 'node:path';
import { writeGenaiModel } from '../../../tools/onnx/write-genai-model.js';
import { Fixtures } from './helpers.js';
import { runNode } from './run-node.js';

const fixtures = new Fixtures();
afterAll(() => fixtures.cleanUp());

/** Runs in a process of its own, where the engine's thread can be got hold of. */
const script = `
  const threads = require('node:worker_threads');
  let engine;
  const Original = threads.Worker;
  threads.Worker = class extends Original { constructor(...args) { super(...args); engine = this; } };
  const outcome = (promise) => promise.then(() => 'resolved', (error) => error.code);
`;

it('an engine that dies is told to everybody who waits for it, and to who comes later', async () => {
  const model = JSON.stringify(writeGenaiModel(fixtures.directory()).directory);
  const result = await runNode(`${script}
    const model = await createOnnxBackend().load(request(${model}));
    engine.postMessage = () => undefined; // the engine never hears of the run: it is idle, and safe to terminate
    const current = model.start(run([270]));
    await engine.terminate();
    console.log(await outcome(current.ended), await outcome(model.failed), await outcome(current.readable()), current.drain());
    console.log(await outcome(model.start(run([270])).ended));
    console.log(await outcome(model.dispose()));
  `);
  expect(result).toEqual({
    code: 0,
    signal: null,
    stdout: 'RKLLM_WORKER_FAILED RKLLM_WORKER_FAILED resolved undefined\nRKLLM_WORKER_FAILED\nresolved\n',
    stderr: '',
  });
});

it('an engine that dies while it loads rejects the load', async () => {
  const result = await runNode(`${script}
    const loading = createOnnxBackend().load(request('/nowhere'));
    engine.terminate();
    console.log(await outcome(loading));
  `);
  expect(result).toEqual({ code: 0, signal: null, stdout: 'RKLLM_WORKER_FAILED\n', stderr: '' });
});

it('an engine that cannot be started rejects the load, with what to do', async () => {
  const dist = fixtures.directory();
  cpSync('dist', dist, { recursive: true });
  rmSync(path.join(dist, 'backends/onnx/worker.js')); // as in an application that was bundled into one file
  const missing = await runNode(
    `await createOnnxBackend().load(request('/nowhere')).catch((error) => console.log(error.code, error.message, error.hint));`,
    dist,
  );
  expect(missing).toMatchObject({ code: 0, stderr: '' });
  expect(missing.stdout).toMatch(/^RKLLM_WORKER_FAILED .*worker\.js is missing.* out of the bundle/);
  const refused = await runNode(`
    require('node:worker_threads').Worker = function () { throw new Error('not permitted'); };
    await createOnnxBackend().load(request('/nowhere')).catch((error) => console.log(error.code, error.message));
  `);
  expect(refused).toEqual({
    code: 0,
    signal: null,
    stdout: 'RKLLM_WORKER_FAILED The engine of the ONNX model could not be started: not permitted\n',
    stderr: '',
  });
});

it('many loads share a signal without a warning', async () => {
  const result = await runNode(`
    const { signal } = new AbortController();
    const load = () => createOnnxBackend().load({ ...request('/nowhere'), signal }).catch((error) => error.code);
    console.log(new Set(await Promise.all(Array.from({ length: 12 }, load))));
  `);
  expect(result).toEqual({ code: 0, signal: null, stdout: "Set(1) { 'RKLLM_MODEL_NOT_FOUND' }\n", stderr: '' });
});

it('a disposed model has not failed', async () => {
  const model = await fixtures.load(writeGenaiModel(fixtures.directory()).directory);
  let failed = false;
  model.failed.catch(() => {
    failed = true;
  });
  await model.dispose();
  await new Promise(setImmediate);
  expect(failed).toBe(false);
});
