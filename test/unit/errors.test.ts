import path from 'node:path';
import { RkllmError, errorCodes, isRkllmError } from 'rkllm';
import type * as Errors from '../../lib/errors.js';

const dist = path.resolve(__dirname, '../../dist/errors.js');

/** What an app has that installed this package twice. */
function otherCopy(): typeof Errors {
  const copies: (typeof Errors)[] = [];
  jest.isolateModules(() => copies.push(jest.requireActual<typeof Errors>(dist)));
  const [copy] = copies;
  if (copy === undefined) throw new Error('No copy was loaded.');
  return copy;
}

test('carries code, hint, details and cause', () => {
  const cause = new Error('below');
  const error = new RkllmError('RKLLM_RUN_FAILED', 'It broke.', { hint: 'Fix it.', details: { tokens: 5 }, cause });
  expect(error).toBeInstanceOf(Error);
  expect(error).toMatchObject({
    name: 'RkllmError',
    code: 'RKLLM_RUN_FAILED',
    message: 'It broke.',
    hint: 'Fix it.',
    details: { tokens: 5 },
    cause,
  });
  expect(error.stack).toContain('errors.test');
  expect(Object.keys(error)).not.toContain('message');
});

test('without a cause and details it has none', () => {
  const error = new RkllmError('RKLLM_RUN_FAILED', 'It broke.', { hint: 'Fix it.' });
  expect('cause' in error).toBe(false);
  expect(error.details).toEqual({});
});

test('is recognized when another copy of the package made it', () => {
  const other = otherCopy();
  expect(other.RkllmError).not.toBe(RkllmError);
  const error = new other.RkllmError('RKLLM_DISPOSED', 'Gone.', { hint: 'Load it again.' });
  expect(error).not.toBeInstanceOf(RkllmError);
  expect(isRkllmError(error)).toBe(true);
  expect(isRkllmError(error, 'RKLLM_DISPOSED')).toBe(true);
  expect(isRkllmError(error, 'RKLLM_QUEUE_FULL')).toBe(false);
  expect(other.isRkllmError(new RkllmError('RKLLM_DISPOSED', 'Gone.', { hint: 'Load it again.' }))).toBe(true);
});

test.each([null, undefined, 'RKLLM_DISPOSED', 5, {}, new Error('x'), { code: 'RKLLM_DISPOSED', name: 'RkllmError' }])(
  '%p is none',
  (value) => {
    expect(isRkllmError(value)).toBe(false);
    expect(isRkllmError(value, 'RKLLM_DISPOSED')).toBe(false);
  },
);

test('codes are unique and spelt alike', () => {
  expect(new Set(errorCodes).size).toBe(errorCodes.length);
  for (const code of errorCodes) expect(code).toMatch(/^RKLLM(_[A-Z]+)+$/u);
});
