import { PassThrough } from 'node:stream';
import { isTerminal, paintFor, whileShowing } from '../../lib/cli/terminal.js';

function output(terminal: boolean): { stream: PassThrough; written: () => string } {
  const stream = new PassThrough();
  if (terminal) Object.assign(stream, { isTTY: true });
  return { stream, written: () => String(stream.read() ?? '') };
}

test.each([
  [true, {}, true],
  [true, { NO_COLOR: '' }, true],
  [true, { NO_COLOR: '1' }, false],
  [true, { TERM: 'dumb' }, false],
  [false, {}, false],
])('terminal %p with %j: control codes %p', (terminal, env, codes) => {
  const { stream } = output(terminal);
  expect(isTerminal(stream)).toBe(terminal);
  expect(paintFor(stream, env)('faint', 'text')).toBe(codes ? '\u001b[2mtext\u001b[22m' : 'text');
});

test('what is shown during work is taken away, also when the work fails', async () => {
  const { stream, written } = output(true);
  await expect(whileShowing('Loading …', stream, () => Promise.resolve(5))).resolves.toBe(5);
  expect(written()).toBe('Loading …\r\u001b[2K');
  const failure = new Error('no');
  await expect(whileShowing('Loading …', stream, () => Promise.reject(failure))).rejects.toBe(failure);
  expect(written()).toBe('Loading …\r\u001b[2K');
});

test('long work shows the seconds that it takes', async () => {
  jest.useFakeTimers();
  try {
    const { stream, written } = output(true);
    const work = new Promise<void>((resolve) => setTimeout(resolve, 2500));
    const shown = whileShowing('Loading …', stream, () => work);
    await jest.advanceTimersByTimeAsync(2500);
    await shown;
    expect(written()).toBe('Loading …\r\u001b[2KLoading … 1 s\r\u001b[2KLoading … 2 s\r\u001b[2K');
    expect(jest.getTimerCount()).toBe(0);
  } finally {
    jest.useRealTimers();
  }
});

test('nothing is shown where no person reads', async () => {
  const { stream, written } = output(false);
  await whileShowing('Loading …', stream, () => Promise.resolve());
  expect(written()).toBe('');
});
