/**
 * Ways to leave while the engine is inside ONNX Runtime. Without the guard nearly every one of them ends the process
 * with SIGABRT; see `lib/backends/onnx/busy-guard.ts`.
 */
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import path from 'node:path';
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

/** Whether a process computes: one that has ended may still be listed until its parent looks. */
function isRunning(pid: number): boolean {
  try {
    return !/^\d+ \(.*\) Z/.test(readFileSync(`/proc/${pid}/stat`, 'utf8'));
  } catch {
    return false;
  }
}

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

describe('the engine of a model in a worker is a process of its own', () => {
  /** Starts a run in a worker, tells the main thread the engine's process id, and later how the run ended. */
  const outer = (): string => {
    const file = fixtures.directory(`owner-${String(Math.random()).slice(2)}.cjs`);
    writeFileSync(
      file,
      `const processes = require('node:child_process');
       const { parentPort } = require('node:worker_threads');
       const { fork } = processes;
       processes.fork = (...args) => {
         const child = fork(...args);
         parentPort.postMessage(child.pid);
         return child;
       };
       ${preamble()}
       createOnnxBackend().load(request(${model})).then((model) => {
         const current = model.start(run([270], { maxNewTokens: 200 }));
         current.readable().then(() => parentPort.postMessage('running'));
         current.ended.then((end) => parentPort.postMessage(end.reason), (error) => parentPort.postMessage(error.message));
       });`,
    );
    return JSON.stringify(file);
  };
  const start = (file: string): string => `
    const { once } = require('node:events');
    const worker = new (require('node:worker_threads').Worker)(${file});
    const [pid] = await once(worker, 'message');
    await once(worker, 'message');
  `;

  it.each(['SIGINT', 'SIGTERM', 'SIGHUP'])(
    'that leaves %s, which a terminal or a service sends to all, to its owner',
    async (signal) => {
      const result = await runNode(`
      ${start(outer())}
      process.kill(pid, '${signal}');
      console.log(...(await once(worker, 'message')));
    `);
      expect(result).toEqual({ code: 0, signal: null, stdout: 'length\n', stderr: '' });
    },
  );

  it('whose end by a signal is told', async () => {
    const result = await runNode(`
      ${start(outer())}
      process.kill(pid, 'SIGKILL');
      console.log(...(await once(worker, 'message')));
    `);
    expect(result.stdout).toBe('The engine of the ONNX model ended unexpectedly: it was ended by SIGKILL.\n');
  });

  it.each([
    ['the worker is terminated', 'await worker.terminate();'],
    ['the main thread exits', 'process.exit();'],
    ['the whole application is killed', "process.kill(process.pid, 'SIGKILL');"],
  ])('that goes when %s', async (_, leave) => {
    const result = await runNode(`${start(outer())} console.log(pid); ${leave}`);
    const pid = Number(result.stdout);
    expect(pid).toBeGreaterThan(0);
    for (let i = 0; i < 100 && isRunning(pid); i++) await new Promise((resolve) => setTimeout(resolve, 50));
    expect(isRunning(pid)).toBe(false);
  });
});

it('a model in a test of Jest, where process is a copy, does not abort the test run', async () => {
  const project = fixtures.directory('project');
  mkdirSync(project);
  writeFileSync(path.join(project, 'package.json'), '{}');
  writeFileSync(
    path.join(project, 'a.test.js'),
    `${preamble()}
     it('leaves an engine behind that works', async () => {
       const model = await createOnnxBackend().load(request(${model}));
       void (async () => { for (;;) await model.start(run(${longPrompt})).ended; })();
       await new Promise((resolve) => setTimeout(resolve, 20));
     });`,
  );
  const cli = path.join(path.dirname(require.resolve('jest/package.json')), 'bin/jest.js');
  const result = await runNode(`
    const { spawnSync } = require('node:child_process');
    const options = { cwd: ${JSON.stringify(project)}, encoding: 'utf8' };
    const { status, signal, stderr } = spawnSync(process.execPath, [${JSON.stringify(cli)}, '-i', '--forceExit'], options);
    console.log(status, signal, /1 passed, 1 total/.test(stderr));
  `);
  expect(result.stdout).toBe('0 null true\n');
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
