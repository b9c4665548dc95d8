/** What hangs is killed with its process, and what comes next waits until that is gone: it may need the memory. */
import { subscribe, unsubscribe } from 'node:diagnostics_channel';
import { loadModel, type LoadModelOptions, type Model } from 'rkllm';
import { failureOf } from '../../support/reading.js';
import { childrenOf } from '../../support/processes.cjs';
import { FakeModel, fakeRuntime } from '../rkllm/fake-model.js';

function load(fake: FakeModel, options: LoadModelOptions): Promise<Model> {
  const runtimePath = fakeRuntime('1.2.3');
  return loadModel(fake.path, { backend: 'rkllm', runtimePath, template: 'none', ...options });
}

/** Also those that are dead and not waited for yet. */
const hosts = (): number => childrenOf(process.pid).length;

test('a load that hangs fails when its process is gone', async () => {
  const error = await failureOf(() => load(new FakeModel('fail load hang'), { loadTimeoutMs: 500 }));
  expect([error, hosts()]).toEqual([expect.objectContaining({ code: 'RKLLM_RUNTIME_HUNG' }), 0]);
});

test('dispose() of a model that hangs rejects when its process is gone', async () => {
  const model = await load(new FakeModel('fail destroy hang'), { abortTimeoutMs: 200 });
  const error = await failureOf(() => model.dispose());
  expect([error, hosts()]).toEqual([expect.objectContaining({ code: 'RKLLM_RUNTIME_HUNG' }), 0]);
});

test('a model that hangs is loaded again when its process is gone', async () => {
  const fake = new FakeModel('token a', 'token b', 'fail decode hang 1');
  const restart = { delayMs: 0 };
  const model = await load(fake, { stallTimeoutMs: 1000, onCrash: 'restart', restart });
  const before: number[] = [];
  const onLoad = (): void => void before.push(hosts());
  subscribe('tracing:rkllm:load:start', onLoad);
  try {
    expect(await failureOf(() => model.generate('hi').text())).toMatchObject({ code: 'RKLLM_RUNTIME_HUNG' });
    while (model.state !== 'ready') await new Promise((resolve) => setTimeout(resolve, 5));
  } finally {
    unsubscribe('tracing:rkllm:load:start', onLoad);
  }
  expect(before).toEqual([0]);
  await model.dispose();
});
