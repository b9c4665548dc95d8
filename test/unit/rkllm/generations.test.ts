import { loadModel, type LoadModelOptions, type Model } from 'rkllm';
import type { RkllmError } from '../../../lib/errors.js';
import { runtimeReleases } from '../../../lib/options/npu.js';
import { codeOf, failureOf } from '../../support/reading.js';
import {
  FakeModel,
  fakeRuntime,
  isFrom,
  isolation,
  outcomeOf,
  prompt,
  read,
  releases,
  type Release,
} from './fake-model.js';

/** The line of the journal that begins so. */
function line(fake: FakeModel, start: string): string {
  return fake.journal.find((entry) => entry.startsWith(start)) ?? '';
}

const open: Model[] = [];
afterEach(async () => {
  await Promise.all(open.splice(0).map((model) => model.dispose()));
});

async function loadPublic(release: Release, fake: FakeModel, options: LoadModelOptions = {}): Promise<Model> {
  const model = await loadModel(fake.path, {
    backend: 'rkllm',
    runtimePath: fakeRuntime(release),
    isolation,
    ...options,
  });
  open.push(model);
  return model;
}

describe.each(releases)('%s', (release) => {
  const runtimePath = fakeRuntime(release);

  test('declares what it can do', async () => {
    const model = await new FakeModel().load({ runtimePath });
    expect(model.capabilities).toEqual({
      perRequestSampling: isFrom(release, '1.3.0'),
      seed: false,
      kvReuse: isFrom(release, '1.2.0'),
      tokenInput: true,
      mirostat: true,
      media: ['image', 'video', 'audio'].slice(0, release === '1.3.1' ? 3 : release === '1.3.0' ? 2 : 1),
      thinking: false,
      hiddenStates: true,
      logits: isFrom(release, '1.2.0'),
      batchSize: 1,
      slots: 1,
    });
  });

  test('has what came with earlier releases, as far as all of its generation have it', async () => {
    const { runtime } = await new FakeModel().load({ runtimePath });
    const newest = { '1.1.1': '1.1.0', '1.2.0': '1.2.0', '1.2.1b1': '1.2.1b1', '1.2.3': '1.2.1' };
    const last = release in newest ? newest[release as keyof typeof newest] : release;
    const expected = runtimeReleases.slice(0, runtimeReleases.findIndex((name) => name === last) + 1);
    expect(runtimeReleases.filter((name) => runtime?.has(name))).toEqual(expected);
    expect(runtime?.has('2.0.0')).toBe(false);
  });

  test('is initialized with its defaults, CPUs that fit, and raw prompts', async () => {
    const fake = new FakeModel();
    await fake.load({ runtimePath });
    const init = line(fake, 'init');
    expect(init).toMatch(/max_context_len=4096 max_new_tokens=-1 top_k=40 .*top_p=0\.9 temperature=0\.8 /u);
    expect(init).toContain('mirostat=0 mirostat_tau=5 mirostat_eta=0.1 base_domain_id=0');
    expect(init.includes('n_keep=-1')).toBe(isFrom(release, '1.2.0'));
    expect(init.includes('embed_flash=1')).toBe(isFrom(release, '1.2.0'));
    expect(init.includes('n_batch=1 use_cross_attn=0')).toBe(isFrom(release, '1.2.3'));
    expect(init.includes('ignore_eos_token=0')).toBe(isFrom(release, '1.3.0'));
    expect(fake.calls).toEqual(isFrom(release, '1.2.0') ? ['init', 'set-chat-template "" "" ""'] : ['init']);
  });

  test('is initialized with what was asked for', async () => {
    const fake = new FakeModel();
    await loadPublic(release, fake, {
      maxContextLength: 1024,
      topK: 7,
      topP: 0.25,
      temperature: 0.5,
      repeatPenalty: 1.5,
      frequencyPenalty: 0.125,
      presencePenalty: -0.5,
      mirostat: 2,
      mirostatTau: 4,
      mirostatEta: 0.25,
      skipSpecialTokens: false,
      baseDomainId: 1,
      ...(isFrom(release, '1.2.0') && {
        keepTokens: 5,
        embedFlash: false,
        cpus: [6, 4, 5],
        template: 'runtime' as const,
      }),
      ...(isFrom(release, '1.2.3') && { crossAttention: true }),
      ...(isFrom(release, '1.3.0') && { ignoreEos: true }),
    });
    const init = line(fake, 'init');
    const later = isFrom(release, '1.2.0');
    expect(init).toContain(`max_context_len=1024 max_new_tokens=-1 top_k=7 ${later ? 'n_keep=5 ' : ''}top_p=0.25`);
    expect(init).toContain('temperature=0.5 repeat_penalty=1.5 frequency_penalty=0.125 presence_penalty=-0.5');
    expect(init).toContain('mirostat=2 mirostat_tau=4 mirostat_eta=0.25 base_domain_id=1');
    expect(init).toContain('skip_special_token=0');
    expect(init.includes('embed_flash=0 enabled_cpus_num=3 enabled_cpus_mask=112')).toBe(later);
    expect(init.includes('use_cross_attn=1')).toBe(isFrom(release, '1.2.3'));
    expect(init.includes('ignore_eos_token=1')).toBe(isFrom(release, '1.3.0'));
    expect(fake.calls).toEqual(['init']); // the runtime's own template stays
  });

  test.each([
    ['template', 'runtime', '1.2.0'],
    ['keepTokens', 5, '1.2.0'],
    ['embedFlash', true, '1.2.0'],
    ['cpus', [4, 5], '1.2.0'],
    ['crossAttention', true, '1.2.3'],
    ['ignoreEos', true, '1.3.0'],
  ] as const)('takes %s, or refuses it before the model is read', async (option, value, since) => {
    const fake = new FakeModel();
    const load = (): Promise<Model> => loadPublic(release, fake, { [option]: value });
    expect(await outcomeOf(load)).toBe(isFrom(release, since) ? 'done' : 'RKLLM_UNSUPPORTED_BY_RUNTIME');
    expect(fake.journal.length > 0).toBe(isFrom(release, since));
  });

  test('takes what every runtime does anyway', async () => {
    const options = { ignoreEos: false, crossAttention: false };
    expect((await loadPublic(release, new FakeModel(), options)).state).toBe('ready');
  });

  test('streams, and measures where the runtime does', async () => {
    const fake = new FakeModel('token Hello', 'token  world');
    const model = await fake.load({ runtimePath });
    const { text, end } = await read(model.start(prompt('one two three')));
    expect(text).toBe('Hello world');
    expect(end.reason).toBe('unstated');
    expect(end.promptTokens).toBe(isFrom(release, '1.2.3') ? 3 : undefined);
    expect(end.prefillMs).toBeGreaterThanOrEqual(0);
    expect(end.peakMemoryMb).toBeGreaterThan(0);
  });

  test('stops at the limit, by itself where it can', async () => {
    const fake = new FakeModel('token a', 'endless');
    const model = await fake.load({ runtimePath });
    for (const limit of [5, 1]) {
      const { text, end } = await read(model.start(prompt('hi', limit)));
      expect(text).toBe('a'.repeat(limit));
      expect(end.reason).toBe('length');
    }
    expect(fake.calls.filter((call) => call === 'abort')).toHaveLength(isFrom(release, '1.3.0') ? 0 : 2);
  });

  test('aborts', async () => {
    const model = await new FakeModel('token a', 'endless', 'token-us 500').load({ runtimePath });
    const run = model.start(prompt());
    await run.readable();
    run.abort();
    expect((await read(run)).end.reason).toBe('aborted');
  });

  test.each([
    ['keepHistory', true, '1.2.0'],
    ['role', 'user', '1.2.3'],
    ['enableThinking', true, '1.2.3'],
  ] as const)('takes %s of a generation, or refuses it', async (option, value, since) => {
    const fake = new FakeModel('details', 'token a');
    const isTaken = isFrom(release, since);
    const model = await loadPublic(release, fake, { template: isTaken ? 'runtime' : 'none' });
    const generate = (): Promise<unknown> => model.generate('hi', { [option]: value }).result();
    expect(await outcomeOf(generate)).toBe(isTaken ? 'done' : 'RKLLM_UNSUPPORTED_BY_RUNTIME');
    const told = `${line(fake, 'infer')} ${line(fake, 'input')}`;
    expect(told.includes('keep_history=1')).toBe(isTaken && option === 'keepHistory');
    expect(told.includes('enable_thinking=1')).toBe(isTaken && option === 'enableThinking');
    expect(told.includes('role=user')).toBe(isTaken && isFrom(release, '1.2.3'));
  });
});

test('the error names the first release that has it', async () => {
  const load = (): Promise<Model> => loadPublic('1.2.0', new FakeModel(), { crossAttention: true });
  const error = (await failureOf(load)) as RkllmError;
  expect(error).toMatchObject({ details: { option: 'crossAttention', since: '1.2.1', releases: '1.2.0' } });
  expect(error.message).toContain('crossAttention needs a runtime from 1.2.1 on; this one is 1.2.0.');
});

test.each(['1.1.1', '1.2.0', '1.2.1b1', '1.2.3'] as const)('%s samples as it was loaded to', async (release) => {
  const model = await loadPublic(release, new FakeModel(), { temperature: 0.5, template: 'none' });
  for (const options of [{ temperature: 0.75 }, { mirostat: 1 }]) {
    expect(await codeOf(() => model.generate('hi', options))).toBe('RKLLM_UNSUPPORTED_OPTION');
  }
});

describe.each(['1.3.0', '1.3.1'] as const)('%s', (release) => {
  test('samples each generation as it is asked to', async () => {
    const fake = new FakeModel('details', 'token a');
    const model = await loadPublic(release, fake, { temperature: 0.5, topP: 0.25, template: 'none' });
    await model.generate('hi', { temperature: 0.75, mirostat: 1 }).result();
    await model.generate('hi', { temperature: 0 }).result();
    await model.generate('hi').result();
    const [own, greedy, plain] = fake.journal.filter((entry) => entry.startsWith('infer'));
    expect(own).toContain('top_k=40 top_p=0.25 temperature=0.75 repeat_penalty=1.1');
    expect(own).toContain('mirostat=1 mirostat_tau=5 mirostat_eta=0.1');
    expect(greedy).toContain('top_k=1 top_p=1 temperature=1');
    expect(plain).not.toContain('top_k');
  });

  test('goes on from sampling that is greedy at load', async () => {
    const fake = new FakeModel('details', 'token a');
    const model = await loadPublic(release, fake, { temperature: 0, template: 'none' });
    await model.generate('hi', { temperature: 0.5 }).result();
    expect(line(fake, 'infer')).toContain('top_k=40 top_p=0.9 temperature=0.5');
  });
});

test.each(['1.2.3', '1.3.0', '1.3.1'] as const)('%s thinks only with its own template', async (release) => {
  const model = await loadPublic(release, new FakeModel(), { template: 'none' });
  expect(await codeOf(() => model.generate('hi', { enableThinking: true }))).toBe('RKLLM_UNSUPPORTED_OPTION');
  await model.generate('hi', { enableThinking: false }).result();
});

describe('options for the NPU', () => {
  test.each([
    ['ignoreEos', 1],
    ['cpus', []],
    ['cpus', [8]],
    ['cpus', [1, 1]],
    ['cpus', '0-3'],
    ['runtimeVersion', '1.4.0'],
    ['mirostat', 3],
    ['keepTokens', -2],
  ])('%s cannot be %p', async (option, value) => {
    const load = (): Promise<Model> => loadPublic('1.3.1', new FakeModel(), { [option]: value });
    expect(await codeOf(load)).toBe('RKLLM_INVALID_OPTION');
  });

  test.each([
    ['ignoreEos', false],
    ['cpus', [1]],
    ['runtimeVersion', '1.3.0'],
  ])('%s is refused by the CPU backend', async (option, value) => {
    expect(await codeOf(() => loadModel(undefined, { backend: 'onnx', [option]: value }))).toBe(
      'RKLLM_UNSUPPORTED_OPTION',
    );
  });
});
