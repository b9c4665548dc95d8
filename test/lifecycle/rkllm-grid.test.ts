/**
 * Every state of a model × everything one can do to it in the same process. Each cell ends with the same questions:
 * was each load, run and disposal answered exactly once, and is the runtime left in order? The ways to end a process
 * are in rkllm-grid-exit.test.ts.
 */
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import {
  Subject,
  addon,
  anyRelease,
  calls,
  newJournal,
  pause,
  refusedLoads,
  removeFakeModels,
  states,
  until,
} from './rkllm-states.cjs';
import { compareReleases } from '../../lib/releases.js';
import { isolation } from '../support/isolation.js';
import { runNode } from '../support/run-node.js';

setFlagsFromString('--expose-gc');
const gc = runInNewContext('gc') as () => void;

type State = keyof typeof states;
const names = Object.keys(states) as State[];

afterAll(removeFakeModels);

const count = (call: string): number => calls().filter((line) => line.startsWith(call)).length;

beforeEach(newJournal);

/** Nothing but the destruction of what was initialized may be missing at the end. */
function expectInOrder(): void {
  expect(calls().filter((call) => call.startsWith('violation') || call === 'abort-idle')).toEqual([]);
  expect(count('run-end')).toBe(count('run '));
  // A load in a process of its own is ended with that: nothing is destroyed twice, or that was not there.
  if (isolation === 'none') expect(count('destroy')).toBe(count('init') - refusedLoads());
  else expect(count('destroy')).toBeLessThanOrEqual(count('init') - refusedLoads());
}

/** Disposes of subjects however far they are, and asks whether all was said once. */
async function expectSettled(...subjects: Subject[]): Promise<void> {
  for (const subject of subjects) subject.dispose();
  for (const subject of subjects) await subject.saying('disposed');
  await pause(5); // for what must not come
  for (const { events, runs } of subjects) {
    const said = (type: string): number => events.filter((event) => event.type === type).length;
    expect(events.at(-1)?.type).toBe('disposed');
    expect([said('disposed'), said('loaded') + said('failed')]).toEqual([1, 1]);
    const ended = events.flatMap((event) => (event.type === 'ended' ? [event.run] : []));
    expect(ended.sort((a, b) => a - b)).toEqual(runs.map((_, index) => index));
  }
  expectInOrder();
}

/** The error code of a call that throws. */
function codeOf(action: () => unknown): string | undefined {
  try {
    action();
    return undefined;
  } catch (error) {
    return (error as { code?: string }).code;
  }
}

type Cells = Record<State, (subject: Subject) => Promise<void>>;

const completesAfter = (earlier: string[], prepare?: (subject: Subject) => void): Cells[State] => {
  return async (subject) => {
    subject.generate();
    prepare?.(subject);
    expect(await subject.outcomes()).toEqual([...earlier, 'limited']);
    expect(addon.drain(subject.runs.at(-1) as never)?.tokenIds).toHaveLength(3);
  };
};

// eslint-disable-next-line @typescript-eslint/require-await -- the cells are promises
const isRefused: Cells[State] = async (subject) => {
  expect(codeOf(() => subject.generate())).toBe('RKLLM_DISPOSED');
};

const generate: Cells = {
  created: completesAfter([]),
  loading: completesAfter([]),
  ready: completesAfter([]),
  running: completesAfter(['aborted'], (subject) => subject.abort(0)),
  asking: completesAfter(['aborted'], (subject) => subject.abort(0)),
  embedding: completesAfter(['aborted'], (subject) => subject.abort(0)),
  aborting: completesAfter(['aborted']),
  disposing: isRefused,
  disposed: isRefused,
  failed: async (subject) => {
    subject.generate();
    expect(await subject.outcomes()).toEqual(['failed']);
  },
};

/** An abort before the run's turn: the runtime never hears of the run. */
const abortsQueued: Cells[State] = async (subject) => {
  subject.generate(Infinity);
  subject.abort();
  expect(await subject.outcomes()).toEqual(['aborted']);
  // From 1.2.0 on a load switches the runtime's own template off.
  const switchedOff = compareReleases(anyRelease, '1.2.0') < 0 ? [] : ['set-chat-template "" "" ""'];
  expect(calls()).toEqual(['init', ...switchedOff]);
};

/** An abort of a run that has ended is nothing. */
const abortsEnded: Cells[State] = async (subject) => {
  const other = await states.ready();
  other.generate();
  const outcomes = await other.outcomes();
  other.runs.forEach((run) => addon.abort(subject.model, run));
  expect(await other.outcomes()).toEqual(outcomes);
  other.dispose();
  await other.saying('disposed');
};

const abortsRunning: Cells[State] = async (subject) => {
  subject.abort();
  subject.abort();
  expect(await subject.outcomes()).toEqual(['aborted']);
  expect(count('abort')).toBeGreaterThan(0);
};

const abort: Cells = {
  created: abortsQueued,
  loading: abortsQueued,
  ready: async (subject) => {
    subject.generate();
    await subject.outcomes();
    const aborts = count('abort'); // that of its limit
    subject.abort();
    subject.generate();
    expect(await subject.outcomes()).toEqual(['limited', 'limited']);
    expect(count('abort')).toBe(2 * aborts);
  },
  running: abortsRunning,
  asking: abortsRunning,
  embedding: abortsRunning,
  aborting: abortsRunning,
  disposing: abortsEnded,
  disposed: abortsEnded,
  failed: async (subject) => {
    subject.generate();
    subject.abort();
    const [outcome] = await subject.outcomes();
    expect(['aborted', 'failed']).toContain(outcome);
  },
};

/** Twice, with the runs that are in flight or waiting. */
const disposes = async (subject: Subject): Promise<void> => {
  subject.dispose();
  subject.dispose();
  await subject.saying('disposed');
  for (const outcome of await subject.outcomes()) expect(outcome).toBe('aborted');
  expect(codeOf(() => subject.generate())).toBe('RKLLM_DISPOSED');
};

/** The same file once more, beside this one. */
const reloads = async (subject: Subject): Promise<void> => {
  const fails = subject.said('failed').length > 0;
  const again = new Subject([], { file: subject.file, runtime: subject.runtime });
  again.generate();
  expect(await again.outcomes()).toEqual([fails ? 'failed' : 'limited']);
  await expectSettled(subject, again);
};

const everywhere = (cell: Cells[State]): Cells => Object.fromEntries(names.map((name) => [name, cell])) as Cells;

describe.each([
  ['generate', generate],
  ['abort', abort],
  ['dispose', everywhere(disposes)],
  ['reload', everywhere(reloads)],
] as const)('%s when', (_, cells) => {
  test.each(names)('%s', async (name) => {
    const subject = await states[name]();
    await cells[name](subject);
    await expectSettled(subject);
  });
});

/** In a function of its own, so that nothing of the subject is on the stack when it is collected. */
const forget = async (name: State): Promise<Subject['events']> => (await states[name]()).events;

function expectSaidOnce(events: readonly { readonly type: string }[]): void {
  const types = events.map(({ type }) => type).filter((type) => type !== 'asked');
  expect(new Set(types).size).toBe(types.length);
}

async function expectCollected(name: State): Promise<void> {
  const events = await forget(name);
  await until(() => {
    gc();
    return count('destroy') === 1 - refusedLoads();
  });
  await pause(5);
  expectInOrder();
  expectSaidOnce(events);
}

/** In a program of its own: whether V8 tells of what it has collected must not depend on the tests that ran before. */
async function expectCollectedInProgram(name: State): Promise<void> {
  const { code, stdout, stderr } = await runNode([
    '--expose-gc',
    '-e',
    `const { calls, removeFakeModels, states, until } = require('./test/lifecycle/rkllm-states.cjs');
    const forget = async () => (await states.${name}()).events;
    (async () => {
      const events = await forget();
      await until(() => (gc(), events.at(-1)?.type === 'disposed')); // it may not have come to the load
      console.log(JSON.stringify({ events, calls: calls() }));
      removeFakeModels();
    })();`,
  ]);
  expect({ code, stderr }).toEqual({ code: 0, stderr: '' });
  const { events, calls: made } = JSON.parse(stdout) as { events: { type: string }[]; calls: string[] };
  expectSaidOnce(events);
  expect(made.filter((call) => call.startsWith('violation') || call === 'abort-idle')).toEqual([]);
}

describe('garbage collection when', () => {
  const expectGone = isolation === 'none' ? expectCollected : expectCollectedInProgram;

  test.each(names)('%s', async (name) => {
    await expectGone(name);
  });
});

describe('several models', () => {
  test('of one library run at the same time and end in any order', async () => {
    const subjects = await Promise.all(Array.from({ length: 6 }, () => states.running()));
    for (const subject of [...subjects].reverse()) subject.abort();
    for (const subject of subjects) expect(await subject.outcomes()).toEqual(['aborted']);
    await expectSettled(...subjects);
  });

  test('in all states at once do not disturb one another', async () => {
    const subjects: Subject[] = [];
    for (const name of names) subjects.push(await states[name]());
    await expectSettled(...subjects);
  });

  test('of two libraries run beside one another', async () => {
    const subjects = ['1.1.1', '1.1-unstated'].map((runtime) => new Subject(['token a', 'endless'], { runtime }));
    for (const subject of subjects) subject.generate();
    for (const subject of subjects) expect(await subject.outcomes()).toEqual(['limited']);
    for (const subject of subjects) {
      subject.dispose(); // each library has a journal of its own, in the same file
      await subject.saying('disposed');
    }
    expectInOrder();
  });
});

test('models that are loaded and disposed of without a pause leave nothing', async () => {
  for (let i = 0; i < 50; i++) {
    newJournal();
    const subject = new Subject(['token a']);
    if (i % 2 === 0) subject.generate();
    await expectSettled(subject);
  }
});
