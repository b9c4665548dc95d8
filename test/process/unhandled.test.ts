import { runModule } from '../support/run-node.js';

/** Node ends a process with code 1 at the first rejection that nobody handles. */
const prelude = `
  import { setTimeout as sleep } from 'node:timers/promises';
  import { loadModel } from 'rkllm';
  import { scripted } from 'rkllm/testing';
  const load = (script, options) => loadModel(undefined, { ...options, backend: scripted(script) });
  const failing = { reply: 'a b c', failAfterTokens: 1 };
`;

const forgotten: [string, string][] = [
  ['a generation that fails', `(await load(failing)).generate('Hi');`],
  ['its promise', `(await load(failing)).generate('Hi').result();`],
  ['its iterator', `(await load(failing)).generate('Hi')[Symbol.asyncIterator]();`],
  ['its textStream', `void (await load(failing)).generate('Hi').textStream;`],
  ['one that was read halfway', `await (await load(failing)).generate('Hi')[Symbol.asyncIterator]().next();`],
  ['a turn of a chat', `(await load(failing)).chat().send('Hi');`],
  [
    'one whose signal aborts',
    `const c = new AbortController(); (await load({ tokenMs: 5 })).generate('Hi', { signal: c.signal }); c.abort();`,
  ],
  ['one whose signal was aborted', `(await load()).generate('Hi', { signal: AbortSignal.abort() });`],
  [
    'those that wait when the model is disposed',
    `const m = await load(); m.generate('Hi'); m.generate('Hi'); await m.dispose({ abort: true });`,
  ],
  [
    'one that waits too long',
    `const m = await load({ prefillMs: 30 }, { queue: { timeoutMs: 1 } }); m.generate('Hi'); m.generate('Hi');`,
  ],
  ['a conversation that cannot be warmed up', `(await load(failing)).chat({ system: 'Be brief.' }).warm();`],
  [
    'a turn that runs tools, and an answer that is checked',
    `const m = await load(failing); m.chat().run('Hi', { tools: [{ name: 'a', run() {} }] });
     m.generate('Hi', { responseFormat: { type: 'json' } });`,
  ],
  ['one that was left by break', `for await (const c of (await load({ reply: 'a b c' })).generate('Hi')) break;`],
];

test.each(forgotten)('%s may be forgotten', async (_, program) => {
  const ended = await runModule(`${prelude} { ${program} } await sleep(60); console.log('alive');`);
  expect(ended).toEqual({ code: 0, signal: null, stdout: 'alive\n', stderr: '' });
});

test('a failure that is awaited and not caught ends the process', async () => {
  const { code, stderr } = await runModule(`${prelude} await (await load(failing)).generate('Hi');`);
  expect(code).toBe(1);
  expect(stderr).toContain('RKLLM_RUN_FAILED');
});

test('text() that nobody catches is a rejection that nobody handles', async () => {
  const { code } = await runModule(`${prelude} (await load(failing)).generate('Hi').text(); await sleep(60);`);
  expect(code).toBe(1);
});

test('a model that is not disposed does not keep a process alive', async () => {
  const ended = await runModule(`${prelude} const m = await load(); console.log((await m.generate('Hi')).text);`);
  expect(ended).toMatchObject({ code: 0, signal: null, stderr: '' });
});
