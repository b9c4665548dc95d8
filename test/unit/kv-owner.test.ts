import type { BackendModel, RunRequest, RuntimeControls } from 'rkllm';
import { KvOwner } from '../../lib/kv-owner.js';
import { endOf } from '../support/manual-backend.js';

/** An owner over a runtime that keeps what it computes, and how often it was emptied. */
function ownerOf(kvReuse = true, hasRuntime = true): { owner: KvOwner; clears: () => number } {
  let clears = 0;
  const clearKvCache = async (): Promise<void> => {
    clears++;
    await Promise.resolve();
  };
  const runtime = { clearKvCache } as unknown as RuntimeControls;
  const model = { capabilities: { kvReuse }, ...(hasRuntime && { runtime }) } as unknown as BackendModel;
  return { owner: new KvOwner(model, undefined), clears: () => clears };
}

function request(choices: Partial<RunRequest> = {}): RunRequest {
  return { input: { type: 'text', text: 'Hi' }, maxNewTokens: undefined, sampling: {}, ...choices };
}

type Ending = 'eos' | 'aborted' | 'length' | 'unstated' | 'failed';

async function run(owner: KvOwner, choices: Partial<RunRequest> = {}, ending: Ending = 'eos', hasTokens = true) {
  await owner.prepare(request(choices), false);
  owner.started(request(choices))(ending === 'failed' ? undefined : endOf(ending), hasTokens);
}

/** Whether the next request, of a conversation and another one, begins with an emptied cache. */
async function clearedFor(arrange: (owner: KvOwner) => unknown): Promise<{ conversation: boolean; other: boolean }> {
  const cleared = async (isConversation: boolean): Promise<boolean> => {
    const { owner, clears } = ownerOf();
    await arrange(owner);
    const before = clears();
    await owner.prepare(request(), isConversation);
    return clears() > before;
  };
  return { conversation: await cleared(true), other: await cleared(false) };
}

const both = { conversation: true, other: true };
const none = { conversation: false, other: false };
const conversationsOnly = { conversation: true, other: false };
const image = { image: { embeddings: new Float32Array(8), tokensEach: 1 } };

test.each<[string, (owner: KvOwner) => unknown, object]>([
  ['nothing', () => undefined, none],
  ['a prompt', (owner) => run(owner), none],
  ['a prompt that reached a limit', (owner) => run(owner, {}, 'length'), none],
  ['an answer that was stopped', (owner) => run(owner, {}, 'aborted'), none],
  ['a prefill that was stopped', (owner) => run(owner, {}, 'aborted', false), both],
  ['a failure', (owner) => run(owner, {}, 'failed'), both],
  ['a run that is not over', (owner) => void owner.started(request()), both],
  ['another adapter', (owner) => run(owner, { npu: { lora: 'polite' } }), both],
  ['an image', (owner) => run(owner, { media: image }), both],
  ['a history', (owner) => run(owner, { npu: { keepHistory: true } }), conversationsOnly],
  [
    'a prompt after a history',
    async (owner) => {
      await run(owner, { npu: { keepHistory: true } });
      await run(owner);
    },
    conversationsOnly,
  ],
  [
    'a failure after a history, which is the caller’s',
    async (owner) => {
      await run(owner, { npu: { keepHistory: true } });
      await run(owner, {}, 'failed');
    },
    conversationsOnly,
  ],
  ['a pause', (owner) => run(owner, { npu: { stopBy: 'pause' } }, 'length'), conversationsOnly],
  ['an answer that came to its end before the pause', (owner) => run(owner, { npu: { stopBy: 'pause' } }), none],
  ['a part taken out', (owner) => owner.touched('arranges'), conversationsOnly],
  ['a computation of the runtime', (owner) => owner.touched('spoils'), both],
  ['a prompt cache', (owner) => owner.touched('loads-cache'), none],
  ['a warm-up', (owner) => owner.warmedUp(), none],
  [
    'a failure, and the cache emptied by hand',
    async (owner) => {
      await run(owner, {}, 'failed');
      owner.touched('clears');
    },
    none,
  ],
])('after %s', async (_, arrange, cleared) => {
  expect(await clearedFor(arrange)).toEqual(cleared);
});

test.each<[string, boolean, (owner: KvOwner) => unknown]>([
  ['at first', true, () => undefined],
  ['after a prompt', false, (owner) => run(owner)],
  ['after a warm-up', false, (owner) => owner.warmedUp()],
  ['when it was emptied', true, (owner) => run(owner).then(() => owner.touched('clears'))],
  ['with a prompt cache', false, (owner) => owner.touched('loads-cache')],
  [
    'when the prompt cache is released',
    true,
    (owner) => {
      owner.touched('loads-cache');
      owner.touched('releases-cache');
    },
  ],
])('%s the next prompt is computed as a whole: %p', async (_, isWhole, arrange) => {
  const { owner } = ownerOf();
  await arrange(owner);
  expect(owner.isEmpty).toBe(isWhole);
});

test.each([
  ['keeps nothing', false, true],
  ['is not the vendor’s', true, false],
])('an engine that %s is left alone', async (_, kvReuse, hasRuntime) => {
  const { owner, clears } = ownerOf(kvReuse, hasRuntime);
  await run(owner, { npu: { lora: 'polite' } }, 'failed');
  expect(owner.prepare(request(), true)).toBeUndefined();
  expect([owner.isEmpty, clears()]).toEqual([false, 0]);
});

test('a cache that could not be emptied is as unknown as before', async () => {
  const runtime = { clearKvCache: () => Promise.reject(new Error('refused')) } as unknown as RuntimeControls;
  const model = { capabilities: { kvReuse: true }, runtime } as unknown as BackendModel;
  const owner = new KvOwner(model, undefined);
  owner.touched('spoils');
  await expect(owner.prepare(request(), false)).rejects.toThrow('refused');
  await expect(owner.prepare(request(), false)).rejects.toThrow('refused');
});

test('tools that could not be set are taken back before a request that has none', async () => {
  const set: string[] = [];
  const setFunctionTools = ({ tools }: { readonly tools: string }): Promise<void> => {
    set.push(tools);
    return tools === '[]' ? Promise.resolve() : Promise.reject(new Error('refused'));
  };
  const runtime = { setFunctionTools, clearKvCache: () => Promise.resolve() } as unknown as RuntimeControls;
  const owner = new KvOwner({ capabilities: { kvReuse: true }, runtime } as unknown as BackendModel, undefined);
  const tools = { tools: '[{}]', responseTag: 'tool_response' };
  await expect(owner.prepare(request(), false, tools)).rejects.toThrow('refused');
  await owner.prepare(request(), false);
  await owner.prepare(request(), false);
  expect(set).toEqual(['[{}]', '[]']);
});
