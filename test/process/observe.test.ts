import { runModule } from '../support/run-node.js';

const prelude = `import { channels, loadModel } from 'rkllm'; import { scripted } from 'rkllm/testing';
  const load = (options) => loadModel(undefined, { backend: scripted({ reply: 'private' }), ...options });`;
const asking = `const model = await load(); console.log((await model.generate('private')).text); await model.dispose();`;

test('NODE_DEBUG=rkllm prints the lines of the log, words of prompts and answers not among them', async () => {
  const { code, stdout, stderr } = await runModule(`${prelude} ${asking}`, { env: { NODE_DEBUG: 'rkllm' } });
  expect({ code, stdout }).toEqual({ code: 0, stdout: 'private\n' });
  const lines = stderr.trimEnd().split('\n');
  expect(lines).toEqual([
    expect.stringMatching(/^RKLLM \d+: debug: load started \{.*'scripted'/u),
    expect.stringMatching(/^RKLLM \d+: info: load finished \{.*'phi3'/u),
    expect.stringMatching(/^RKLLM \d+: debug: generation finished \{.*outputTokens: 1/u),
  ]);
  expect(stderr).not.toContain('private');
});

test.each([{}, { NODE_DEBUG: 'http' }])('with the environment %j nothing is printed', async (env) => {
  expect(await runModule(`${prelude} ${asking}`, { env })).toMatchObject({ code: 0, stderr: '' });
});

test('a subscriber that throws is an uncaught exception of the process, and no failure of the generation', async () => {
  const { code, stdout } = await runModule(`${prelude}
    process.on('uncaughtException', (error) => console.log(error.message));
    for (const event of ['start', 'asyncEnd']) channels.generate[event].subscribe(() => { throw new Error(event); });
    ${asking}`);
  expect({ code, lines: stdout.trimEnd().split('\n').sort() }).toEqual({
    code: 0,
    lines: ['asyncEnd', 'private', 'start'],
  });
});

test('a substitute is logged each time, and keeps the logger', async () => {
  const { code, stdout } = await runModule(
    `${prelude} const ignore = () => undefined;
     const warn = (fields, message) => console.log(JSON.stringify([message, fields]));
     for (const time of [1, 2]) {
       const model = await loadModel('/models/phi-3.rkllm', { logger: { debug: ignore, info: ignore, warn, error: ignore } });
       await model.dispose();
     }`,
    { env: { RKLLM_BACKEND: 'onnx' } },
  );
  const line = expect.stringContaining('"another model takes its place",{"asked":"/models/phi-3.rkllm"') as string;
  expect({ code, lines: stdout.trimEnd().split('\n') }).toEqual({ code: 0, lines: [line, line] });
});
