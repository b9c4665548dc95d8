/** Relative paths start at the application's current directory, wherever the runtime runs. */
import { existsSync, mkdtempSync, realpathSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { FakeModel, fakeRuntime } from '../unit/rkllm/fake-model.js';
import { root, runScript } from '../support/run-node.js';

const isolations = ['process', 'none'] as const;

let directory: string;
beforeEach(() => (directory = realpathSync(mkdtempSync(path.join(tmpdir(), 'rkllm-directory-')))));
afterEach(() => rmSync(directory, { recursive: true, force: true }));

async function run(fake: FakeModel, isolation: string, source: string): Promise<string[]> {
  const env = { MODEL: fake.path, RUNTIME: fakeRuntime('1.2.3'), DIRECTORY: directory, ISOLATION: isolation };
  const { stdout, stderr, code } = await runScript(
    `const fs = require('node:fs');
    const { loadModel, doctor } = require(${JSON.stringify(root)});
    const { MODEL, RUNTIME: runtimePath, DIRECTORY, ISOLATION: isolation } = process.env;
    const load = (path = MODEL) => loadModel(path, { runtimePath, isolation, template: 'none' });
    const tell = (error) => console.log(error.code);
    (async () => { ${source} })();`,
    { env },
  );
  expect([stderr, code]).toEqual(['', 0]);
  return stdout.trimEnd().split('\n');
}

test.each(isolations)('those of adapters and prompt caches: isolation %s', async (isolation) => {
  const fake = new FakeModel('token a');
  const source = `
    process.chdir(DIRECTORY);
    fs.writeFileSync('style.lora', '');
    const model = await load();
    const saved = model.generate('hi', { savePromptCache: 'saved.cache' });
    const adapter = model.runtime.loadLora({ path: 'style.lora', name: 'style' });
    const cache = model.runtime.loadPromptCache('saved.cache');
    process.chdir('/'); // what was asked for before is meant as it was
    await Promise.all([saved, adapter, cache]);
    await model.dispose();`;
  await run(fake, isolation, source);
  expect(existsSync(path.join(directory, 'saved.cache'))).toBe(true);
  expect(fake.calls).toEqual(
    expect.arrayContaining([
      `load-lora "style" "${directory}/style.lora" scale=1.000000`,
      `load-prompt-cache "${directory}/saved.cache"`,
    ]),
  );
});

test.each(isolations)(
  'without a current directory absolute ones are as good as ever: isolation %s',
  async (isolation) => {
    const source = `
    process.chdir(DIRECTORY);
    fs.rmdirSync(DIRECTORY);
    const model = await load();
    console.log(await model.generate('hi').text());
    await model.runtime.loadLora({ path: 'style.lora', name: 'style' }).catch(tell);
    try { model.generate('hi', { savePromptCache: 'saved.cache' }); } catch (error) { tell(error); }
    await model.dispose();
    await load('model.rkllm').catch(tell);
    await load('/no/such.rkllm').catch(tell);
    await doctor({ model: 'model.rkllm' }).catch(tell);
    console.log((await doctor({ model: MODEL })).checks.length > 0);`;
    const relative = 'RKLLM_INVALID_INPUT';
    expect(await run(new FakeModel('token a'), isolation, source)).toEqual([
      ...['a', relative, relative, relative],
      ...['RKLLM_MODEL_NOT_FOUND', relative, 'true'],
    ]);
  },
);
