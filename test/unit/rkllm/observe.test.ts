import { inspect } from 'node:util';
import type { Logger } from 'rkllm';
import { codeOf, failureOf } from '../../support/reading.js';
import { record } from '../observe/recorder.js';
import { load, prompts } from './batches.js';
import { FakeModel, until } from './fake-model.js';

const settled = ['generate:start', 'queue:started', 'generate:end', 'generate:asyncStart', 'generate:asyncEnd'];

describe('a batch', () => {
  test('is traced as one generation, without its words', async () => {
    const { model, runtime } = await load('1.2.3', new FakeModel(), { batchSize: 2 });
    const recorder = record();
    const answers = await runtime.generateBatch(prompts(2), { maxNewTokens: 9 });
    expect(recorder.names).toEqual(settled);
    const [start] = recorder.of('generate:start');
    const { name } = model.info;
    expect(start).toMatchObject({ operation: 'batch', model: name, input: { kind: 'batch', length: 2 } });
    expect(start).toMatchObject({ options: { maxNewTokens: 9 } });
    const outputTokens = answers.reduce((sum, { tokenIds }) => sum + tokenIds.length, 0);
    const result = { finishReasons: ['stop', 'stop'], usage: { outputTokens }, timings: undefined };
    expect(recorder.of('generate:asyncEnd')).toMatchObject([{ state: 'done', result }]);
    expect(inspect(recorder.published, { depth: null })).not.toMatch(/You said|p0/u);
  });

  test('that its signal stops', async () => {
    const fake = new FakeModel('token a', 'repeat 1000000', 'token-us 1000');
    const { runtime } = await load('1.2.3', fake, { batchSize: 2 });
    const recorder = record();
    const controller = new AbortController();
    const onText = (): void => controller.abort('enough');
    const answers = runtime.generateBatch(prompts(2), { signal: controller.signal, onText });
    expect(await failureOf(() => answers)).toBe('enough');
    expect(recorder.of('generate:error')).toMatchObject([{ state: 'aborted', error: 'enough' }]);
  });

  test('of which there are too many', async () => {
    const { runtime } = await load('1.2.3', new FakeModel(), { batchSize: 2, queue: { maxPending: 0 } });
    const first = runtime.generateBatch(prompts(2));
    const recorder = record();
    expect(await codeOf(() => runtime.generateBatch(prompts(2)))).toBe('RKLLM_QUEUE_FULL');
    expect(recorder.names.slice(0, 4)).toEqual(['generate:start', 'queue:refused', 'generate:end', 'generate:error']);
    await first;
  });
});

test('a runtime that hangs is logged', async () => {
  const fake = new FakeModel('token a', 'abort-ignored', 'prefill-ms 1500');
  const errors: unknown[] = [];
  const ignore = (): void => undefined;
  const error: Logger['error'] = ({ err }, message) => void errors.push([message, (err as { code?: unknown }).code]);
  const logger = { debug: ignore, info: ignore, warn: ignore, error };
  const { model } = await load('1.2.3', fake, { abortTimeoutMs: 40, logger });
  const generation = model.generate('one');
  await until(() => fake.calls.includes('run one'));
  generation.abort();
  expect(await codeOf(() => generation)).toBe('RKLLM_RUNTIME_HUNG');
  expect(errors).toHaveLength(2);
  expect(errors).toContainEqual(['model failed', 'RKLLM_RUNTIME_HUNG']);
  expect(errors).toContainEqual(['generation failed', 'RKLLM_RUNTIME_HUNG']);
});
