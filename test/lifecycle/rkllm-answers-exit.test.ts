/** Functions that answer the runtime, and end the program while it waits for them. */
import path from 'node:path';
import { root, runNode } from '../support/run-node.js';
import { FakeModel, fakeRuntime } from '../unit/rkllm/fake-model.js';

jest.setTimeout(120_000);

/** A program that asks a model whose functions are `functions`. */
function run(model: FakeModel, functions: string, rest = ''): ReturnType<typeof runNode> {
  const program = `const { loadModel } = require(${JSON.stringify(path.join(root, 'dist', 'index.js'))});
    const options = { runtimePath: process.env.RUNTIME, template: 'none', isolation: 'none', ...${functions} };
    loadModel(process.env.MODEL, options).then((model) => {
      const generation = model.generate({ prompt: 'a b' });
      ${rest}
    });`;
  return runNode(['-e', program], { env: { RUNTIME: fakeRuntime('1.3.1'), MODEL: model.path } });
}

test.each([
  ['a tokenizer ends the process', 'no-tokenizer', '{ tokenizer: () => process.exit(3) }', 3],
  ['an embedder ends the process', 'no-embedding', '{ embedder: () => process.exit(3) }', 3],
  [
    'the process ends later',
    'no-tokenizer',
    '{ tokenizer: async () => { setImmediate(() => process.exit(3)); await new Promise(() => {}); } }',
    3,
  ],
  [
    'something else throws',
    'no-tokenizer',
    "{ tokenizer: () => { setImmediate(() => { throw new Error('boom'); }); return new Promise(() => {}); } }",
    1,
  ],
])('%s', async (_, lacks, functions, expected) => {
  const model = new FakeModel(lacks);
  const { code, signal } = await run(model, functions);
  expect({ code, signal }).toEqual({ code: expected, signal: null });
  expect(model.calls.at(-1)).toBe('destroy');
});

test('the program goes on until the answer is there, and ends then', async () => {
  const model = new FakeModel('no-tokenizer');
  const tokenizer = '{ tokenizer: () => new Promise((resolve) => setTimeout(() => resolve([1, 2]), 50)) }';
  const ended = await run(model, tokenizer, 'generation.then(({ usage }) => console.log(usage.outputTokens));');
  expect(ended).toMatchObject({ code: 0, signal: null, stderr: '', stdout: '2\n' });
});
