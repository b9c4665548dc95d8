/** The process for the runtime cannot be started: that is an error of the load, and nothing else happens. */
import { execFile } from 'node:child_process';
import { promisify } from 'node:util';
import { FakeModel, fakeRuntime } from '../unit/rkllm/fake-model.js';
import { root, runScript } from '../support/run-node.js';

const script = `
  const fs = require('node:fs');
  const { loadModel } = require('rkllm');
  const load = (options) => loadModel(process.env.MODEL, { runtimePath: process.env.RUNTIME, template: 'none', ...options });
  const tell = ({ code, hint, cause }) => console.log(code, hint.split('.')[0], cause?.code ?? '');
`;

function environment(): Record<string, string> {
  return { MODEL: new FakeModel('token fine').path, RUNTIME: fakeRuntime('1.2.3') };
}

test('too many files are open', async () => {
  const source = `${script}
    (async () => {
      await (await load()).dispose();
      const open = [];
      const openAll = () => { try { for (;;) open.push(fs.openSync('/dev/null')); } catch {} };
      openAll();
      for (let spare = 1; spare < 6; spare++) {
        for (let i = 0; i < spare; i++) fs.closeSync(open.pop());
        await load().catch(tell);
        openAll();
      }
      for (const file of open) fs.closeSync(file);
      const model = await load();
      console.log(await model.generate('hi').text());
      await model.dispose();
    })();`;
  const limited = 'ulimit -n 100 && exec "$0" -e "$1"';
  const { stdout, stderr } = await promisify(execFile)('sh', ['-c', limited, process.execPath, source], {
    cwd: root,
    env: { ...process.env, ...environment() },
  });
  const refusals = Array.from(
    { length: 5 },
    () => 'RKLLM_WORKER_FAILED Close files and sockets that are not needed, or raise the limit: ulimit -n 102400 ',
  );
  expect([...stdout.trimEnd().split('\n'), stderr]).toEqual([...refusals, 'fine', '']);
});

test('there is no Node.js to run it with', async () => {
  const source = `${script}
    process.getBuiltinModule = (id) => (id === 'node:sea' ? { isSea: () => true } : undefined);
    load().catch(tell);`;
  const { stdout, code } = await runScript(source, { env: environment() });
  expect([stdout, code]).toEqual([expect.stringMatching(/^RKLLM_WORKER_FAILED If a bundler/u), 0]);
});

test('the environment is too long', async () => {
  const source = `${script} load({ runtimeEnv: { LONG: 'x'.repeat(1e6) } }).catch(tell);`;
  const { stdout, code } = await runScript(source, { env: environment() });
  expect([stdout, code]).toEqual(['RKLLM_WORKER_FAILED Give less in runtimeEnv E2BIG\n', 0]);
});

test('Node.js is not where it was', async () => {
  const source = `${script} process.execPath = '/nowhere/node'; load().catch(tell);`;
  const { stdout, code } = await runScript(source, { env: environment() });
  expect([stdout, code]).toEqual([expect.stringMatching(/^RKLLM_WORKER_FAILED .* ENOENT\n$/u), 0]);
});
