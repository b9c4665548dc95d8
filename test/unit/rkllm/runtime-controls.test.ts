import path from 'node:path';
import { writeFileSync } from 'node:fs';
import type { BackendModel, RuntimeControls } from 'rkllm';
import { codeOf, failureOf } from '../../support/reading.js';
import {
  FakeModel,
  directory,
  dispose,
  fakeRuntime,
  isFrom,
  outcomeOf,
  prompt,
  read,
  releases,
  type Release,
} from './fake-model.js';

async function load(release: Release, ...script: string[]): Promise<[FakeModel, BackendModel, RuntimeControls]> {
  const fake = new FakeModel('details', ...script);
  const npu = isFrom(release, '1.2.3') ? { crossAttention: true } : {};
  const model = await fake.load({ runtimePath: fakeRuntime(release), npu });
  if (model.runtime === undefined) throw new Error('It has no runtime.');
  return [fake, model, model.runtime];
}

const has = (fake: FakeModel, entry: string): boolean => fake.journal.some((line) => line.startsWith(entry));

const adapter = path.join(directory, 'style_lora.rkllm');
beforeAll(() => writeFileSync(adapter, '#fake-rkllm-lora\n'));

describe.each(releases)('%s', (release) => {
  test('gives hidden states of a text, of tokens and of embeddings', async () => {
    const [, model, runtime] = await load(release, 'embed-dim 4');
    const inputs = [
      { prompt: 'one two three' },
      { tokenIds: new Int32Array([1, 2, 3]) },
      { embeddings: new Float32Array(12), tokens: 3 },
    ];
    for (const input of inputs) {
      const { values, rows, columns } = await runtime.hiddenStates(input);
      expect({ rows, columns }).toEqual({ rows: 3, columns: 4 });
      expect(Object.prototype.toString.call(values)).toBe('[object Float32Array]');
      expect([...values]).toHaveLength(12);
      values.fill(0); // ours: nobody else uses the memory
    }
    expect((await read(model.start(prompt('hi')))).text).toBe('You said: hi');
  });

  test.each([
    ['without FINISH', 'payload-no-finish'],
    ['after an event without it', 'payload-bare-first'],
    ['several times', 'payload-repeat 3'],
  ])('gives hidden states %s', async (_, command) => {
    const [, , runtime] = await load(release, command);
    expect(await runtime.hiddenStates({ prompt: 'one two' })).toMatchObject({ rows: 2 });
  });

  test('says so when there are none', async () => {
    const [, , runtime] = await load(release, 'payload-null');
    expect(await failureOf(() => runtime.hiddenStates({ prompt: 'one' }))).toMatchObject({ code: 'RKLLM_RUN_FAILED' });
  });

  test('loads an adapter and selects it', async () => {
    const [fake, model, runtime] = await load(release, 'token a');
    await runtime.loadLora({ path: adapter, name: 'style', scale: 0.5 });
    await read(model.start({ ...prompt(), npu: { lora: 'style' } }));
    expect(has(fake, `load-lora "style" "${adapter}" scale=0.5`)).toBe(true);
    expect(fake.journal.find((line) => line.startsWith('infer'))).toContain('lora="style"');
    expect(await codeOf(() => read(model.start({ ...prompt(), npu: { lora: 'other' } })))).toBe('RKLLM_RUN_FAILED');
  });

  test('saves, loads and releases a prompt cache', async () => {
    const [fake, model, runtime] = await load(release, 'token a');
    const file = path.join(directory, `${release}.cache`);
    await read(model.start({ ...prompt('one two'), npu: { savePromptCache: file } }));
    await runtime.loadPromptCache(file);
    await runtime.releasePromptCache();
    expect(has(fake, `saved ${file}`)).toBe(true);
    expect(has(fake, `load-prompt-cache "${file}"`)).toBe(true);
    expect(has(fake, 'release-prompt-cache')).toBe(true);
    const missing = await failureOf(() => runtime.loadPromptCache('/no/such.cache'));
    expect(missing).toMatchObject({ code: 'RKLLM_RUN_FAILED', details: { function: 'rkllm_load_prompt_cache' } });
  });

  const calls: [string, Release, (runtime: RuntimeControls) => Promise<unknown>, string][] = [
    ['clearKvCache', '1.2.0', (runtime) => runtime.clearKvCache({ keepSystemPrompt: true }), 'clear-kv-cache 1'],
    ['kvCacheSize', '1.2.3', (runtime) => runtime.kvCacheSize(), 'get-kv-cache-size'],
    [
      'setChatTemplate',
      '1.2.0',
      (runtime) => runtime.setChatTemplate({ prefix: '<', postfix: '>' }),
      'set-chat-template "" "<" ">"',
    ],
    [
      'setFunctionTools',
      '1.2.3',
      (runtime) => runtime.setFunctionTools({ system: 's', tools: '[]', responseTag: 'tool_response' }),
      'set-function-tools "s" "[]" "tool_response"',
    ],
    [
      'setCrossAttention',
      '1.2.3',
      (runtime) =>
        runtime.setCrossAttention({
          keyCache: new Float32Array(4),
          valueCache: new Float32Array(4),
          mask: new Float32Array([1, 1]),
          positions: new Int32Array([0, 1]),
        }),
      'set-cross-attn 2',
    ],
    ['setCrossAttention', '1.2.3', (runtime) => runtime.setCrossAttention(undefined), 'set-cross-attn'],
  ];

  test.each(calls)('has %s, or names the release that has', async (_, since, call, entry) => {
    const [fake, , runtime] = await load(release);
    const isThere = isFrom(release, since);
    expect(await outcomeOf(() => call(runtime))).toBe(isThere ? 'done' : 'RKLLM_UNSUPPORTED_BY_RUNTIME');
    expect(has(fake, entry)).toBe(isThere);
  });

  test('refuses what cannot be right before it reaches the runtime', async () => {
    const [fake, , runtime] = await load(release);
    const before = fake.journal.length;
    const wrong: (() => Promise<unknown>)[] = [
      () => runtime.hiddenStates({ prompt: '' }),
      () => runtime.hiddenStates({ embeddings: new Float32Array(5), tokens: 2 }),
      () => runtime.hiddenStates({ embeddings: new Float32Array(), tokens: 0 }),
      () => runtime.hiddenStates({ tokenIds: new Int32Array([-1]) }),
      () => runtime.loadLora({ path: '', name: 'x' }),
      () => runtime.loadLora({ path: 'a\0b', name: 'x' }),
      () => runtime.loadPromptCache(undefined as unknown as string),
    ];
    for (const call of wrong) expect(await codeOf(call)).toBe('RKLLM_INVALID_INPUT');
    expect(fake.journal).toHaveLength(before);
  });

  test('is refused after dispose', async () => {
    const [, model, runtime] = await load(release);
    await dispose(model);
    expect(await codeOf(() => runtime.releasePromptCache())).toBe('RKLLM_DISPOSED');
    expect(await codeOf(() => runtime.hiddenStates({ prompt: 'x' }))).toBe('RKLLM_DISPOSED');
  });
});

test('calls wait their turn behind runs', async () => {
  const [fake, model, runtime] = await load('1.3.1', 'token a', 'prefill-ms 50');
  const run = model.start(prompt());
  await Promise.all([runtime.clearKvCache(), read(run)]);
  const order = fake.journal.filter((line) => /^(?:run-end|clear)/u.test(line));
  expect(order).toEqual(['run-end 0', 'clear-kv-cache 0']);
});

describe.each(['1.2.3', '1.3.0', '1.3.1'] as const)('%s', (release) => {
  test('counts what it keeps', async () => {
    const [, model, runtime] = await load(release, 'token a');
    expect(await runtime.kvCacheSize()).toBe(0);
    await read(model.start({ ...prompt('one two'), npu: { keepHistory: true } }));
    expect(await runtime.kvCacheSize()).toBeGreaterThan(0);
    await runtime.clearKvCache();
    expect(await runtime.kvCacheSize()).toBe(0);
  });
});

describe('logits', () => {
  test.each(['1.2.0', '1.2.1b1', '1.2.3', '1.3.0', '1.3.1'] as const)('are given by %s', async (release) => {
    const [, , runtime] = await load(release, 'vocab 6');
    expect(await runtime.logits({ prompt: 'one two' })).toMatchObject({ rows: 2, columns: 6 });
  });

  test('need a release that has them', async () => {
    const [, , runtime] = await load('1.1.1');
    const error = await failureOf(() => runtime.logits({ prompt: 'one two' }));
    expect(error).toMatchObject({ code: 'RKLLM_UNSUPPORTED_BY_RUNTIME', details: { since: '1.2.0' } });
  });
});
