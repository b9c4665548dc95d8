import type { BackendModel, RunEnd, RunRequest } from 'rkllm';
import { KvOwner } from '../../lib/kv-owner.js';
import { Warming, type WarmedModel } from '../../lib/warming.js';
import { endOf } from '../support/manual-backend.js';
import { failureOf } from '../support/reading.js';

const path = '/caches/unfinished/prompt.cache';

/** A model that is warmed up, with its directory in the test's hands. */
function subject(
  files: { readonly begin?: () => void; readonly keep?: () => Promise<string> },
  runs: { readonly readable?: () => Promise<void>; readonly ended?: Promise<RunEnd> } = {},
) {
  const told: string[] = [];
  const run = {
    drain: () => undefined,
    readable: runs.readable ?? (() => Promise.resolve()),
    ended: runs.ended ?? Promise.resolve(endOf('eos')),
    abort: () => told.push('abort'),
  };
  const backendModel = {
    capabilities: { kvReuse: true },
    start: () => {
      told.push('start');
      return run;
    },
  } as unknown as BackendModel;
  const discard = (): Promise<void> => Promise.resolve(void told.push('discard'));
  const parts = {
    engine: { capabilities: backendModel.capabilities, kv: new KvOwner(backendModel, undefined) },
    calls: {
      onModel: (_: string, signal: AbortSignal, call: (model: BackendModel, stop: AbortSignal) => unknown) =>
        call(backendModel, signal),
    },
    meter: { isExact: true },
    files: {
      keyOf: () => Promise.resolve({}),
      find: () => Promise.resolve(undefined),
      begin: () => {
        files.begin?.();
        return Promise.resolve({ path, keep: files.keep ?? (() => Promise.resolve(path)), discard });
      },
    },
    keepsTurns: false,
    adapters: new Map(),
    requestOf: (_: string, messages: readonly { readonly content: string }[]): RunRequest => ({
      input: { type: 'text', text: `Be brief. ${messages.map(({ content }) => content).join('')}` },
      maxNewTokens: undefined,
      sampling: {},
    }),
  };
  return { told, warming: new Warming(parts as unknown as WarmedModel) };
}

test('stopped while its file is made, it computes nothing', async () => {
  const controller = new AbortController();
  const reason = new Error('enough');
  const { told, warming } = subject({ begin: () => controller.abort(reason) });
  expect(await failureOf(() => warming.warm([], { signal: controller.signal }))).toBe(reason);
  expect(told).toEqual(['discard']);
});

test('a file that cannot be put in its place is an error that says so', async () => {
  const cause = Object.assign(new Error('ENOSPC: no space left on device'), { code: 'ENOSPC' });
  const { warming } = subject({ keep: () => Promise.reject(cause) });
  expect(await failureOf(() => warming.warm([], { signal: new AbortController().signal }))).toMatchObject({
    code: 'RKLLM_INVALID_OPTION',
    details: { owner: 'warm()', option: 'promptCacheFiles' },
    cause,
  });
});

test('an engine that cannot be read is stopped, and idle before the next one has it', async () => {
  const failure = new Error('cannot be read');
  let end!: (end: RunEnd) => void; // set at once
  const ended = new Promise<RunEnd>((resolve) => (end = resolve));
  const { told, warming } = subject({}, { readable: () => Promise.reject(failure), ended });
  const warmed = failureOf(() => warming.warm([], { signal: new AbortController().signal })).finally(() =>
    told.push('over'),
  );
  await new Promise((resolve) => setImmediate(resolve));
  expect(told).toEqual(['start', 'abort']);
  end(endOf('aborted'));
  expect(await warmed).toBe(failure);
  expect(told).toEqual(['start', 'abort', 'discard', 'over']);
});
