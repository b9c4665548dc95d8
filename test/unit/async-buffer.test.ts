import { AsyncBuffer } from '../../lib/async-buffer.js';

const end = { done: true, value: undefined };
const value = <T>(given: T) => ({ done: false, value: given });

test('gives what was pushed, in order, to whoever comes first', async () => {
  const buffer = new AsyncBuffer<number>();
  buffer.push(1);
  buffer.push(2);
  expect(await buffer.next()).toEqual(value(1));
  expect(await buffer.next()).toEqual(value(2));
  const waiting = [buffer.next(), buffer.next(), buffer.next()];
  buffer.push(3);
  buffer.push(4);
  buffer.close();
  expect(await Promise.all(waiting)).toEqual([value(3), value(4), end]);
});

test('the end comes after what is left, and stays', async () => {
  const buffer = new AsyncBuffer<string>();
  buffer.push('last');
  buffer.close();
  expect(await buffer.next()).toEqual(value('last'));
  expect(await buffer.next()).toEqual(end);
  expect(await buffer.next()).toEqual(end);
});

test.each([new Error('broken'), undefined, null, 'reason'])(
  'a failure by %p comes after what is left, once',
  async (reason) => {
    const buffer = new AsyncBuffer<string>();
    buffer.push('last');
    buffer.fail(reason);
    expect(await buffer.next()).toEqual(value('last'));
    await expect(buffer.next()).rejects.toBe(reason);
    expect(await buffer.next()).toEqual(end);
  },
);

test('of several that wait only the first gets the failure', async () => {
  const buffer = new AsyncBuffer<string>();
  const waiting = [buffer.next(), buffer.next()];
  const reason = new Error('broken');
  buffer.fail(reason);
  await expect(waiting[0]).rejects.toBe(reason);
  await expect(waiting[1]).resolves.toEqual(end);
  expect(await buffer.next()).toEqual(end);
});

test('after it was discarded there is only the end, not the failure', async () => {
  const buffer = new AsyncBuffer<string>();
  buffer.push('unread');
  buffer.fail(new Error('broken'));
  buffer.discard();
  expect(await buffer.next()).toEqual(end);
});
