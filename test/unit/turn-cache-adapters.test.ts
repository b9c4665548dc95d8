import type { BackendModel, RunRequest, RuntimeControls } from 'rkllm';
import type { CacheDirectory } from '../../lib/cache-directory.js';
import { KvOwner } from '../../lib/kv-owner.js';
import { endOf } from '../support/manual-backend.js';

/** A runtime that keeps the prompt cache that it has until another one is loaded, or it is told to release it. */
function subject() {
  let loaded: string | undefined;
  let refuses = false;
  const runtime = {
    loadPromptCache: async (file: string) => {
      await Promise.resolve();
      if (refuses) throw new Error('refused');
      loaded = file;
    },
    releasePromptCache: async () => {
      await Promise.resolve();
      loaded = undefined;
    },
  } as unknown as RuntimeControls;
  const directory = { fileNamed: (name: string) => `/caches/${name}` } as unknown as CacheDirectory;
  const owner = new KvOwner({ capabilities: { kvReuse: false }, runtime } as unknown as BackendModel, directory);
  /** A turn of a conversation; returns what was loaded when it began. */
  const turn = async (lora?: string, ending: 'eos' | 'failed' = 'eos') => {
    const asked: RunRequest = { input: { type: 'text', text: 'Hi' }, maxNewTokens: undefined, sampling: {} };
    const request = { ...asked, ...(lora !== undefined && { npu: { lora } }) };
    await owner.prepare(request, true);
    const during = loaded;
    const started = owner.toStart(request, true);
    expect(during === undefined || started.npu?.savePromptCache !== during).toBe(true); // the runtime may still read it
    owner.started(started)(ending === 'eos' ? endOf('eos') : undefined, true);
    return during;
  };
  return { turn, refuseFiles: () => void (refuses = true) };
}

test('what an adapter has computed does not stay loaded behind a turn that failed', async () => {
  const { turn } = subject();
  await turn('polite');
  expect(await turn('polite', 'failed')).toBe('/caches/turn-0.cache');
  expect(await turn()).toBeUndefined();
});

test('nor does the one before, where the runtime does not take the file that should take its place', async () => {
  const { turn, refuseFiles } = subject();
  await turn();
  expect(await turn()).toBe('/caches/turn-0.cache');
  refuseFiles();
  expect(await turn()).toBeUndefined();
});

test('what the same adapter has computed stays loaded, and is not written over', async () => {
  const { turn } = subject();
  await turn();
  expect(await turn(undefined, 'failed')).toBe('/caches/turn-0.cache');
  expect(await turn()).toBe('/caches/turn-0.cache');
  expect(await turn()).toBe('/caches/turn-1.cache');
});
