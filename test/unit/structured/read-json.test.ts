import { readJson } from '../../../dist/structured/read-json.js';

const fence = '```';

describe('readJson', () => {
  it.each([
    `${fence}json\n{"a": 1}\n${fence}`,
    `${fence} JSON {"a": 1}${fence}`,
    `Here it is:\n${fence}\n{"a": 1}\n${fence}\nIs {that} right?`,
    'Sure: {"a": 1}.',
  ])('reads %j', (answer) => {
    expect(readJson(true, answer)).toMatchObject({ isValid: true, value: { a: 1 } });
  });

  // In the number of ways to divide the spaces it would never end.
  it.each(['', 'json'])('reads to the end of white space behind a fence (%j) that is never closed', (language) => {
    const read = readJson(true, `Well ${fence}${language}${' '.repeat(200_000)}.`);
    expect(read).toMatchObject({ isValid: false });
  });
});
