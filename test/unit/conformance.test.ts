import type { Backend, BackendModel, Run, RunEnd, RunRequest } from 'rkllm';
import { conformance, scripted, type AnswerKind, type Script } from 'rkllm/testing';

const replies: Readonly<Record<AnswerKind, string>> = {
  short: 'This answer has seven tokens, exactly seven.',
  long: 'word '.repeat(200),
  unicode: 'At 80 °C 🙂',
};

/** The names of the promises that backends break, each made for a kind of answer. */
async function brokenBy(backendFor: (kind: AnswerKind) => Backend): Promise<string[]> {
  const broken: string[] = [];
  for (const { name, run } of conformance((kind) => ({ options: { backend: backendFor(kind) }, question: 'Hi' }))) {
    await run().catch(() => broken.push(name));
  }
  return broken;
}

const written =
  (script: Script = {}) =>
  (kind: AnswerKind): Backend =>
    scripted({ reply: replies[kind], ...script });

type Start = (request: RunRequest, start: BackendModel['start']) => Run;

/** A backend that keeps all promises, except where its runs are tampered with. */
const tampered =
  (start: Start) =>
  (kind: AnswerKind): Backend => ({
    name: 'tampered',
    load: async (request) => {
      const model = await written()(kind).load(request);
      const { info, capabilities, failed } = model;
      const startRun = (asked: RunRequest): Run => start(asked, (passed) => model.start(passed));
      return { info, capabilities, failed, start: startRun, dispose: () => model.dispose() };
    },
  });

/** A run with parts of its own in place of some. */
const altered = (run: Run, changes: Partial<Run>): Run => ({
  ended: run.ended,
  drain: () => run.drain(),
  readable: () => run.readable(),
  abort: () => run.abort(),
  ...changes,
});

test('each promise has a name of its own', () => {
  const names = conformance(() => ({ question: 'Hi' })).map(({ name }) => name);
  expect(new Set(names).size).toBe(names.length);
  expect(names.length).toBeGreaterThan(50);
});

test('a backend that keeps them breaks none', async () => {
  expect(await brokenBy(written())).toEqual([]);
  expect(await brokenBy(tampered((request, start) => start(request)))).toEqual([]);
});

test('a backend that writes JSON without being held to it breaks none about that', async () => {
  const backend = (): Backend => scripted({ reply: '{"a": 1, "b": "c d e f"}' });
  const cases = conformance(() => ({ options: { backend: backend() }, question: 'Hi' }));
  const about = cases.filter(({ name }) => name.startsWith('an answer as JSON'));
  expect(about.length).toBeGreaterThan(2);
  for (const { run } of about) await run();
});

let runs = 0;
const defects: [string, (kind: AnswerKind) => Backend, string][] = [
  ['answers too briefly', written({ reply: 'Yes.' }), 'a long answer: is as long as its kind'],
  [
    'has no special characters',
    written({ reply: 'plain '.repeat(200) }),
    'a unicode answer: has whole characters in each piece',
  ],
  ['fails', written({ failAfterTokens: 0 }), 'a short answer: comes as text, in order, and ends with one finish chunk'],
  [
    'claims a cache',
    written({ capabilities: { kvReuse: true } }),
    'a conversation: computes only what is new, where the backend keeps what it computed, and says so, where it counts',
  ],
  [
    'invents figures',
    written({ promptTokens: 9, cachedPromptTokens: 10 }),
    'a short answer: has figures that can be true',
  ],
  [
    'answers otherwise each time',
    written({ reply: () => Array.from({ length: 200 }, (_, id) => ({ text: 'x', id: id + runs++ })) }),
    'a short answer: names each of its tokens once',
  ],
  [
    'ignores aborts',
    tampered((request, start) => altered(start(request), { abort: () => undefined })),
    'an answer that is stopped: before another one ends that began earlier',
  ],
  [
    'ignores the seed',
    written({ reply: () => Array.from({ length: 200 }, () => ({ text: 'x', id: runs++ })) }),
    'sampling: a seed makes it repeatable, or is refused',
  ],
  [
    'claims to hold its answers to schemas',
    written({ capabilities: { constrainedJson: true } }),
    'an answer as JSON: is valid within a small limit, where the backend is held to the schema; else it is valid or fails',
  ],
  [
    'never says that the context is full',
    tampered((request, start) => {
      const run = start(request);
      const ended = run.ended.then((end): RunEnd => ({ ...end, reason: 'eos', promptTokens: 1 }));
      return altered(run, { ended });
    }),
    'the context: ends an answer that fills it, where the backend counts tokens; else it is moved on',
  ],
];

test.each(defects)('a backend that %s is found out', async (_, backendFor, promise) => {
  expect(await brokenBy(backendFor)).toContain(promise);
});
