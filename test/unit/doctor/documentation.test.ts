import { readFileSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { doctor, ourSurroundings } from '../../../lib/doctor/doctor.js';
import { steps } from '../../../lib/doctor/self-test/steps.js';
import { boards, machineOf } from '../../support/boards.js';
import { root } from '../../support/run-node.js';

const text = readFileSync(path.join(root, 'docs', 'doctor.md'), 'utf8');

/** What the rows of the table below a heading begin with. */
function rowsBelow(heading: string): string[] {
  const section = text.split(`## ${heading}\n`)[1]?.split('\n## ')[0] ?? '';
  return [...section.matchAll(/^\| `([a-z.\d-]+)` +\|/gmu)].map(([, id = '']) => id);
}

test('has a row for each check, in their order', async () => {
  const machine = machineOf(boards.rk3588);
  const model = path.join(machine.root, 'model.rkllm');
  writeFileSync(model, 'weights');
  const { checks } = await doctor({ model }, { ...ourSurroundings(), machine });
  expect(rowsBelow('What is looked at')).toEqual(checks.map(({ id }) => id));
});

test('has a row for each step of the self-test, in their order', () => {
  expect(rowsBelow('The self-test')).toEqual(steps.map(({ id }) => id));
});
