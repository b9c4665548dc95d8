import { doctorText } from '../../../lib/cli/doctor-text.js';
import { plain, type Paint } from '../../../lib/cli/terminal.js';
import { doctor } from '../../../lib/doctor/doctor.js';
import { boards, machineOf, type BoardName } from '../../support/boards.js';

async function textOf(name: BoardName, paint: Paint = plain): Promise<string> {
  const report = await doctor(
    {},
    {
      machine: machineOf(boards[name]),
      env: {},
      addon: () => ({ available: true }),
      ort: () => ({ version: '1.30.0', hasBinary: true }),
    },
  );
  return doctorText(report, paint);
}

const inColour: Paint = (style, text) => `<${style}>${text}</${style}>`;

describe.each(Object.keys(boards) as BoardName[])('the report of %s', (name) => {
  test('fits in 80 columns', async () => {
    const lines = (await textOf(name)).split('\n');
    // What is longer is a path or a command, which stays whole to be copied.
    const long = lines.filter((line) => line.length > 80);
    expect(long.filter((line) => !/^ *\S+$|^ *\S*`[^`]+`\S*$/u.test(line))).toEqual([]);
    expect(lines.at(-1)).toBe('');
  });

  test('says the same without colour', async () => {
    // The paths of the fixtures differ from one to the next.
    const withoutPaths = (text: string): string => text.replaceAll(/\S*rkllm-boards-\S*/gu, 'PATH');
    const painted = (await textOf(name, inColour)).replaceAll(/<\/?(?:green|yellow|red|faint)>/gu, '');
    expect(withoutPaths(painted).replaceAll(/\s+/gu, ' ')).toBe(
      withoutPaths(await textOf(name)).replaceAll(/\s+/gu, ' '),
    );
  });
});

test('what is wrong has a reason and a remedy, what is right has one line', async () => {
  const text = await textOf('driver 0.9.6');
  expect(text).toMatch(/^warn {2}NPU driver {4}rknpu 0\.9\.6, too old\n +why: .*\n(?: {20}.*\n)* +fix: Install/mu);
  expect(text).toMatch(/^ {2}ok {2}Chip {10}RK3588 \(Radxa ROCK 5B\)\nwarn {2}NPU driver/mu);
});

test('a laptop is told that it needs nothing', async () => {
  const text = await textOf('laptop');
  expect(text).toContain('No NPU here, and none is needed: models run on the CPU.');
  expect(text).toContain('npx rkllm run');
  expect(text).not.toMatch(/FAIL|warn/u);
});
