/** What a worker thread has started is waited for when the thread ends, and nothing of it is left. */
import { runNode, type Ended } from '../support/run-node.js';

/** Terminates a worker that has run the source; says what is left, and how long the thread took to end in that case. */
function terminateAfter(source: string): Promise<Ended> {
  const worker = `const { spawn } = require('node:child_process');
    const { parentPort } = require('node:worker_threads');
    const addon = require('./dist/backends/rkllm/addon.js').nativeAddon();
    ${source}
    parentPort.postMessage('go');
    setInterval(() => undefined, 60_000);`;
  const program = `const { Worker } = require('node:worker_threads');
    const { childrenOf } = require('./test/support/processes.cjs');
    (async () => {
      const worker = new Worker(${JSON.stringify(worker)}, { eval: true });
      await new Promise((resolve, reject) => worker.once('message', resolve).once('error', reject));
      await worker.terminate();
      console.log(childrenOf(process.pid).map(({ name, state }) => name + ' ' + state).join());
    })();`;
  return runNode(['-e', program]);
}

const nothingLeft = { code: 0, signal: null, stderr: '', stdout: '\n' };

test('a child that leaves by itself', async () => {
  expect(await terminateAfter("addon.guardChild(spawn(process.execPath, ['-e', '0']).pid);")).toEqual(nothingLeft);
});

test('a child that was started while the thread was terminated, so that its number is not known', async () => {
  expect(await terminateAfter("addon.expectChild(); spawn(process.execPath, ['-e', '0']);")).toEqual(nothingLeft);
});

test('a child that was expected and never started', async () => {
  expect(await terminateAfter('addon.expectChild();')).toEqual(nothingLeft);
});

test('a child that does not leave is killed', async () => {
  expect(await terminateAfter("addon.guardChild(spawn('sleep', ['60']).pid);")).toEqual(nothingLeft);
});

test('a child that libuv has reaped, and a process that is no child, are left alone', async () => {
  const source = `addon.guardChild(process.ppid);
    const child = spawn('sleep', ['60']);
    addon.guardChild(child.pid);
    addon.releaseChild(child.pid);`;
  const { stdout, ...ended } = await terminateAfter(source);
  expect({ ...ended, stdout }).toEqual({ ...nothingLeft, stdout: 'sleep S\n' });
});
