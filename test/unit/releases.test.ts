import { compareReleases } from '../../lib/releases.js';

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
])('%p is as old as %p', (a, b) => {
  expect(compareReleases(a, b)).toBe(0);
});
