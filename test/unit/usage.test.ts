import { timingsOf, usageOf } from '../../lib/usage.js';
import { endOf } from '../support/manual-backend.js';

const moments = { called: 1000, started: 1010, firstToken: 1110, lastToken: 1310 };

test('the figures of the engine go before our own', () => {
  const end = endOf('eos', { promptTokens: 60, cachedPromptTokens: 10, prefillMs: 50, decodeMs: 100, peakMemoryMb: 7 });
  const usage = usageOf(end, 21, true);
  expect(usage).toEqual({
    inputTokens: 60,
    cachedInputTokens: 10,
    computedInputTokens: 50,
    outputTokens: 21,
    totalTokens: 81,
  });
  expect(timingsOf(moments, end, usage, 1400)).toEqual({
    queuedMs: 10,
    timeToFirstTokenMs: 110,
    prefillMs: 50,
    decodeMs: 100,
    totalMs: 400,
    prefillTokensPerSecond: 1000,
    decodeTokensPerSecond: 200,
    peakMemoryMb: 7,
  });
});

test('what the engine does not tell is measured, or unknown', () => {
  const end = endOf('eos');
  const usage = usageOf(end, 21, false);
  expect(usage).toEqual({ outputTokens: 21 });
  expect(timingsOf(moments, end, usage, 1400)).toMatchObject({
    prefillMs: 100,
    decodeMs: 200,
    prefillTokensPerSecond: undefined,
    decodeTokensPerSecond: 100,
    peakMemoryMb: undefined,
  });
});

test('a generation that never reached the engine has hardly any figures', () => {
  const usage = usageOf(undefined, 0, false);
  expect(usage).toEqual({ outputTokens: 0 });
  expect(timingsOf({ called: 1000 }, undefined, usage, 1005)).toEqual({
    queuedMs: 5,
    timeToFirstTokenMs: undefined,
    prefillMs: undefined,
    decodeMs: undefined,
    totalMs: 5,
    prefillTokensPerSecond: undefined,
    decodeTokensPerSecond: undefined,
    peakMemoryMb: undefined,
  });
});

test.each([
  ['no output', endOf('eos', { decodeMs: 100 }), 0],
  ['one token', endOf('eos', { decodeMs: 100 }), 1],
  ['no time', endOf('eos', { decodeMs: 0 }), 9],
])('%s makes no speed', (_, end, outputTokens) => {
  expect(timingsOf(moments, end, usageOf(end, outputTokens, false), 1400).decodeTokensPerSecond).toBeUndefined();
});

test('a prompt that was all in the cache makes no prefill speed', () => {
  const end = endOf('eos', { promptTokens: 60, cachedPromptTokens: 60, prefillMs: 50 });
  expect(timingsOf(moments, end, usageOf(end, 5, true), 1400).prefillTokensPerSecond).toBeUndefined();
});

test('an engine that has a cache and tells only one figure has told what it computed', () => {
  const end = endOf('unstated', { promptTokens: 50, prefillMs: 50 });
  const usage = usageOf(end, 21, true);
  expect(usage).toEqual({ computedInputTokens: 50, outputTokens: 21 });
  expect(timingsOf(moments, end, usage, 1400).prefillTokensPerSecond).toBe(1000);
});

test('an engine without a cache has computed all of the prompt', () => {
  expect(usageOf(endOf('unstated', { promptTokens: 50 }), 21, false)).toEqual({
    inputTokens: 50,
    computedInputTokens: 50,
    outputTokens: 21,
    totalTokens: 71,
  });
});

test('a reload is neither waiting nor prefill', () => {
  const timings = timingsOf(
    { ...moments, reloading: 1002, reloaded: 1009 },
    undefined,
    usageOf(undefined, 0, false),
    1400,
  );
  expect(timings).toMatchObject({ queuedMs: 2, reloadMs: 7, timeToFirstTokenMs: 110, prefillMs: 100, totalMs: 400 });
});
