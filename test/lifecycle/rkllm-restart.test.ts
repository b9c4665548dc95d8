/** The runtime dies in its process, in every way and place, and the model is loaded again. */
import { writeFileSync } from 'node:fs';
import { loadModel, type LoadModelOptions, type LoadProgress, type Model } from 'rkllm';
import { codeOf, failureOf } from '../support/reading.js';
import { FakeModel, fakeRuntime } from '../unit/rkllm/fake-model.js';

const answer = ['token a', 'repeat 6'];
const open: Model[] = [];
afterEach(async () => {
  await Promise.all(open.splice(0).map((model) => model.dispose({ abort: true })));
});

/** A model that ends as the script says, and is loaded again without. */
async function dyingModel(failure: string, options: LoadModelOptions = {}): Promise<[Model, FakeModel]> {
  const fake = new FakeModel(...answer, failure);
  const load = { backend: 'rkllm', isolation: 'process', runtimePath: fakeRuntime('1.2.3') } as const;
  const restart = { delayMs: 1 };
  const model = await loadModel(fake.path, { ...load, template: 'none', onCrash: 'restart', restart, ...options });
  open.push(model);
  rewrite(fake, ...answer);
  return [model, fake];
}

/** For the next load. */
function rewrite({ path }: FakeModel, ...script: string[]): void {
  writeFileSync(path, ['#fake-rkllm', `journal ${path}.journal`, ...script, ''].join('\n'));
}

const loadsOf = ({ calls }: FakeModel): number => calls.filter((call) => call === 'init').length;
const hows = ['segv', 'bus', 'abrt', 'assert', 'kill', 'exit', 'hang'] as const;

describe.each(hows)('a runtime that ends by %s', (how) => {
  const hangs = how === 'hang';
  const code = hangs ? 'RKLLM_RUNTIME_HUNG' : 'RKLLM_RUNTIME_CRASHED';
  const patience = hangs ? { stallTimeoutMs: 1000 } : {};

  test('in a prefill serves it again, and then who waited', async () => {
    const [model, fake] = await dyingModel(`fail prefill ${how}`, patience);
    const texts = await Promise.all([model.generate('one').text(), model.generate('two').text()]);
    expect(texts).toEqual(['aaaaaa', 'aaaaaa']);
    expect(fake.calls.filter((call) => call.startsWith('run '))).toEqual(['run one', 'run one', 'run two']);
    expect([model.state, loadsOf(fake)]).toEqual(['ready', 2]);
  });

  test('in a decode fails that answer, and serves who waited', async () => {
    const [model, fake] = await dyingModel(`fail decode ${how} 3\ntoken-us 30000`, patience);
    const first = model.generate('one');
    const second = model.generate('two');
    const read: string[] = [];
    const reading = (async () => {
      for await (const text of first.textStream) read.push(text);
    })();
    expect(await codeOf(() => reading)).toBe(code);
    expect(read.join('')).toMatch(/^a{1,3}$/u);
    expect(await second.text()).toBe('aaaaaa');
    expect(fake.calls.filter((call) => call.startsWith('run '))).toEqual(['run one', 'run two']);
  });
});

test('a runtime that dies at rest is loaded again before anybody asks', async () => {
  const [model, fake] = await dyingModel('fail idle segv 5');
  while (loadsOf(fake) < 2 || model.state !== 'ready') await new Promise((resolve) => setTimeout(resolve, 5));
  expect(await model.generate('one').text()).toBe('aaaaaa');
  expect(loadsOf(fake)).toBe(2);
});

test('a conversation goes on as it was before the turn that died, and sends all of itself', async () => {
  const [model, fake] = await dyingModel('fail decode segv 3\ntoken-us 30000', { template: 'phi3' });
  const chat = model.chat();
  expect(await codeOf(() => chat.send('one'))).toBe('RKLLM_RUNTIME_CRASHED');
  expect(chat.messages).toEqual([]);
  await chat.send('two');
  await model.generate('three');
  await chat.send('four');
  expect(chat.messages.map(({ content }) => content)).toEqual(['two', 'aaaaaa', 'four', 'aaaaaa']);
  expect(fake.calls.join('\n').split('run ').at(-1)).toContain(
    '<|user|>\ntwo<|end|>\n<|assistant|>\naaaaaa<|end|>\n<|user|>\nfour<|end|>\n<|assistant|>',
  );
  expect(fake.calls).not.toContain('clear-kv-cache 0'); // a new engine has nothing to be emptied of
});

test('a runtime that dies in each load is given up', async () => {
  const [model, fake] = await dyingModel('fail prefill segv');
  rewrite(fake, 'fail load segv');
  const error = await failureOf(() => model.generate('one'));
  expect(error).toMatchObject({ code: 'RKLLM_RUNTIME_CRASHED', details: { crashes: 3 } });
  expect(error).toHaveProperty('cause.details.phase', 'load');
  expect([model.state, loadsOf(fake)]).toEqual(['failed', 3]);
});

test('a model that is not what it was is an error at once', async () => {
  const [model, fake] = await dyingModel('fail prefill segv');
  rewrite(fake, 'fail-as invalid-model');
  const code = await codeOf(() => model.generate('one'));
  expect(code).not.toBe('RKLLM_RUNTIME_CRASHED');
  expect([model.state, loadsOf(fake)]).toEqual(['failed', 2]);
});

test('a runtime in this process is refused, since what hangs there stays', async () => {
  const phases: string[] = [];
  const onProgress = ({ phase }: LoadProgress): void => void phases.push(phase);
  const options = { isolation: 'none', onProgress } as const;
  expect(await codeOf(() => dyingModel('max-context 4096', options))).toBe('RKLLM_UNSUPPORTED_OPTION');
  expect(phases).toEqual(['probe']); // before minutes are spent on the load
});
