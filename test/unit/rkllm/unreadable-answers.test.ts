/** Answers of JavaScript functions that throw when they are read, and errors that throw when they are described. */
import type { Embedder, LoadModelOptions } from 'rkllm';
import { failureOf } from '../../support/reading.js';
import { askingReleases, lengths, load, rows, width } from './asking-model.js';
import { FakeModel, isolation, outcomeOf } from './fake-model.js';

const boom = new RangeError('boom');

/** An object whose property throws when it is read. */
function trapped<T extends object>(target: T, property: PropertyKey): T {
  return Object.defineProperty(target, property, {
    get() {
      throw boom;
    },
  });
}

const speechless = trapped(new Error('never seen'), 'message');

/** Can be awaited, and throws at the first look after that. */
function revokedOnceAwaited(): number[] {
  const { proxy, revoke } = Proxy.revocable<number[]>([1], {
    get(target, property, receiver): unknown {
      if (property === 'then') revoke();
      return property === 'then' ? undefined : Reflect.get(target, property, receiver);
    },
  });
  return proxy;
}

function revoked(): number[] {
  const { proxy, revoke } = Proxy.revocable<number[]>([1], {});
  revoke();
  return proxy;
}

function fail(error: unknown): never {
  throw error;
}

const is =
  (expected: unknown) =>
  (cause: unknown): boolean =>
    cause === expected;
const typeError = (cause: unknown): boolean => cause instanceof TypeError;
const cases: [string, LoadModelOptions, RegExp, (cause: unknown) => boolean][] = [
  ['an array with a getter', { tokenizer: () => trapped([1, 2], 1) }, /tokenizer .*reading it threw .*boom/u, is(boom)],
  [
    'an array whose iterator throws',
    { tokenizer: () => trapped([1], Symbol.iterator) },
    /tokenizer .*reading it threw .*boom/u,
    is(boom),
  ],
  ['a revoked proxy', { tokenizer: revoked }, /tokenizer .*revoked/u, typeError],
  ['a proxy revoked later', { tokenizer: revokedOnceAwaited }, /tokenizer .*reading it threw .*revoked/u, typeError],
  ['an error without a message', { tokenizer: () => fail(speechless) }, /tokenizer .*described/u, is(speechless)],
  ['the same from an embedder', { embedder: () => fail(speechless) }, /embedder .*described/u, is(speechless)],
  [
    'an array that throws when it is described',
    { embedder: () => revokedOnceAwaited() as unknown as Float32Array },
    /embedder .*described/u,
    is(undefined),
  ],
];

test.each(cases)('%s fails the generation, and the model goes on', async (_, functions, message, isBlamed) => {
  const lacks = 'tokenizer' in functions ? 'no-tokenizer' : 'no-embedding';
  for (const release of askingReleases) {
    let first = true;
    const once =
      <A extends unknown[], R>(bad: ((...args: A) => R) | undefined, good: (...args: A) => R) =>
      (...args: A): R => {
        if (!first || bad === undefined) return good(...args);
        first = false;
        return bad(...args);
      };
    const model = await load(new FakeModel(lacks, `embed-dim ${width}`), release, {
      tokenizer: once(functions.tokenizer, lengths),
      embedder: once(functions.embedder, rows),
    });
    const failure = await failureOf(() => model.generate({ prompt: 'a b' }));
    expect(failure).toMatchObject({ code: 'RKLLM_RUN_FAILED', message: expect.stringMatching(message) as string });
    expect(isBlamed((failure as Error).cause)).toBe(true);
    expect((await model.generate({ prompt: 'a b' })).finishReason).toBe('stop');
  }
});

test('floats that cannot be sent to the process of the runtime fail the generation, too', async () => {
  const [release = '1.3.0'] = askingReleases;
  const disguised: Embedder = (ids) => Object.defineProperty(rows(ids), Symbol.toStringTag, { value: 'Disguise' });
  const model = await load(new FakeModel('no-embedding', `embed-dim ${width}`), release, { embedder: disguised });
  const outcome = await outcomeOf(() => model.generate({ prompt: 'a b' }).result());
  expect(outcome).toBe(isolation === 'process' ? 'RKLLM_RUN_FAILED' : 'done');
});
