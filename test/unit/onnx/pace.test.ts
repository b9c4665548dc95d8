/** A pace so slow that nothing would come in the time of a test. What it does to figures, `test/unit/pace.test.ts` says. */
import { loadModel } from 'rkllm';
import type { Pace } from '../../../lib/options/pace.js';
import { writeGenaiModel } from '../../../tools/onnx/write-genai-model.js';
import { firstToken, Fixtures, generate, runRequest } from './helpers.js';

const fixtures = new Fixtures();
afterAll(() => fixtures.cleanUp());

const slowest = { preset: undefined, prefillTokensPerSecond: 0.001, decodeTokensPerSecond: undefined };
const location = fixtures.directory();
beforeAll(() => writeGenaiModel(location));

const load = (pace: Pace): ReturnType<Fixtures['load']> => fixtures.load(location, { pace });

it('is in what is known of the model, and does not change what it writes', async () => {
  const free = await fixtures.load(location);
  const paced = await load({ preset: undefined, prefillTokensPerSecond: 1e6, decodeTokensPerSecond: 1e6 });
  expect(free.info.pace).toBeUndefined();
  expect(paced.info.pace).toEqual({ preset: undefined, prefillTokensPerSecond: 1e6, decodeTokensPerSecond: 1e6 });
  const request = { maxNewTokens: 20 };
  const { tokens } = await generate(paced, [270, 271], request);
  expect(tokens).toEqual((await generate(free, [270, 271], request)).tokens);
});

it('is an option of loadModel()', async () => {
  const model = await loadModel(undefined, { pace: { preset: 'rk3588-phi3-w8a8', prefillTokensPerSecond: 0.001 } });
  expect(model.info.pace).toMatchObject({ preset: 'rk3588-phi3-w8a8', decodeTokensPerSecond: 7.45 });
  const generation = model.generate('Hi');
  await model.dispose({ abort: true });
  expect((await generation).finishReason).toBe('abort');
});

it('does not keep an abort waiting, in prefill', async () => {
  const model = await load(slowest);
  const run = model.start(runRequest([270, 271]));
  run.abort();
  expect((await run.ended).reason).toBe('aborted');
});

it('does not keep an abort waiting, in decode', async () => {
  const model = await load({ ...slowest, prefillTokensPerSecond: undefined, decodeTokensPerSecond: 0.001 });
  const run = model.start(runRequest([270, 271]));
  await firstToken(run);
  run.abort();
  expect((await run.ended).reason).toBe('aborted');
  const again = model.start(runRequest([270, 271], { maxNewTokens: 1 }));
  expect((await again.ended).reason).toBe('length');
});

it('does not keep dispose() waiting', async () => {
  const model = await load(slowest);
  const run = model.start(runRequest([270, 271]));
  await model.dispose();
  expect((await run.ended).reason).toBe('aborted');
});
