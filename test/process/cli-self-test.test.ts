import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import type { Findings } from '../../lib/cli/report-file.js';
import type { SelfTestReport } from '../../lib/doctor/self-test/report.js';
import { fakeModel, rkllm, temporary } from '../support/cli.js';

const talkative = ['token-us 500', ...Array.from({ length: 100 }, (_, index) => `token \\x20word${index}`)];

function parse(json: string): SelfTestReport {
  const { selfTest } = JSON.parse(json) as Findings;
  if (selfTest === undefined) throw new Error('There is no self-test in it.');
  return selfTest;
}

test('--self-test tries the model and says what it measured', async () => {
  const { code, stdout, stderr } = await rkllm(['doctor', '--self-test', ...fakeModel(...talkative)]);
  expect(code).toBe(0);
  expect(stdout).toMatch(/^ {2}ok {2}Platform/mu);
  expect(stdout).toMatch(/^Self-test on rkllm, runtime 1\.1\.1:$/mu);
  expect(stdout).toMatch(/timeToFirstTokenMs \d/u);
  expect(stdout).toContain('The self-test has passed.');
  expect(stderr).toMatch(/^self-test: Load the model …$/mu);
});

test('without a model it tries the embedded one', async () => {
  const { code, stdout } = await rkllm(['doctor', '--self-test', '--json']);
  expect(code).toBe(0);
  expect(parse(stdout)).toMatchObject({ ok: true, loaded: { backend: 'onnx', embedded: true } });
});

test('exit code 1 when a step fails', async () => {
  const { code, stdout } = await rkllm(['doctor', '--self-test', ...fakeModel('init-code -1')]);
  expect(code).toBe(1);
  expect(stdout).toMatch(/^FAIL {2}Load the model/mu);
});

describe('what hangs', () => {
  // The runtime never comes back from these: the test tells, and takes the process with it.
  test.each([
    ['before it answers', 'fail prefill hang', 'stream'],
    ['while it answers', 'fail decode hang 3', 'stream'],
    ['when it is freed', 'fail destroy hang', 'reload'],
  ])('%s', async (_, failure, id) => {
    const args = ['doctor', '--self-test', '--json', '--step-timeout', '2', ...fakeModel(...talkative, failure)];
    const { code, signal, stdout } = await rkllm(args);
    expect({ code, signal }).toEqual({ code: 1, signal: null });
    const { ok, leftRunning, steps } = parse(stdout);
    expect({ ok, leftRunning }).toEqual({ ok: false, leftRunning: true });
    const stuck = steps.findIndex(({ outcome }) => outcome === 'timed-out');
    expect(steps[stuck]).toMatchObject({ id, reason: 'it took too long, and did not stop' });
    expect(new Set(steps.slice(stuck + 1).map(({ reason }) => reason))).toEqual(
      new Set(['a step before it did not end']),
    );
  });

  test('while it loads is stopped with its process', async () => {
    const args = ['doctor', '--self-test', '--json', '--step-timeout', '2', ...fakeModel('fail load hang')];
    const { code, stdout } = await rkllm(args);
    expect(code).toBe(1);
    const { ok, leftRunning, steps } = parse(stdout);
    expect({ ok, leftRunning, load: steps[0] }).toMatchObject({
      ok: false,
      leftRunning: false,
      load: { id: 'load', outcome: 'timed-out', reason: 'it took too long, and was stopped' },
    });
  });
});

test.each([
  ['SIGSEGV', 'fail decode segv 3', 'stream'],
  ['SIGABRT', 'fail load abrt', 'load'],
])('a crash (%s) is in the report, with its step', async (expected, failure, id) => {
  const report = temporary(`${expected}.json`);
  const script = [...talkative, 'print load W rkllm: all is not well', failure];
  const { code } = await rkllm(['doctor', '--self-test', '--report', report, ...fakeModel(...script)]);
  expect(code).toBe(1);
  const { ok, steps } = parse(readFileSync(report, 'utf8'));
  expect(ok).toBe(false);
  expect(steps.find((step) => step.id === id)).toMatchObject({
    outcome: 'failed',
    error: {
      code: 'RKLLM_RUNTIME_CRASHED',
      message: expect.stringContaining(expected) as string,
      lastLines: expect.arrayContaining(['W rkllm: all is not well']) as string[],
    },
  });
  expect(existsSync(`${report}.part`)).toBe(false);
});

describe('--report', () => {
  const home = temporary('home-of-alice');
  mkdirSync(path.join(home, 'models'), { recursive: true });
  const model = path.join(home, 'models', 'phi-3-rk3588-w8a8.rkllm');
  writeFileSync(model, 'version https://git-lfs.github.com/spec/v1\n');
  const env = { HOME: home };
  const runtime = fakeModel().slice(2);

  test('writes Markdown with the JSON in it, without traces of people', async () => {
    const file = temporary('report.md');
    const { code, stdout } = await rkllm(['doctor', '--self-test', '-m', model, ...runtime, '--report', file], { env });
    expect(code).toBe(1);
    expect(stdout).toContain(home); // whose screen this is, knows
    const text = readFileSync(file, 'utf8');
    expect(text).toMatch(/^# Report of rkllm doctor\n/u);
    expect(text).toMatch(/^FAIL {2}Load the model/mu);
    const [, json = ''] = /^```json\n(.*?)^```$/msu.exec(text) ?? [];
    expect(parse(json)).toMatchObject({ ok: false, model: { file: 'phi-3-rk3588-w8a8.rkllm' } });
    for (const trace of [home, 'alice', os.hostname(), process.cwd()]) expect(text).not.toContain(trace);
    expect(text).not.toMatch(/Count from|word\d/u);
  });

  test('writes JSON into a file of that ending, also without a self-test', async () => {
    const file = temporary('report.json');
    await rkllm(['doctor', '-m', model, '--report', file], { env });
    const findings = JSON.parse(readFileSync(file, 'utf8')) as Findings;
    expect(findings.selfTest).toBeUndefined();
    expect(findings.checks.map(({ id }) => id)).toContain('model.file');
    expect(JSON.stringify(findings)).not.toContain('alice');
  });

  test('says so when it cannot be written', async () => {
    const { code, stderr } = await rkllm(['doctor', '--report', '/not/there/report.md']);
    expect(code).toBe(1);
    expect(stderr).toContain('/not/there/report.md');
    expect(stderr).toContain('(RKLLM_INVALID_INPUT)');
  });
});
