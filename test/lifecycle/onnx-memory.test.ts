import { Fixtures, generate } from '../unit/onnx/helpers.js';
import { runNode } from '../unit/onnx/run-node.js';
import { writeGenaiModel } from '../../tools/onnx/write-genai-model.js';

jest.setTimeout(120_000);

const fixtures = new Fixtures();
afterAll(() => fixtures.cleanUp());

it('a disposed model gives its memory back', async () => {
  const wide = writeGenaiModel(fixtures.directory(), { hiddenSize: 512, layers: 8 });
  const { stdout, stderr } = await runNode(`
    require('node:v8').setFlagsFromString('--expose-gc');
    const collect = require('node:vm').runInNewContext('gc');
    const resident = [];
    for (let i = 0; i < 7; i++) {
      const model = await createOnnxBackend().load(request(${JSON.stringify(wide.directory)}));
      await model.start(run(new Array(64).fill(270), { maxNewTokens: 2 })).ended;
      await model.dispose();
      collect();
      resident.push(process.memoryUsage().rss / 2 ** 20);
    }
    const weights = require('node:fs').statSync(${JSON.stringify(`${wide.directory}/${wide.modelFile}`)}).size / 2 ** 20;
    console.log(JSON.stringify({ resident, weights }));
  `);
  expect(stderr).toBe('');
  const { resident, weights } = JSON.parse(stdout) as { resident: number[]; weights: number };
  expect(weights).toBeGreaterThan(8);
  // The first ones make what stays: the addon, threads' stacks, the allocator's reserves. Of four that came after, not one is left.
  const [third = NaN, last = NaN] = [resident[2], resident[6]];
  expect(last - third).toBeLessThan(weights);
});

it('two models at once answer as each does alone, and one that is disposed does not disturb the other', async () => {
  const directories = [1, 2].map((seed) => writeGenaiModel(fixtures.directory(), { seed }).directory);
  const request = { maxNewTokens: 60 };
  const alone: number[][] = [];
  for (const directory of directories) {
    const model = await fixtures.load(directory);
    alone.push((await generate(model, [270, 271], request)).tokens);
    await model.dispose();
  }
  expect(alone[0]).not.toEqual(alone[1]);
  const [one, other] = await Promise.all(directories.map((directory) => fixtures.load(directory)));
  if (one === undefined || other === undefined) throw new Error('There are two directories.');
  const together = await Promise.all([one, other].map((model) => generate(model, [270, 271], request)));
  expect(together.map(({ tokens }) => tokens)).toEqual(alone);
  const left = generate(other, [270, 271], request);
  await one.dispose();
  expect((await left).tokens).toEqual(alone[1]);
});
