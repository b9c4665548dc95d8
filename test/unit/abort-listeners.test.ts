import { getEventListeners } from 'node:events';
import { onAbort } from '../../lib/abort-listeners.js';

const listeners = (signal: AbortSignal): number => getEventListeners(signal, 'abort').length;

test('everyone is called once, in order', () => {
  const controller = new AbortController();
  const called: number[] = [];
  for (const name of [1, 2, 3]) onAbort(controller.signal, () => called.push(name));
  controller.abort();
  controller.abort();
  expect(called).toEqual([1, 2, 3]);
});

test('who has gone is not called; the listener goes with the last', () => {
  const controller = new AbortController();
  const called: number[] = [];
  const [one, two] = [1, 2].map((name) => onAbort(controller.signal, () => called.push(name)));
  expect(listeners(controller.signal)).toBe(1);
  one?.();
  one?.();
  expect(listeners(controller.signal)).toBe(1);
  two?.();
  expect(listeners(controller.signal)).toBe(0);
  onAbort(controller.signal, () => called.push(3));
  two?.();
  expect(listeners(controller.signal)).toBe(1);
  controller.abort();
  expect(called).toEqual([3]);
  expect(listeners(controller.signal)).toBe(0);
});

test('who leaves or comes while others are called does no harm', () => {
  const controller = new AbortController();
  const called: string[] = [];
  onAbort(controller.signal, () => {
    called.push('first');
    leave();
    onAbort(controller.signal, () => called.push('late'));
  });
  const leave = onAbort(controller.signal, () => called.push('second'));
  controller.abort();
  expect(called).toEqual(['first', 'second']);
});

test('signals are told apart', () => {
  const [one, two] = [new AbortController(), new AbortController()];
  const called: string[] = [];
  onAbort(one.signal, () => called.push('one'));
  onAbort(two.signal, () => called.push('two'));
  two.abort();
  expect(called).toEqual(['two']);
  expect(listeners(one.signal)).toBe(1);
});
