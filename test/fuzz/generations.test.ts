/**
 * 10,000 answers as an engine may write them: any bytes, characters in pieces, token by token or all at once, stop
 * sequences, limits, failures, deaths, and a reader who leaves at any moment. What must come out is computed here from the bytes alone.
 */
import fc from 'fast-check';
import { isRkllmError, loadModel, type Backend, type Chunk, type FinishReason, type Run } from 'rkllm';
import { scripted } from 'rkllm/testing';
import { textOf, tokenIdsOf } from '../support/reading.js';
import { tries } from './runs.js';

const letters = fc.constantFrom('a', 'b', 'ab', ' ', '\n', '°', 'é', '🙂', '\u0000', '\ufeff');

/** A text whose characters are cut wherever it comes, or bytes that are none. */
const written: fc.Arbitrary<readonly Uint8Array[]> = fc.oneof(
  fc
    .tuple(fc.array(letters, { maxLength: 12 }), fc.array(fc.nat(40), { maxLength: 10 }))
    .map(([text, cuts]) => pieces(Buffer.from(text.join('')), cuts)),
  fc.array(fc.uint8Array({ maxLength: 4 }), { maxLength: 12 }),
);

function pieces(bytes: Uint8Array, cuts: readonly number[]): Uint8Array[] {
  const ends = [...cuts.map((cut) => Math.min(cut, bytes.length)), bytes.length].sort((a, b) => a - b);
  return ends.map((end, index) => bytes.subarray(ends[index - 1] ?? 0, end));
}

const count = fc.option(fc.nat(13), { nil: undefined });

const cases = fc.record({
  written,
  firstId: fc.nat(1000),
  stop: fc.array(
    fc.array(letters, { minLength: 1, maxLength: 3 }).map((text) => text.join('')),
    { maxLength: 3 },
  ),
  limit: fc.option(fc.integer({ min: 1, max: 14 }), { nil: undefined }),
  failsAfter: fc.oneof({ weight: 3, arbitrary: fc.constant(undefined) }, { weight: 1, arbitrary: count }),
  atOnce: fc.boolean(),
  endReason: fc.constantFrom('eos', 'length', 'unstated'),
  fault: fc.constantFrom('fails', 'dies'),
  leaves: fc.oneof(
    { weight: 2, arbitrary: fc.constant(undefined) },
    {
      weight: 1,
      arbitrary: fc.record({
        after: fc.nat(6),
        by: fc.constantFrom('abort()', 'break', 'signal', 'signal, return', 'dispose'),
      }),
    },
  ),
});

type Case = typeof cases extends fc.Arbitrary<infer T> ? T : never;

const decoded = (tokens: readonly Uint8Array[], complete: boolean): string =>
  new TextDecoder('utf-8', { ignoreBOM: true }).decode(Buffer.concat(tokens), { stream: !complete });

/** The stop sequence that is complete first; of those that are complete together, the longest. */
function firstStop(text: string, stop: readonly string[]): { before: string; sequence: string } | undefined {
  for (let end = 1; end <= text.length; end++) {
    const here = stop.filter((sequence) => text.slice(0, end).endsWith(sequence));
    const [sequence] = here.sort((a, b) => b.length - a.length);
    if (sequence !== undefined) return { before: text.slice(0, end - sequence.length), sequence };
  }
  return undefined;
}

interface Expected {
  readonly reason: FinishReason | 'error';
  readonly text: string;
  readonly stopSequence: string | undefined;
  readonly tokens: number;
}

/** What must come of it when nobody leaves. */
function expectedOf({ written: tokens, stop, limit = Infinity, failsAfter = Infinity, endReason }: Case): Expected {
  const total = Math.min(tokens.length, limit);
  for (let count = 0; count <= total; count++) {
    const text = decoded(tokens.slice(0, count), false);
    if (count === failsAfter) return { reason: 'error', text, stopSequence: undefined, tokens: count };
    const found = firstStop(text, stop);
    if (found === undefined) continue;
    return { reason: 'stop-sequence', text: found.before, stopSequence: found.sequence, tokens: count };
  }
  const isCut = tokens.length > limit || endReason === 'length' || (endReason === 'unstated' && total === limit);
  const text = decoded(tokens.slice(0, total), !isCut);
  return { reason: isCut ? 'length' : 'stop', text, stopSequence: undefined, tokens: total };
}

interface Seen {
  readonly chunks: Chunk[];
  readonly error: unknown;
  readonly abortReason: unknown;
}

/** Bytes at a cut that have begun a character wrongly need not have come out as replacements. */
function isAll(text: string, { text: expected, reason }: Expected): boolean {
  const rest = expected.slice(text.length);
  return expected.startsWith(text) && (rest === '' || (reason === 'length' && /^\ufffd{1,3}$/u.test(rest)));
}

/** All that an answer has comes in one batch, when it is complete. */
function gathering(engine: Backend): Backend {
  return {
    name: engine.name,
    load: async (request) => {
      const model = await engine.load(request);
      const { info, capabilities, failed } = model;
      const start: typeof model.start = (asked) => gathered(model.start(asked));
      return { info, capabilities, failed, start, dispose: () => model.dispose() };
    },
  };
}

function gathered(run: Run): Run {
  let isOver = false;
  const over = run.ended.then(() => void (isOver = true));
  return {
    ended: run.ended,
    drain: () => (isOver ? run.drain() : undefined),
    readable: () => over,
    abort: () => run.abort(),
  };
}

function hold(condition: boolean, what: string, seen: unknown): void {
  if (!condition) throw new Error(`${what}: ${JSON.stringify(seen)}`);
}

/** Reads as the case says, and checks what holds however it ends. */
async function read(given: Case): Promise<Seen> {
  const { written: tokens, firstId, stop, limit, failsAfter, fault, endReason, leaves, atOnce } = given;
  const reply = tokens.map((text, index) => ({ text, id: firstId + index }));
  const faults = fault === 'fails' ? { failAfterTokens: failsAfter } : { crashAfterTokens: failsAfter };
  const engine = scripted({ reply, endReason, ...faults });
  // What fails comes token by token: at once, the failure would be there before a stop sequence is read.
  const backend = atOnce && failsAfter === undefined ? gathering(engine) : engine;
  const model = await loadModel(undefined, { backend });
  const controller = new AbortController();
  const generation = model.generate('Hi', {
    stop,
    maxNewTokens: limit,
    signal: controller.signal,
    onAbort: leaves?.by === 'signal' ? 'throw' : 'return',
  });
  const chunks: Chunk[] = [];
  let error: unknown;
  const iterator = generation[Symbol.asyncIterator]();
  try {
    for (;;) {
      if (leaves?.after === chunks.length) {
        if (leaves.by === 'abort()') generation.abort();
        else if (leaves.by === 'dispose') void model.dispose({ abort: true });
        else if (leaves.by !== 'break') controller.abort();
        else {
          await iterator.return?.();
          break;
        }
      }
      const next = await iterator.next();
      if (next.done === true) break;
      chunks.push(next.value);
    }
  } catch (thrown) {
    error = thrown;
  }
  hold((await iterator.next()).done === true, 'nothing comes after the end', chunks);
  const outcome = await generation.result().catch((thrown: unknown) => ({ thrown }));
  if ('thrown' in outcome) {
    hold(outcome.thrown === error || leaves?.by === 'break', 'every reader sees the same failure', given);
    error = outcome.thrown;
  } else if (leaves?.by !== 'break') {
    hold(textOf(chunks) === outcome.text, 'the pieces are the text', [chunks, outcome]);
    hold(tokenIdsOf(chunks).length === outcome.usage.outputTokens, 'each token is named', [chunks, outcome]);
    const last = chunks.at(-1);
    hold(last?.type === 'finish' && last.finishReason === outcome.finishReason, 'the finish comes last', chunks);
  }
  const finishes = chunks.filter(({ type }) => type === 'finish').length;
  hold(
    finishes === (error === undefined && leaves?.by !== 'break' ? 1 : finishes) && finishes <= 1,
    'one finish',
    chunks,
  );
  hold(['ready', 'failed', 'disposing', 'disposed'].includes(model.state), 'the engine is idle', model.state);
  await model.dispose();
  return { chunks, error, abortReason: controller.signal.aborted ? controller.signal.reason : undefined };
}

test('whatever an engine writes, and whenever its reader leaves', async () => {
  const ends = new Map<string, number>();
  await fc.assert(
    fc.asyncProperty(cases, async (given) => {
      const { written: tokens, firstId, stop, leaves } = given;
      const { chunks, error, abortReason } = await read(given);
      const [ids, text] = [tokenIdsOf(chunks), textOf(chunks)];
      hold(
        ids.every((id, index) => id === firstId + index),
        'ids come in order, none is missing',
        ids,
      );
      const whole = decoded(tokens, true);
      hold(whole.startsWith(text), 'the text is a beginning of what was written', [text, whole]);
      hold(firstStop(text, stop) === undefined, 'no stop sequence is shown', [text, stop]);
      const finish = chunks.find((chunk) => chunk.type === 'finish');
      const reason = error === undefined ? finish?.finishReason : 'error';
      hold(error === undefined || isRkllmError(error) || error === abortReason, 'errors have a type', String(error));
      ends.set(String(reason), (ends.get(String(reason)) ?? 0) + 1);
      if (leaves !== undefined) return;
      const expected = expectedOf(given);
      hold(reason === expected.reason, `ends with ${expected.reason}`, [reason, chunks]);
      if (reason === 'error') hold(expected.text.startsWith(text), 'no text from nowhere', [text, expected]);
      else hold(isAll(text, expected) && ids.length === expected.tokens, 'the whole text', [text, ids, expected]);
      hold(finish?.stopSequence === expected.stopSequence, 'the stop sequence', [finish, expected]);
    }),
    tries(10_000),
  );
  expect([...ends.keys()].sort()).toEqual(['abort', 'error', 'length', 'stop', 'stop-sequence', 'undefined']);
}, 120_000);
