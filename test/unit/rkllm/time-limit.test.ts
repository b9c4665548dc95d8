import { setImmediate as turn, setTimeout as sleep } from 'node:timers/promises';
import { TimeLimit } from '../../../lib/backends/rkllm/time-limit.js';

function limited(): { limit: TimeLimit; over: Promise<void>; count: () => number } {
  let count = 0;
  let tell: () => void = () => undefined;
  const over = new Promise<void>((resolve) => (tell = resolve));
  const limit = new TimeLimit(() => {
    count++;
    tell();
  });
  return { limit, over, count: () => count };
}

const ms = 5;

/** Resolves in the turn of the event loop in which a limit that was started just now is over, behind it. */
async function sameTurn(): Promise<void> {
  const both = sleep(ms);
  const end = performance.now() + 4 * ms;
  while (performance.now() < end);
  await both;
}

test('tells once that the time is over, and is set until it is stopped', async () => {
  const { limit, over, count } = limited();
  expect(limit.isSet).toBe(false);
  limit.start(ms);
  await over;
  await turn();
  expect([count(), limit.isSet]).toEqual([1, true]);
  limit.stop();
  expect(limit.isSet).toBe(false);
});

test('what comes in the turn in which the time is over comes in time', async () => {
  const { limit, count } = limited();
  limit.start(ms);
  await sameTurn();
  limit.stop();
  await turn();
  await turn();
  expect(count()).toBe(0);
});

test('the time begins anew also in the turn in which it is over', async () => {
  const { limit, over, count } = limited();
  limit.start(ms);
  await sameTurn();
  limit.start(ms);
  await turn();
  expect(count()).toBe(0);
  await over;
  expect(count()).toBe(1);
});
