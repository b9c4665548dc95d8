import { ActiveBatch } from '../../lib/active-batch.js';
import type { BatchOptions } from '../../lib/options/batch.js';
import { RequestQueue } from '../../lib/request-queue.js';
import { ManualRun } from '../support/manual-backend.js';
import { failureOf } from '../support/reading.js';

const row = { prompt: 'hi' };
/** An engine that dies is not loaded again. */
const recovery = { settled: () => Promise.resolve(), putBack: () => false };
const newQueue = (): RequestQueue => new RequestQueue({ slots: 1, maxPending: 16, timeoutMs: undefined });

interface Started {
  readonly batch: ActiveBatch;
  readonly run: ManualRun;
  readonly queue: RequestQueue;
}

/** A batch of one row on an engine that does what the test says. */
function start({ signal, onText }: BatchOptions = {}, queue = newQueue()): Started {
  const request = { input: { type: 'text' as const, text: row.prompt }, maxNewTokens: undefined, sampling: {} };
  const run = new ManualRun(request, true);
  const context = {
    id: 'batch',
    start: () => Promise.resolve(run),
    queue,
    recovery,
    request: { rows: [row], maxNewTokens: undefined },
    signal,
    onText,
  };
  return { batch: new ActiveBatch(context), run, queue };
}

const incomplete = Uint8Array.of(0xf0, 0x9f);

describe('what happens with the last piece, when the engine is idle already', () => {
  test('a listener that throws is what the answers reject with, and the next batch has its turn', async () => {
    const mine = new Error('mine');
    const { batch, run, queue } = start({
      onText: (_, text) => {
        if (text === '\ufffd') throw mine;
      },
    });
    const next = start({}, queue);
    run.write('a', incomplete);
    run.end();
    expect(await failureOf(() => batch.answers)).toBe(mine);
    next.run.write('b');
    next.run.end();
    expect(await next.batch.answers).toMatchObject([{ text: 'b', finishReason: 'stop' }]);
  });

  test('an abort still counts', async () => {
    const controller = new AbortController();
    const heard: string[] = [];
    const { batch, run } = start({
      signal: controller.signal,
      onText: (_, text) => {
        heard.push(text);
        if (text === '\ufffd') controller.abort();
      },
    });
    run.write('a', incomplete);
    run.end();
    expect(await failureOf(() => batch.answers)).toBe(controller.signal.reason);
    expect(heard).toEqual(['a', '\ufffd']);
  });

  test('tokens without text are told at the end', async () => {
    const heard: [string, readonly number[]][] = [];
    const { batch, run } = start({ onText: (_, text, tokenIds) => heard.push([text, tokenIds]) });
    run.write('a', '');
    run.end();
    expect(await batch.answers).toEqual([{ text: 'a', tokenIds: [1, 2], finishReason: 'stop' }]);
    expect(heard.flatMap(([, tokenIds]) => tokenIds)).toEqual([1, 2]);
  });
});

test('an engine that cannot start is an answer that fails, and the next batch has its turn', async () => {
  const queue = newQueue();
  const broken = new Error('broken');
  const start = (): Promise<never> => Promise.reject(broken);
  const request = { rows: [row], maxNewTokens: undefined };
  const batch = new ActiveBatch({ id: 'batch', start, queue, recovery, request, signal: undefined, onText: undefined });
  expect(await failureOf(() => batch.answers)).toBe(broken);
  expect(queue).toMatchObject({ active: 0, pending: 0 });
});

test('an engine that fills its context ends the answer as a limit does', async () => {
  const { batch, run } = start();
  run.write('a', incomplete);
  run.end('length');
  expect(await batch.answers).toMatchObject([{ text: 'a', finishReason: 'length' }]);
});
