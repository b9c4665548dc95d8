/**
 * Ways to leave while the engine is inside ONNX Runtime. Without the guard nearly every one of them ends the process
 * with SIGABRT; see `lib/backends/onnx/busy-guard.ts`.
 */
import { writeFileSync } from 'node:fs';
import { writeGenaiModel } from '../../tools/onnx/write-genai-model.js';
import { Fixtures } from '../unit/onnx/helpers.js';
import { preamble, runNode } from '../unit/onnx/run-node.js';

const fixtures = new Fixtures();
afterAll(() => fixtures.cleanUp());

// Wide enough that a chunk of the prompt takes milliseconds: leaving then meets the engine in a native call.
const model = JSON.stringify(
  writeGenaiModel(fixtures.directory(), { hiddenSize: 512, layers: 8, contextLength: 2048 }).directory,
);
const longPrompt = 'new Array(1800).fill(270)';
const repetitions = [0, 3, 11, 24, 37];

const midRun = `
  const model = await createOnnxBackend().load(request(${model}));
  const current = model.start(run(${longPrompt}));
`;

describe.each(repetitions)('%i ms into a run', (delay) => {
  it('process.exit() keeps its code', async () => {
    const result = await runNode(`${midRun} setTimeout(() => process.exit(3), ${delay}); await current.ended;`);
    expect(result).toEqual({ code: 3, signal: null, stdout: '', stderr: '' });
  });

  it('an uncaught error ends the process as any other', async () => {
    const result = await runNode(
      `${midRun} setTimeout(() => { throw new Error('mine'); }, ${delay}); await current.ended;`,
    );
    expect(result).toMatchObject({ code: 1, signal: null });
    expect(result.stderr).toContain('Error: mine');
  });

  it('dispose() after an abort waits for the engine', async () => {
    const result = await runNode(`
      ${midRun}
      setTimeout(() => current.abort(), ${delay});
      console.log((await current.ended).reason);
      await model.dispose();
    `);
    expect(result).toEqual({ code: 0, signal: null, stdout: 'aborted\n', stderr: '' });
  });

  it('dispose() in the middle ends the run first', async () => {
    const result = await runNode(`
      ${midRun}
      await new Promise((resolve) => setTimeout(resolve, ${delay}));
      await model.dispose();
      console.log((await current.ended).reason);
    `);
    expect(result).toEqual({ code: 0, signal: null, stdout: 'aborted\n', stderr: '' });
  });

  it.each([
    ['terminate() of a worker that owns the model', 'await worker.terminate();', 0],
    ['process.exit() while a worker owns the model', 'process.exit(4);', 4],
  ])('%s harms nobody', async (_, leave, code) => {
    const outer = fixtures.directory(`outer-${delay}.cjs`);
    writeFileSync(
      outer,
      `${preamble()}
       createOnnxBackend().load(request(${model})).then((model) => {
         model.start(run(${longPrompt}));
         require('node:worker_threads').parentPort.postMessage('running');
       });`,
    );
    const result = await runNode(`
      const { Worker } = require('node:worker_threads');
      const worker = new Worker(${JSON.stringify(outer)});
      await new Promise((resolve) => worker.on('message', resolve));
      await new Promise((resolve) => setTimeout(resolve, ${delay}));
      ${leave}
    `);
    expect(result).toEqual({ code, signal: null, stdout: '', stderr: '' });
  });
});

describe.each([10, 40, 80])('%i ms into a load', (delay) => {
  it('process.exit() keeps its code', async () => {
    const result = await runNode(
      `setTimeout(() => process.exit(3), ${delay}); await createOnnxBackend().load(request(${model}));`,
    );
    expect(result.signal).toBeNull();
    expect(result.stderr).toBe('');
  });
});

it('process.exit() waits for several models', async () => {
  const result = await runNode(`
    const models = await Promise.all([1, 2, 3].map(() => createOnnxBackend().load(request(${model}))));
    for (const model of models) model.start(run(${longPrompt}));
    setTimeout(() => process.exit(5), 15);
  `);
  expect(result).toEqual({ code: 5, signal: null, stdout: '', stderr: '' });
});

it('a forgotten model does not hold the process', async () => {
  const result = await runNode(`
    const model = await createOnnxBackend().load(request(${model}));
    await model.start(run([270], { maxNewTokens: 3 })).ended;
    console.log('done');
  `);
  expect(result).toEqual({ code: 0, signal: null, stdout: 'done\n', stderr: '' });
});

it('a run holds the process until it ends', async () => {
  const result = await runNode(`
    const model = await createOnnxBackend().load(request(${model}));
    void model.start(run([270], { maxNewTokens: 30 })).ended.then((end) => console.log(end.reason));
  `);
  expect(result).toEqual({ code: 0, signal: null, stdout: 'length\n', stderr: '' });
});

it('a disposed model leaves no handler behind', async () => {
  const result = await runNode(`
    const before = process.listenerCount('exit');
    for (let i = 0; i < 3; i++) {
      const models = await Promise.all([1, 2].map(() => createOnnxBackend().load(request(${model}))));
      console.log(process.listenerCount('exit') - before);
      await Promise.all(models.map((model) => model.dispose()));
    }
    console.log(process.listenerCount('exit') - before);
  `);
  expect(result).toEqual({ code: 0, signal: null, stdout: '1\n1\n1\n0\n', stderr: '' });
});

it('a model in a worker works as on the main thread', async () => {
  const outer = fixtures.directory('outer.cjs');
  writeFileSync(
    outer,
    `${preamble()}
     const { parentPort } = require('node:worker_threads');
     (async () => {
       const model = await createOnnxBackend().load(request(${model}));
       const short = model.start(run([270], { maxNewTokens: 20 }));
       const { reason } = await short.ended;
       await model.start(run([])).ended.catch((error) => parentPort.postMessage(error.code));
       const long = model.start(run([270]));
       setTimeout(() => long.abort(), 20);
       parentPort.postMessage([reason, short.drain().tokenIds.length, (await long.ended).reason].join(' '));
       if (process.argv[2] === 'dispose') await model.dispose();
     })();`,
  );
  for (const argument of ['dispose', 'forget']) {
    const result = await runNode(`
      const { Worker } = require('node:worker_threads');
      const worker = new Worker(${JSON.stringify(outer)}, { argv: ['${argument}'] });
      worker.on('message', console.log);
      worker.on('exit', (code) => console.log(code));
    `);
    expect(result).toEqual({ code: 0, signal: null, stdout: 'RKLLM_EMPTY_PROMPT\nlength 20 aborted\n0\n', stderr: '' });
  }
});
