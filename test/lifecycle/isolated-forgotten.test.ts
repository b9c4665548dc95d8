/** A model that nobody disposes of takes its process with it when it is collected, and keeps no program alive. */
import { runNode, type Ended } from '../support/run-node.js';
import { FakeModel, fakeRuntime } from '../unit/rkllm/fake-model.js';

/** A program with a fake model at hand; `collected()` waits until no process is left. */
function run(model: FakeModel, source: string): Promise<Ended> {
  const program = `const { loadModel } = require('rkllm');
    const { childrenOf } = require('./test/support/processes.cjs');
    const load = (options) => loadModel(process.env.MODEL, { runtimePath: process.env.RUNTIME, template: 'none', ...options });
    const sleep = (ms) => new Promise((resolve) => setTimeout(resolve, ms));
    const collected = async (turns = 400) => {
      while (childrenOf(process.pid).length > 0 && turns-- > 0) { gc(); await sleep(5); }
      console.log('left', childrenOf(process.pid).length);
    };
    (async () => { ${source} })();`;
  return runNode(['--expose-gc', '-e', program], { env: { MODEL: model.path, RUNTIME: fakeRuntime('1.1.1') } });
}

const quiet = { code: 0, signal: null, stderr: '' };

test.each([
  ['just loaded', 'await load();'],
  [
    'loaded with a signal, and watched',
    'await load({ signal: new AbortController().signal, onProgress() {}, logger: console });',
  ],
  ['after an answer', "await (await load()).generate('hi');"],
  ['after a reader has left', "for await (const chunk of (await load()).generate('hi')) break;"],
  ['after hidden states', "await (await load()).runtime.hiddenStates({ prompt: 'hi' });"],
])('a forgotten model is collected: %s', async (_, use) => {
  const model = new FakeModel('token a', 'repeat 20', 'token-us 500');
  const ended = await run(model, `await (async () => { ${use} })(); await collected();`);
  expect({ ...ended, stdout: ended.stdout.split('\n').at(-2) }).toEqual({ ...quiet, stdout: 'left 0' });
  expect(model.calls.at(-1)).toBe('destroy');
});

test('nothing is kept of loads that were stopped', async () => {
  const source = `const { queryObjects } = require('node:v8');
    const { HostSession } = require('./dist/backends/rkllm/isolated/host-session.js');
    for (let i = 0; i < 5; i++) {
      const controller = new AbortController();
      const loading = load({ signal: controller.signal });
      setTimeout(() => controller.abort(), 5);
      await loading.catch(({ name }) => console.log(name));
    }
    const kept = () => queryObjects(HostSession, { format: 'count' });
    for (let turns = 200; kept() > 0 && turns > 0; turns--) { gc(); await sleep(5); }
    console.log('kept', kept());`;
  // Node.js warns that queryObjects() is experimental.
  const { code, stdout } = await run(new FakeModel('init-delay-ms 60000'), source);
  expect({ code, stdout }).toEqual({ code: 0, stdout: `${'AbortError\n'.repeat(5)}kept 0\n` });
});

test('an idle model does not keep the program alive', async () => {
  const model = new FakeModel();
  expect(await run(model, "globalThis.model = await load(); console.log('loaded');")).toEqual({
    ...quiet,
    stdout: 'loaded\n',
  });
});

test('a load, a run and a disposal do', async () => {
  const model = new FakeModel('init-delay-ms 100', 'token a', 'prefill-ms 100', 'destroy-delay-ms 100');
  const source = `load().then((model) => {
    model.generate('hi').result().then(({ text }) => { console.log(text); model.dispose().then(() => console.log('disposed')); });
  });`;
  expect(await run(model, source)).toEqual({ ...quiet, stdout: 'a\ndisposed\n' });
  expect(model.calls).toEqual(['init', 'run hi', 'run-end 0', 'destroy']);
});
