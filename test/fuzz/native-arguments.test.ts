/**
 * Every exported native function with arguments that TypeScript would never let through. A call returns or throws: a
 * TypeError, RKLLM_DISPOSED, or what the argument's own code threw. Nothing may end the process; under the sanitizers
 * (tools/sanitizers) nothing may be read or written where it should not be.
 */
import fc from 'fast-check';
import { copyFileSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import locate from 'node-gyp-build';
import type { ModelHandle, NativeAddon } from '../../lib/backends/rkllm/addon.js';
import { addon, fakeModel, pause, removeFakeModels, states, until } from '../lifecycle/rkllm-states.cjs';
import { root } from '../support/run-node.js';
import { call, takingArguments, handles, mine, realize, runtimePath } from './odd-arguments.js';

// RKLLM_FUZZ_RUNS and RKLLM_SEED look further; a failure prints its seed and the smallest arguments.
const runs = Number(process.env['RKLLM_FUZZ_RUNS'] ?? 20_000);
const seed = Number(process.env['RKLLM_SEED'] ?? 1);
const runsPerTurn = 250;

jest.setTimeout(600_000);

const exported = addon as unknown as Record<string, (...args: unknown[]) => unknown>;

/** A second copy of the same addon, as another version of this package in the same process would be. */
function loadCopy(): NativeAddon {
  const directory = mkdtempSync(path.join(tmpdir(), 'rkllm-copy-'));
  const file = path.join(directory, 'copy.node');
  copyFileSync((locate as unknown as { path(directory: string): string }).path(root), file);
  const copy = { exports: {} };
  process.dlopen(copy, file);
  rmSync(directory, { recursive: true });
  return copy.exports as NativeAddon;
}

beforeAll(async () => {
  handles.renew();
  handles.renewBatch();
  await handles.settle();
  handles.disposed = await states.disposed();
  handles.failed = await states.failed();
  const copy = loadCopy();
  const options = { runtimePath, modelPath: fakeModel(['token a']), maxContextLength: 64 };
  const types: string[] = [];
  const model = copy.load(options, ({ type }) => types.push(type));
  handles.foreign = { model, run: copy.start(model, 0, 'hi', undefined) };
  await until(() => types.includes('ended'));
});

afterAll(async () => {
  await handles.settle();
  for (const subject of [handles.live, handles.batch]) {
    subject?.dispose();
    await subject?.saying('disposed');
  }
  await handles.endQuestions();
  removeFakeModels();
});

const loaded: { name: string; model: ModelHandle }[] = [];
const outcomes = { returned: 0, refused: 0, disposed: 0, passedOn: 0 };

function isOurs(error: unknown): boolean {
  if (error === mine) {
    outcomes.passedOn++;
    return true;
  }
  const { name, code } = error as { name: string; code?: string };
  if (code === 'RKLLM_DISPOSED') outcomes.disposed++;
  else outcomes.refused++;
  return name === 'TypeError' || code === 'RKLLM_DISPOSED';
}

/** A question is answered at most once. */
const answered = new Set<unknown>();
function expectAnswered(question: unknown, wasOpen: unknown): void {
  expect(handles.questions).toContain(question);
  expect(wasOpen).toBe(!answered.has(question));
  answered.add(question);
}

const takesNoHandle = new Set(['load', 'lineBufferStdout', 'expectChild', 'guardChild', 'releaseChild']);

function callOnce(name: string, args: readonly unknown[]): void {
  const real = args.map(realize);
  // A listener that throws is an uncaught exception, as it has to be: not what is looked for here.
  if (name === 'load' && typeof real[1] === 'function') real[1] = (): void => undefined;
  let result: unknown;
  try {
    result = exported[name]?.(...real);
    outcomes.returned++;
    if (name === 'load') loaded.push({ name, model: result as ModelHandle });
  } catch (error) {
    if (!isOurs(error)) throw error;
    return;
  }
  // A call that was taken had the handle that it takes.
  const { live, batch, disposed, failed, run: itsRun, batchRun } = handles;
  const models: unknown[] = [live, batch, disposed, failed].map((subject) => subject?.model);
  if (name === 'drain' || name === 'arm') expect([itsRun, batchRun]).toContain(real[0]);
  else if (name === 'answer') expectAnswered(real[0], result);
  else if (!takesNoHandle.has(name)) expect(models).toContain(real[0]);
  if (name !== 'dispose' && name !== 'abandon') return;
  if (real[0] === live?.model) handles.renew();
  if (real[0] === batch?.model) handles.renewBatch();
}

test(`${runs.toString()} argument lists are taken or refused (seed ${seed.toString()})`, async () => {
  for (let turn = 0; turn * runsPerTurn < runs; turn++) {
    fc.assert(
      fc.property(call, ([name, args]) => callOnce(name, args)),
      { numRuns: runsPerTurn, seed: seed + turn, endOnFailure: true },
    );
    for (const { model: extra } of loaded.splice(0)) addon.dispose(extra);
    await handles.settle();
  }
  // The generator is worth something only while it reaches both sides.
  for (const count of Object.values(outcomes)) expect(count).toBeGreaterThan(runs / 1000);
  expect(outcomes.refused).toBeGreaterThan(runs / 4);
});

describe.each(takingArguments)('%s()', (name) => {
  test('refuses nothing at all, and a call as a constructor', () => {
    expect(() => exported[name]?.()).toThrow(expect.objectContaining({ name: 'TypeError' }) as Error);
    const Constructor = exported[name] as unknown as new () => unknown;
    expect(() => new Constructor()).toThrow(expect.objectContaining({ name: 'TypeError' }) as Error);
  });
});

test('objects of another copy of the addon are refused', () => {
  const { model: foreignModel, run: foreignRun } = handles.foreign ?? {};
  for (const name of ['start', 'dispose', 'abandon', 'abort']) {
    expect(() => exported[name]?.(foreignModel, 1, 'hi')).toThrow(/model is not a handle/u);
  }
  for (const name of ['drain', 'arm']) expect(() => exported[name]?.(foreignRun)).toThrow(/run is not a handle/u);
});

test('huge inputs are taken, and lengths beyond any context refused', async () => {
  const subject = await states.failed();
  subject.generate(1, 'x'.repeat(2 ** 26));
  subject.generate(1, new Int32Array(2 ** 24));
  expect(await subject.outcomes()).toEqual(['failed', 'failed']);
  const tooLong = new Int32Array(2 ** 28 + 1); // 1 GiB that nobody has touched
  expect(() => addon.start(subject.model, 9, tooLong, undefined)).toThrow(/more than 268435456/u);
  subject.dispose();
  await subject.saying('disposed');
  await pause();
});
