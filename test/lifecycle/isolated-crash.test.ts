/**
 * Wherever and however the vendor's runtime dies or hangs, the application hears of it once, with what it needs to know,
 * and goes on.
 */
import { loadModel, type LoadModelOptions, type Model, type RkllmError } from 'rkllm';
import { codeOf, failureOf } from '../support/reading.js';
import { FakeModel, fakeRuntime, until } from '../unit/rkllm/fake-model.js';

const limits = { loadTimeoutMs: 20_000, stallTimeoutMs: 20_000, abortTimeoutMs: 20_000 };
/** A hang is noticed when its limit is over. */
const short = { loadTimeoutMs: 2000, stallTimeoutMs: 1000, abortTimeoutMs: 1000 };

function load(fake: FakeModel, options: LoadModelOptions = {}): Promise<Model> {
  const runtimePath = fakeRuntime('1.2.3');
  return loadModel(fake.path, { backend: 'rkllm', runtimePath, template: 'none', ...limits, ...options });
}

/** What the runtime says before it dies, where it says something. */
const ways = {
  segv: { signal: 'SIGSEGV', exitCode: null },
  bus: { signal: 'SIGBUS', exitCode: null },
  abrt: { signal: 'SIGABRT', exitCode: null },
  assert: { signal: 'SIGABRT', exitCode: null },
  kill: { signal: 'SIGKILL', exitCode: null },
  exit: { signal: null, exitCode: 77 },
  'quick-exit': { signal: null, exitCode: 77 },
} as const;
type Way = keyof typeof ways;
const wayNames = Object.keys(ways) as Way[];

/** What the application does until it meets the failure; and what it was by then. */
const places: Record<
  string,
  { readonly script: string; readonly meet: (model: Model, fake: FakeModel) => Promise<unknown> }
> = {
  prefill: { script: 'prefill', meet: (model) => model.generate('hi').text() },
  decode: { script: 'decode', meet: (model) => model.generate('hi').text() },
  abort: {
    script: 'abort',
    meet: async (model) => {
      const generation = model.generate('hi');
      for await (const { type } of generation) if (type === 'text') break;
      return generation.result();
    },
  },
  dispose: { script: 'destroy', meet: (model) => model.dispose() },
  idle: {
    script: 'idle',
    meet: async (model) => {
      await model.generate('hi');
      await until(() => model.state === 'failed');
      return model.generate('hi again').result();
    },
  },
};

const endless = ['token a', 'token-us 500', 'endless'];
/** Slow enough for each token to be seen before the next. */
const finite = ['token a', 'token b', 'token c', 'token-us 20000'];
const scriptOf = (place: string, how: string): string[] => [
  ...(place === 'abort' ? endless : finite),
  `fail ${places[place]?.script ?? place} ${how}${place === 'decode' ? ' 2' : place === 'idle' ? ' 20' : ''}`,
];

/** A crash must not hurt the next model. */
async function expectAnother(): Promise<void> {
  const model = await load(new FakeModel('token fine'));
  expect((await model.generate('hi')).text).toBe('fine');
  await model.dispose();
}

async function expectCrash(error: unknown, phase: string, how: Way): Promise<void> {
  expect(error).toMatchObject({ code: 'RKLLM_RUNTIME_CRASHED', details: { phase, ...ways[how] } });
  const { message, hint } = error as RkllmError;
  expect(message).toContain(ways[how].signal ?? 'exit code 77');
  expect(hint).not.toBe('');
  await expectAnother();
}

describe('a crash during the load', () => {
  test.each(wayNames)('by %s rejects it', async (how) => {
    const error = await failureOf(() => load(new FakeModel('print load E rkllm: about to fail', `fail load ${how}`)));
    await expectCrash(error, 'load', how);
    expect((error as RkllmError).details['lastLines']).toContain('E rkllm: about to fail');
  });
});

describe.each(Object.keys(places))('a crash during %s', (place) => {
  test.each(wayNames)('by %s is an error', async (how) => {
    const fake = new FakeModel(...scriptOf(place, how));
    const model = await load(fake);
    const error = await failureOf(() => places[place]?.meet(model, fake) ?? Promise.resolve());
    await expectCrash(error, place, how);
  });
});

describe('a hang', () => {
  test('during the load ends it at its limit', async () => {
    const error = await failureOf(() => load(new FakeModel('fail load hang'), short));
    expect(error).toMatchObject({
      code: 'RKLLM_RUNTIME_HUNG',
      details: { phase: 'load', afterMs: short.loadTimeoutMs },
    });
    await expectAnother();
  });

  test.each([
    ['prefill', 'prefill', short.stallTimeoutMs],
    ['decode', 'decode', short.stallTimeoutMs],
    ['abort', 'abort', short.abortTimeoutMs],
    ['dispose', 'dispose', short.abortTimeoutMs],
  ])('during %s ends the model', async (place, phase, afterMs) => {
    const fake = new FakeModel(...scriptOf(place, 'hang'));
    const model = await load(fake, short);
    const error = await failureOf(() => places[place]?.meet(model, fake) ?? Promise.resolve());
    expect(error).toMatchObject({ code: 'RKLLM_RUNTIME_HUNG', details: { phase, afterMs } });
    await expectAnother();
  });

  test('of an idle runtime is one of the next prefill', async () => {
    const fake = new FakeModel(...finite, 'fail idle hang 1000');
    const model = await load(fake, short);
    expect((await model.generate('one')).text).toBe('abc');
    await until(() => fake.journal.includes('idle hang'));
    expect(await failureOf(() => model.generate('two').text())).toMatchObject({
      code: 'RKLLM_RUNTIME_HUNG',
      details: { phase: 'prefill' },
    });
  });

  test('that the limits are too short for is none when the runtime is only slow', async () => {
    const model = await load(new FakeModel('token a', 'prefill-ms 500', 'init-delay-ms 300'));
    expect((await model.generate('hi')).text).toBe('a');
    await model.dispose();
  });
});

describe('what waits behind a crash', () => {
  test('fails with it, and so does what comes', async () => {
    const model = await load(new FakeModel('token a', 'prefill-ms 50', 'fail prefill segv'));
    const all = ['one', 'two', 'three'].map((prompt) => codeOf(() => model.generate(prompt).text()));
    const call = codeOf(async () => model.runtime?.releasePromptCache());
    expect(await Promise.all([...all, call])).toEqual(Array.from({ length: 4 }, () => 'RKLLM_RUNTIME_CRASHED'));
    expect(model.state).toBe('failed');
    expect(await codeOf(async () => model.generate('four'))).toBe('RKLLM_RUNTIME_CRASHED');
    await model.dispose();
    expect(model.state).toBe('disposed');
  });

  test('has the text that came before it', async () => {
    const model = await load(new FakeModel('token a', 'token b', 'token c', 'token-us 20000', 'fail decode abrt 2'));
    const texts: string[] = [];
    const error = await failureOf(async () => {
      for await (const chunk of model.generate('hi')) if (chunk.type === 'text') texts.push(chunk.text);
    });
    expect(error).toMatchObject({ code: 'RKLLM_RUNTIME_CRASHED', details: { phase: 'decode' } });
    expect(['a', 'ab']).toContain(texts.join('')); // the last token may have been on its way
  });
});

test('a crash of one model does not touch another', async () => {
  const other = await load(new FakeModel(...endless));
  const running = other.generate('hi', { maxNewTokens: 400 });
  const model = await load(new FakeModel('fail prefill segv'));
  expect(await codeOf(() => model.generate('hi').text())).toBe('RKLLM_RUNTIME_CRASHED');
  expect((await running).usage.outputTokens).toBe(400);
  await other.dispose();
});
