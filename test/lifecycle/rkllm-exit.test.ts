import path from 'node:path';
import { runNode, type Ended } from '../support/run-node.js';
import { FakeModel, fakeRuntime } from '../unit/rkllm/fake-model.js';

jest.setTimeout(120_000);

const prelude = path.join(__dirname, 'rkllm-prelude.cjs');

/** Runs a program that has the prelude at hand, with a fake model. */
function run(model: FakeModel, source: string, ...flags: string[]): Promise<Ended> {
  const program = `const { load, start, startAndRead, consume, sleep, reached, work } = require(${JSON.stringify(prelude)});
    (async () => { ${source} })();`;
  return runNode([...flags, '-e', program], { env: { RUNTIME: fakeRuntime('1.1.1'), MODEL: model.path } });
}

/** How a program ended, without what it printed unless it should print nothing. */
function endOf({ code, signal, stderr }: Ended): object {
  return { code, signal, stderr };
}

const quiet = (code: number): object => ({ code, signal: null, stderr: '' });
const endless = ['token a', 'endless', 'token-us 200'];

describe('process.exit()', () => {
  test.each([
    ['while a model is loaded', ['init-delay-ms 200'], "load(); await reached('init'); process.exit(3);"],
    ['with an idle model', [], 'await load(); process.exit(3);'],
    ['in a prefill', ['prefill-ms 60000'], "start(await load()); await reached('run'); process.exit(3);"],
    [
      'in a prefill that hears no abort',
      ['prefill-ms 300', 'abort-after-prefill'],
      "start(await load()); await reached('run'); process.exit(3);",
    ],
    [
      'in a run that is read',
      endless,
      'const r = await startAndRead(await load()); consume(r); await sleep(20); process.exit(3);',
    ],
    [
      'in a flood',
      ['token a', 'endless'],
      'const r = await startAndRead(await load()); consume(r); await sleep(20); process.exit(3);',
    ],
    ['while a model is disposed', ['destroy-delay-ms 100'], '(await load()).dispose(); process.exit(3);'],
    [
      'with two running models',
      endless,
      'for (const m of [await load(), await load()]) await startAndRead(m); process.exit(3);',
    ],
    [
      'from a worker',
      endless,
      "const w = work('await startAndRead(await load()); process.exit(3);'); process.exitCode = await w.exited;",
    ],
    [
      'while a worker runs',
      endless,
      "const w = work('consume(await startAndRead(await load())); go();'); await w.started; process.exit(3);",
    ],
  ])('%s', async (_, script, source) => {
    const model = new FakeModel(...script);
    expect(endOf(await run(model, source))).toEqual(quiet(3));
    // The runtime is left in order: what was initialized has been destroyed.
    const count = (call: string): number => model.calls.filter((line) => line === call).length;
    expect(count('init')).toBeGreaterThan(0);
    expect(count('destroy')).toBe(count('init'));
  });

  test('with a stuck runtime ends all the same', async () => {
    const model = new FakeModel(...endless, 'abort-ignored');
    expect(endOf(await run(model, 'await startAndRead(await load()); process.exit(3);'))).toEqual(quiet(3));
    expect(model.calls).not.toContain('destroy');
  });
});

test('process.exit() asks a run again that was entering the runtime, though another model is stuck', async () => {
  const stuck = new FakeModel(...endless, 'abort-ignored');
  const entering = new FakeModel('token a', 'enter-delay-ms 100', 'prefill-ms 60000');
  const source = `const first = await startAndRead(await load(${JSON.stringify(stuck.path)}));
    consume(first);
    const model = await load(process.env.MODEL); start(model); await sleep(20); process.exit(3);`;
  expect(endOf(await run(entering, source))).toEqual(quiet(3));
  expect(entering.calls.filter((call) => call === 'destroy')).toHaveLength(1); // the journal of the last is that of both
});

describe('the end of the program', () => {
  test('comes with an idle model, which is destroyed', async () => {
    const model = new FakeModel();
    expect(endOf(await run(model, 'await load();'))).toEqual(quiet(0));
    expect(model.calls).toEqual(['init', 'destroy']);
  });

  test('waits for a load, a run and a disposal', async () => {
    const model = new FakeModel('token a', 'init-delay-ms 50', 'prefill-ms 50', 'destroy-delay-ms 50');
    const ended = await run(model, 'const m = await load(); const r = start(m); r.ended.then(() => { m.dispose(); });');
    expect(endOf(ended)).toEqual(quiet(0));
    expect(model.calls).toEqual(['init', 'run hi', 'run-end 0', 'destroy']);
  });

  test.each([
    ['in a run', 'await startAndRead(await load()); setImmediate(() => { throw new Error("boom"); });'],
    ['in a load', 'load(); throw new Error("boom");'],
    [
      'of a listener',
      'const r = await startAndRead(await load()); r.readable().then(() => { throw new Error("boom"); }); r.drain();',
    ],
  ])('by an uncaught exception %s', async (_, source) => {
    const model = new FakeModel(...endless);
    const { code, signal, stderr } = await run(model, source);
    expect({ code, signal }).toEqual({ code: 1, signal: null });
    expect(stderr).toContain('boom');
  });

  test('by SIGTERM in a run', async () => {
    const model = new FakeModel(...endless);
    const { code, signal } = await run(
      model,
      'await startAndRead(await load()); process.kill(process.pid, "SIGTERM"); await sleep(60000);',
    );
    expect({ code, signal }).toEqual({ code: null, signal: 'SIGTERM' });
  });
});

describe('a forgotten model', () => {
  test.each([
    ['is collected and destroyed', 'await load();'],
    ['is collected after its run', 'const r = start(await load()); await r.ended; r.drain();'],
  ])('%s', async (_, forget) => {
    const model = new FakeModel('token a');
    const source = `await (async () => { ${forget} })();
      const { existsSync, readFileSync } = require('node:fs');
      const destroyed = () => readFileSync(process.env.MODEL + '.journal', 'utf8').includes('destroy');
      while (!destroyed()) { gc(); await sleep(5); }
      console.log('collected');`;
    const ended = await run(model, source, '--expose-gc');
    expect(ended).toEqual({ code: 0, signal: null, stderr: '', stdout: 'collected\n' });
  });

  test('with a run in flight is not collected before its end', async () => {
    const model = new FakeModel('token a', 'prefill-ms 200');
    const source = `let text = ''; let over = false;
      await (async () => { const r = start(await load()); r.ended.then(() => { text += r.drain().tokenIds.length; over = true; }); })();
      while (!over) { gc(); await sleep(5); }
      console.log(text);`;
    expect(await run(model, source, '--expose-gc')).toMatchObject({ code: 0, signal: null, stdout: '1\n' });
  });

  test('a thousand times over leaves no thread', async () => {
    const source = `const { readdirSync } = require('node:fs');
      const threads = () => readdirSync('/proc/self/task').length;
      await (await load()).dispose();
      const before = threads();
      for (let i = 0; i < 1000; i++) { const m = await load(); if (i % 2) await m.dispose(); if (i % 50 === 0) gc(); }
      while (threads() > before) { gc(); await sleep(5); }
      console.log('none left');`;
    expect(await run(new FakeModel(), source, '--expose-gc')).toMatchObject({ code: 0, stdout: 'none left\n' });
  });
});

describe('worker.terminate()', () => {
  // Only the worker loads the addon: Node.js unmaps what its last environment has loaded, unless told otherwise.
  test.each([
    ['in a load', ['init-delay-ms 30'], 'load(); go();'],
    ['with an idle model', [], 'await load(); go(); setInterval(() => undefined, 1000);'],
    ['in a prefill', ['prefill-ms 60000'], 'start(await load()); go();'],
    ['in a run that nobody reads', endless, 'await startAndRead(await load()); go();'],
    ['in a run that is read', endless, 'consume(await startAndRead(await load())); go();'],
    ['in a flood', ['token a', 'endless'], 'consume(await startAndRead(await load())); go();'],
    ['in a disposal', ['destroy-delay-ms 30'], '(await load()).dispose(); go();'],
  ])('%s, twenty times', async (_, script, source) => {
    const model = new FakeModel(...script);
    const program = `for (let i = 0; i < 20; i++) {
        const { worker, started } = work(${JSON.stringify(source)});
        await started; await sleep(Math.random() * 3); await worker.terminate();
      }
      console.log('survived');`;
    expect(await run(model, program)).toEqual({ code: 0, signal: null, stderr: '', stdout: 'survived\n' });
    const count = (call: string): number => model.calls.filter((line) => line === call).length;
    expect(count('destroy')).toBe(count('init'));
  });

  test('with a stuck runtime', async () => {
    const model = new FakeModel('token a', 'repeat 20000', 'token-us 200', 'abort-ignored');
    const program = `const { worker, started } = work('consume(await startAndRead(await load())); go();');
      await started; await worker.terminate(); console.log('survived'); await sleep(500);`;
    expect(await run(model, program)).toEqual({ code: 0, signal: null, stderr: '', stdout: 'survived\n' });
  });

  test('while other environments go on', async () => {
    const model = new FakeModel('token a', 'repeat 2000', 'token-us 100');
    const program = `const own = startAndRead(await load()).then(consume);
      const other = work('await consume(await startAndRead(await load()));');
      for (let i = 0; i < 10; i++) {
        const { worker, started } = work('consume(await startAndRead(await load())); go();');
        await started; await worker.terminate();
      }
      console.log(await own, await other.exited);`;
    expect(await run(model, program)).toEqual({ code: 0, signal: null, stderr: '', stdout: '2000 0\n' });
  });
});

test('dispose() gives up on a runtime that never comes back, and the program can end', async () => {
  const model = new FakeModel(...endless, 'abort-ignored');
  const program = `const m = await load(process.env.MODEL, { abortTimeoutMs: 100 }); const r = await startAndRead(m);
    const failure = (promise) => promise.then(() => 'none', ({ code }) => code);
    console.log(await failure(m.dispose()), await failure(r.ended), await failure(start(m).ended));`;
  expect(await run(model, program)).toEqual({
    code: 0,
    signal: null,
    stderr: '',
    stdout: 'RKLLM_RUNTIME_HUNG RKLLM_RUNTIME_HUNG RKLLM_DISPOSED\n',
  });
  expect(model.calls).not.toContain('destroy');
});

test('a runtime with garbage in its padding gets zeros', async () => {
  const model = new FakeModel('token a');
  const program = `process.env.FAKE_RKLLM_DIRTY_DEFAULTS = '1';
    const m = await load(); console.log(await consume(start(m))); await m.dispose();`;
  expect(await run(model, program)).toEqual({ code: 0, signal: null, stderr: '', stdout: '1\n' });
});
