import { runModule, runScript } from '../support/run-node.js';

const prelude = `
  import { loadModel } from 'rkllm';
  import { scripted } from 'rkllm/testing';
  const backend = scripted({ reply: 'served' });
  const load = (delayMs) => loadModel(undefined, { backend, onCrash: 'restart', restart: { delayMs } });
`;

test('a pause in which nobody waits does not keep a process alive', async () => {
  const ended = await runModule(`${prelude}
    const model = await load(60_000);
    backend.crash();
    await new Promise(setImmediate);
    console.log(model.state);
    const gone = model.generate('Hi');
    gone.abort();
    await gone;
  `);
  expect(ended).toEqual({ code: 0, signal: null, stdout: 'restarting\n', stderr: '' });
});

test('one in which somebody waits does', async () => {
  const ended = await runModule(`${prelude}
    const model = await load(300);
    backend.crash();
    await new Promise(setImmediate);
    await new Promise(setImmediate);
    const { text } = await model.generate('Hi');
    console.log(text, backend.loads.length);
  `);
  expect(ended).toEqual({ code: 0, signal: null, stdout: 'served 2\n', stderr: '' });
});

test('the CPU backend is loaded again when its worker has died, and answers', async () => {
  const ended = await runScript(`
    const threads = require('node:worker_threads');
    const engines = [];
    const Original = threads.Worker;
    threads.Worker = class extends Original { constructor(...args) { super(...args); engines.push(this); } };
    const { loadModel } = require('rkllm');
    (async () => {
      const model = await loadModel(undefined, { onCrash: 'restart', restart: { delayMs: 1 } });
      const options = { maxNewTokens: 8, temperature: 0 };
      const text = await model.generate('Hi', options).text();
      const [engine] = engines;
      engine.postMessage = () => undefined; // it never hears of the run: it is idle, and safe to terminate
      const generation = model.generate('Hi', options);
      await engine.terminate();
      const again = await generation.text();
      console.log(engines.length, again === text, model.state);
      await model.dispose();
      console.log(model.state);
    })();
  `);
  expect(ended).toEqual({ code: 0, signal: null, stdout: '2 true ready\ndisposed\n', stderr: '' });
});
