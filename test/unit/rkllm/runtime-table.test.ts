import { readFileSync } from 'node:fs';
import path from 'node:path';
import { mirostatTable, npuRunTable, npuTable } from '../../../lib/options/npu.js';
import { root } from '../../support/run-node.js';

/** The rows of docs/runtime.md that begin with code. */
const rows = readFileSync(path.join(root, 'docs', 'runtime.md'), 'utf8')
  .split('\n')
  .filter((row) => row.startsWith('| `'))
  .map((row) => row.split('|').map((cell) => cell.trim()));

const options = Object.entries({ ...npuTable, ...npuRunTable, ...mirostatTable }).filter(
  ([name]) => name !== 'runtimeVersion',
);

test.each(options)('docs/runtime.md says from which release on there is %s', (name, spec) => {
  const row = rows.find(([, names]) => names?.split(', ').includes(`\`${name}\``));
  expect(row?.[4]).toBe('since' in spec ? spec.since : '1.1.0');
  expect(row?.[3]).toContain('runtimeField' in spec ? spec.runtimeField : '');
});
