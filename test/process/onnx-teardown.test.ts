/** A short one; `npm run soak:onnx` is the long one. What it finds can be run again with its seed. */
import path from 'node:path';
import { root, runNode } from '../support/run-node.js';

jest.setTimeout(120_000);

interface Summary {
  readonly ways: Readonly<Record<string, number>>;
  readonly violations: readonly unknown[];
}

test('models of the CPU are left at any moment, in any way, and no process aborts', async () => {
  const soak = path.join(root, 'tools', 'soak', 'onnx-teardown.mjs');
  const { code, stdout } = await runNode([soak, '--times', '12', '--seed', '1']);
  const { ways, violations } = JSON.parse(stdout) as Summary;
  expect(violations).toEqual([]);
  expect(code).toBe(0);
  // Each at two of four moments: in the load, in the prompt, in the answer and after it.
  expect(ways).toEqual({ exit: 2, throw: 2, dispose: 2, stopLoad: 2, forget: 2, terminate: 2 });
});
