import { compareReleases, isRelease } from '../../lib/releases.js';

test('releases are put in order', () => {
  const inOrder = [
    '0.8.2',
    '0.9.6',
    '0.9.10',
    '1.0.1',
    '1.1',
    '1.1.4',
    '1.2.0',
    '1.2.1b1',
    '1.2.1b2',
    '1.2.1',
    '1.2.10',
  ];
  const shuffled = [...inOrder].sort().reverse();
  expect(shuffled.sort(compareReleases)).toEqual(inOrder);
});

test.each([
  ['1.2.0', '1.2.0'],
  ['1.2', '1.2.0'],
  ['', 'nonsense'],
  ['v20.1.0', '20.1.0'],
])('%p is as old as %p', (a, b) => {
  expect(compareReleases(a, b)).toBe(0);
});

test.each([
  ['1.2.1b1', true],
  ['v18.19.0', true],
  ['unknown', false],
  ['1.2', false],
  ['', false],
])('%p is a release: %p', (text, expected) => {
  expect(isRelease(text)).toBe(expected);
});
