import { setImmediate as turn } from 'node:timers/promises';
import { RequestQueue, type QueueLimits } from '../../lib/request-queue.js';
import { codeOf } from '../support/reading.js';
import { FakeRequest } from '../support/fake-request.js';

function queueWith(limits: Partial<QueueLimits> = {}): RequestQueue {
  return new RequestQueue({ slots: 1, maxPending: 16, timeoutMs: undefined, ...limits });
}

function filled(queue: RequestQueue, count: number): FakeRequest[] {
  return Array.from({ length: count }, () => {
    const request = new FakeRequest();
    queue.add(request);
    return request;
  });
}

const states = (requests: readonly FakeRequest[]): string[] => requests.map(({ state }) => state);

test('first come, first served, one at a time', async () => {
  const queue = queueWith();
  const requests = filled(queue, 3);
  expect(states(requests)).toEqual(['running', 'waiting', 'waiting']);
  expect(queue).toMatchObject({ active: 1, pending: 2 });
  requests[0]?.finish();
  await turn();
  expect(states(requests)).toEqual(['settled', 'running', 'waiting']);
  requests[1]?.finish();
  await turn();
  requests[2]?.finish();
  await turn();
  expect(states(requests)).toEqual(['settled', 'settled', 'settled']);
  expect(queue).toMatchObject({ active: 0, pending: 0 });
});

test('a request knows how many wait before it', async () => {
  const queue = queueWith();
  const requests = filled(queue, 4);
  const [, , second] = requests as [FakeRequest, FakeRequest, FakeRequest];
  const positions = (): (number | undefined)[] => requests.map((request) => queue.positionOf(request));
  expect(positions()).toEqual([undefined, 0, 1, 2]);
  queue.remove(second, undefined);
  expect(positions()).toEqual([undefined, 0, undefined, 1]);
  requests[0]?.finish();
  await turn();
  expect(positions()).toEqual([undefined, undefined, undefined, 0]);
});

test('as many at a time as there are slots', async () => {
  const queue = queueWith({ slots: 2 });
  const requests = filled(queue, 4);
  expect(states(requests)).toEqual(['running', 'running', 'waiting', 'waiting']);
  requests[1]?.finish();
  await turn();
  expect(states(requests)).toEqual(['running', 'settled', 'running', 'waiting']);
  expect(queue).toMatchObject({ active: 2, pending: 1 });
});

test('what is added while a request starts finds its slot taken', async () => {
  const queue = queueWith();
  const [first, second] = [new FakeRequest(), new FakeRequest()];
  const run = first.run.bind(first);
  first.run = () => {
    queue.add(second);
    return run();
  };
  queue.add(first);
  expect(states([first, second])).toEqual(['running', 'waiting']);
  expect(queue).toMatchObject({ active: 1, pending: 1 });
  first.finish();
  await turn();
  expect(states([first, second])).toEqual(['settled', 'running']);
});

test('a request that was given its outcome no longer has its slot', async () => {
  const queue = queueWith({ maxPending: 0 });
  const [request] = filled(queue, 1);
  let activeWhenSettled = -1;
  request?.settled.then(
    () => (activeWhenSettled = queue.active),
    () => undefined,
  );
  request?.finish();
  await turn();
  expect(activeWhenSettled).toBe(0);
  expect(states(filled(queue, 1))).toEqual(['running']);
});

test('more than maxPending are refused', async () => {
  const queue = queueWith({ maxPending: 1 });
  filled(queue, 2);
  expect(await codeOf(() => filled(queue, 1))).toBe('RKLLM_QUEUE_FULL');
  expect(queue).toMatchObject({ active: 1, pending: 1 });
});

test('maxPending 0 lets one run and none wait', async () => {
  const queue = queueWith({ maxPending: 0 });
  filled(queue, 1);
  expect(await codeOf(() => filled(queue, 1))).toBe('RKLLM_QUEUE_FULL');
});

test('one that waits can be taken out; the others keep their order', async () => {
  const queue = queueWith();
  const requests = filled(queue, 4);
  const [running, first, second, third] = requests as [FakeRequest, FakeRequest, FakeRequest, FakeRequest];
  const reason = new Error('changed my mind');
  expect(queue.remove(second, reason)).toBe(true);
  expect(second.refusals).toEqual([reason]);
  expect(queue.remove(second, reason)).toBe(false);
  expect(queue.remove(running, reason)).toBe(false);
  running.finish();
  await turn();
  expect(first.state).toBe('running');
  first.finish();
  await turn();
  expect(third.state).toBe('running');
  expect(second.refusals).toHaveLength(1);
});

test('all that wait can be refused; what runs goes on', () => {
  const queue = queueWith();
  const requests = filled(queue, 3);
  const reason = new Error('closing');
  queue.removeAll(reason);
  expect(requests.map(({ refusals }) => refusals)).toEqual([[], [reason], [reason]]);
  expect(queue).toMatchObject({ active: 1, pending: 0 });
});

test('idle() waits for every slot, also for those granted meanwhile', async () => {
  const queue = queueWith({ slots: 2 });
  await queue.idle();
  const requests = filled(queue, 3);
  let idle = false;
  const waiting = queue.idle().then(() => (idle = true));
  for (const request of requests) {
    expect(idle).toBe(false);
    request.finish();
    await turn();
  }
  await waiting;
  expect(queue.active).toBe(0);
});

describe('while it is paused', () => {
  test('nobody gets a slot, what has one goes on, and then as many as there are slots', async () => {
    const queue = queueWith({ slots: 2 });
    const [running] = filled(queue, 1);
    queue.pause(() => undefined);
    const requests = filled(queue, 3);
    running?.finish();
    await turn();
    expect([running?.state, ...states(requests)]).toEqual(['settled', 'waiting', 'waiting', 'waiting']);
    queue.resume();
    expect(states(requests)).toEqual(['running', 'running', 'waiting']);
  });

  test('it tells when more or fewer wait', () => {
    const queue = queueWith();
    const seen: number[] = [];
    queue.pause(() => seen.push(queue.pending));
    const [first] = filled(queue, 2) as [FakeRequest, FakeRequest];
    queue.remove(first, undefined);
    queue.removeAll(undefined);
    queue.resume();
    filled(queue, 2);
    expect(seen).toEqual([1, 2, 1, 0]);
  });

  test('more than maxPending are refused all the same', async () => {
    const queue = queueWith({ maxPending: 1 });
    queue.pause(() => undefined);
    filled(queue, 1);
    expect(await codeOf(() => filled(queue, 1))).toBe('RKLLM_QUEUE_FULL');
  });
});

test('what is put back waits before all that came later, in its order, also where the queue is full', async () => {
  const queue = queueWith({ slots: 2, maxPending: 1 });
  const requests = filled(queue, 3) as [FakeRequest, FakeRequest, FakeRequest];
  queue.pause(() => undefined);
  const [first, second] = requests;
  for (const request of [second, first]) {
    request.finish();
    await request.settled;
    request.state = 'waiting';
    queue.putBack(request);
  }
  expect(requests.map((request) => queue.positionOf(request))).toEqual([0, 1, 2]);
  queue.resume();
  expect(states(requests)).toEqual(['running', 'running', 'waiting']);
});

describe('a time limit', () => {
  beforeEach(() => jest.useFakeTimers());
  afterEach(() => jest.useRealTimers());

  test('refuses what waited too long, and only that', async () => {
    const queue = queueWith({ timeoutMs: 100 });
    const [, early] = filled(queue, 2);
    jest.advanceTimersByTime(60);
    const [late] = filled(queue, 1);
    jest.advanceTimersByTime(40);
    expect(await codeOf(() => Promise.reject(early?.refusals[0] as Error))).toBe('RKLLM_QUEUE_TIMEOUT');
    expect(late?.state).toBe('waiting');
    expect(queue.pending).toBe(1);
  });

  test('begins anew when the request is put back', async () => {
    const queue = queueWith({ timeoutMs: 100 });
    const [request] = filled(queue, 1) as [FakeRequest];
    queue.pause(() => undefined);
    jest.advanceTimersByTime(90);
    queue.putBack(request);
    jest.advanceTimersByTime(99);
    expect(request.refusals).toEqual([]);
    jest.advanceTimersByTime(1);
    expect(request.refusals).toMatchObject([{ code: 'RKLLM_QUEUE_TIMEOUT' }]);
    request.finish();
    await request.settled;
  });

  test('ends when the request gets its slot or leaves', async () => {
    const queue = queueWith({ timeoutMs: 100 });
    const [running, next, gone] = filled(queue, 3) as [FakeRequest, FakeRequest, FakeRequest];
    expect(jest.getTimerCount()).toBe(2);
    queue.remove(gone, new Error('gone'));
    running.finish();
    await running.settled;
    expect(jest.getTimerCount()).toBe(0);
    jest.advanceTimersByTime(1000);
    expect(next).toMatchObject({ state: 'running', refusals: [] });
  });
});
