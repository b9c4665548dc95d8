/**
 * Every state of a model × every way to end its environment or process: it ends as asked, never by a crash, and what
 * was initialized has been destroyed. What can be done in the same process is in rkllm-grid.test.ts.
 */
import { existsSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { runNode, type Ended } from '../support/run-node.js';

jest.setTimeout(180_000);

const states = [
  ...['created', 'loading', 'ready', 'running', 'asking', 'embedding'],
  ...['aborting', 'disposing', 'disposed', 'failed'],
];
const directory = mkdtempSync(path.join(tmpdir(), 'rkllm-leave-'));
afterAll(() => rmSync(directory, { recursive: true, force: true }));

const program = path.join(__dirname, 'rkllm-leave.cjs');
let journals = 0;

async function leave(...args: string[]): Promise<Ended & { readonly calls: string[] }> {
  const journal = path.join(directory, `journal-${(journals++).toString()}`);
  const ended = await runNode([program, ...args], { env: { FAKE_RKLLM_JOURNAL: journal, TMPDIR: directory } });
  const calls = existsSync(journal) ? readFileSync(journal, 'utf8').trimEnd().split('\n') : [];
  return { ...ended, calls };
}

function expectDestroyed(calls: string[], refused = 0): void {
  const count = (call: string): number => calls.filter((line) => line.startsWith(call)).length;
  expect(calls.filter((call) => call.startsWith('violation') || call === 'abort-idle')).toEqual([]);
  expect(count('run-end')).toBe(count('run '));
  expect(count('destroy')).toBe(count('init ') - refused);
}

describe.each([
  ['process.exit()', 'exit', 3],
  ['an uncaught exception', 'uncaught', 1],
  ['SIGINT with a handler', 'handled', 4],
  ['the natural end', 'end', 0],
])('%s when', (_, manner, code) => {
  test.each(states)('%s', async (state) => {
    const ended = await leave(manner, state);
    expect({ code: ended.code, signal: ended.signal }).toEqual({ code, signal: null });
    expect(ended.stderr === '' || manner === 'uncaught').toBe(true);
    expectDestroyed(ended.calls, state === 'failed' ? 1 : 0);
  });
});

// The system's own action ends the process at once: there is nothing to tidy up, and nothing else may kill it.
describe('SIGINT when', () => {
  test.each(states)('%s', async (state) => {
    const { code, signal, stderr } = await leave('interrupt', state);
    expect({ code, signal, stderr }).toEqual({ code: null, signal: 'SIGINT', stderr: '' });
  });
});

describe('only workers have loaded the addon', () => {
  test('worker.terminate() in every state', async () => {
    const { code, signal, stdout, stderr, calls } = await leave('terminate', ...states);
    expect({ code, signal, stderr }).toEqual({ code: 0, signal: null, stderr: '' });
    expect(stdout.trimEnd().split('\n')).toEqual(states);
    expectDestroyed(calls, 1);
  });

  test('process.exit() of the worker in every state', async () => {
    const { code, signal, stdout, stderr, calls } = await leave('worker-exit', ...states);
    expect({ code, signal, stderr }).toEqual({ code: 0, signal: null, stderr: '' });
    expect(stdout.trimEnd().split('\n')).toEqual(states.map((state) => `${state} 3`));
    expectDestroyed(calls, 1);
  });

  // RKLLM_TERMINATIONS=400 is what a release has to stand; it takes 20 s or more.
  test('it is terminated at random', async () => {
    const times = process.env['RKLLM_TERMINATIONS'] ?? '100';
    const seed = process.env['RKLLM_SEED'] ?? '1';
    const { code, signal, stdout, stderr, calls } = await leave('random', times, seed);
    expect({ seed, code, signal, stderr }).toEqual({ seed, code: 0, signal: null, stderr: '' });
    expect(stdout).toBe(`survived ${times}\n`);
    expect(calls.filter((call) => call.startsWith('violation'))).toEqual([]);
  });
});
