/**
 * Whatever a runtime says or leaves unsaid at the end of a run, JavaScript hears of exactly one end, and the model can
 * be used afterwards.
 */
import type { EndedEvent } from '../../lib/backends/rkllm/addon.js';
import { Subject, addon, calls, newJournal, pause, removeFakeModels, until } from './rkllm-states.cjs';
import { isolation } from '../support/isolation.js';

beforeEach(newJournal);
afterAll(removeFakeModels);

interface Behaviour {
  readonly finish: boolean;
  readonly code: 0 | -1;
  readonly error: boolean;
}

/** What comes besides tokens, FINISH and ERROR, as commands of the fake runtime. */
const extras: Record<string, string[]> = {
  'nothing more': [],
  'tokens after FINISH': ['after-finish 3'],
  'tokens after the abort': ['after-abort 3'],
  'ERROR in place of FINISH after the abort': ['abort-error'],
  'callbacks from another thread': ['foreign-thread', 'after-finish 2', 'after-abort 2'],
  'an event after the return': ['late-event 3'],
  'no callback at all': ['silent', 'prefill-ms 20'],
};

const behaviours: Behaviour[] = [true, false].flatMap((finish) =>
  ([0, -1] as const).flatMap((code) => [false, true].map((error) => ({ finish, code, error }))),
);

function script({ finish, code, error }: Behaviour, extra: readonly string[]): string[] {
  const ending = [`run-code ${code.toString()}`, `abort-code ${code.toString()}`];
  return [
    'token a',
    'token b',
    ...ending,
    ...(finish ? [] : ['no-finish']),
    ...(error ? ['error-after 2'] : []),
    ...extra,
  ];
}

type Outcome = EndedEvent['outcome'];

/** Nobody interferes: the code and the ERROR event decide, and nothing else does. */
function undisturbed({ code, error }: Behaviour, silent: boolean): Outcome[] {
  return [code !== 0 || (error && !silent) ? 'failed' : 'completed'];
}

/** Somebody stops it: unless it had come to its own end before. */
function stopped(behaviour: Behaviour, silent: boolean): Outcome[] {
  return ['aborted', ...(behaviour.error ? undisturbed(behaviour, silent) : [])];
}

async function expectOneEndEach(subject: Subject): Promise<void> {
  subject.dispose();
  await subject.saying('disposed');
  await pause(5); // for what must not come
  const ends = subject.said('ended').map(({ run }) => run);
  expect(ends).toEqual(subject.runs.map((_, index) => index));
  expect(subject.events.filter(({ type }) => type === 'disposed')).toHaveLength(1);
  expect(subject.events.at(-1)?.type).toBe('disposed');
  // Not `abort-idle`: an abort from outside may come in the instant before rkllm_run is entered or after it has returned.
  expect(calls().filter((call) => call.startsWith('violation'))).toEqual([]);
  // In a process of its own a load that nobody has heard of yet is ended with that.
  if (isolation === 'none') expect(calls().filter((call) => call === 'destroy')).toHaveLength(1);
}

const isRunning = (): boolean => calls().some((call) => call.startsWith('run '));

describe.each(Object.keys(extras))('with %s', (name) => {
  const extra = extras[name] ?? [];
  const silent = extra.includes('silent');

  describe.each(behaviours)('FINISH $finish, code $code, ERROR $error', (behaviour) => {
    test('a run ends once, and so does the next', async () => {
      const subject = new Subject(script(behaviour, extra));
      for (let i = 0; i < 3; i++) subject.generate(Infinity);
      for (const outcome of await subject.outcomes()) expect(undisturbed(behaviour, silent)).toContain(outcome);
      await expectOneEndEach(subject);
    });

    test('a run that is aborted ends once', async () => {
      const subject = new Subject(script(behaviour, [...extra, 'endless', 'token-us 200']));
      const run = subject.generate(Infinity);
      await until(isRunning);
      if (!silent) await until(() => addon.arm(run));
      subject.abort();
      subject.abort();
      const [outcome] = await subject.outcomes();
      expect(stopped(behaviour, silent)).toContain(outcome);
      subject.abort();
      await expectOneEndEach(subject);
    });

    test('a run whose model is disposed of ends once', async () => {
      const subject = new Subject(script(behaviour, [...extra, 'endless', 'token-us 200', 'destroy-delay-ms 5']));
      const run = subject.generate(Infinity);
      subject.generate(Infinity); // never comes to its turn
      await until(isRunning);
      if (!silent) await until(() => addon.arm(run));
      subject.dispose();
      const [outcome, next] = await subject.outcomes();
      expect(stopped(behaviour, silent)).toContain(outcome);
      expect(stopped(behaviour, silent)).toContain(next);
      await expectOneEndEach(subject);
    });
  });
});
