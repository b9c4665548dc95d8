/** A short soak; `npm run soak` is the long one. What it finds can be run again with its seed and cycle. */
import path from 'node:path';
import { root, runNode } from '../support/run-node.js';

jest.setTimeout(120_000);

interface Summary {
  readonly cycles: number;
  readonly requests: number;
  readonly kinds: Readonly<Record<string, number>>;
  readonly outcomes: Readonly<Record<string, number>>;
  readonly violations: readonly unknown[];
}

test('sixty cycles at random lose, double and leave nothing', async () => {
  const soak = path.join(root, 'tools', 'soak', 'soak.mjs');
  const { code, stdout } = await runNode(['--expose-gc', soak, '--cycles', '60', '--seed', '1']);
  const { violations, cycles, kinds, outcomes } = JSON.parse(stdout) as Summary;
  expect(violations).toEqual([]);
  expect(code).toBe(0);
  // It is worth something only while it does everything, and things go both ways.
  expect(cycles).toBe(60);
  expect(Object.keys(kinds).sort()).toEqual(['batch', 'crash', 'forget', 'generate', 'stopLoad', 'worker']);
  expect(Object.keys(outcomes)).toEqual(expect.arrayContaining(['done', 'AbortError', 'RKLLM_RUNTIME_CRASHED']));
});

test('what is lost, doubled or wrong is told', async () => {
  const source = `import { Ledger } from './tools/soak/ledger.mjs';
    const told = [];
    const ledger = new Ledger((cycle, what) => told.push([cycle, what]));
    ledger.request(3, 'c3r0', Promise.reject(Object.assign(new Error('no'), { code: 'RKLLM_RUN_FAILED' })), ['RKLLM_DISPOSED']);
    ledger.request(3, 'c3r1', Promise.resolve({ finishReason: 'stop' }), [], () => 'it is wrong');
    ledger.request(3, 'c3r2', Promise.resolve({ finishReason: 'stop' }), []);
    await ledger.close(3);
    ledger.reconcile({ runs: new Map([['c3r0', 1], ['c3r1', 2]]), violations: ['violation: x'] });
    console.log(JSON.stringify(told.map(([cycle, what]) => [cycle ?? null, what.split('\\n')[0]])));`;
  const { stdout, stderr } = await runNode(['--input-type=module', '-e', source]);
  expect(stderr).toBe('');
  expect(JSON.parse(stdout)).toEqual([
    [3, 'c3r0 was rejected with Error: no'],
    [3, 'c3r1: it is wrong'],
    [null, 'violation: x'],
    [null, 'c3r1 was run 2 times'],
    [null, 'c3r2 was answered and never run'],
  ]);
});
