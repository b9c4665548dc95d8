import { writeFileSync } from 'node:fs';
import path from 'node:path';
import type { DoctorReport } from 'rkllm';
import { rkllm, temporary } from '../support/cli.js';
import { root } from '../support/run-node.js';

const fakeRuntime = path.join(root, 'build', 'Release', 'fake', 'librkllmrt-1.2.3.so');

test('rkllm doctor says what this computer has, for people', async () => {
  const { code, stdout, stderr } = await rkllm(['doctor'], { env: { FORCE_COLOR: '1', TERM: 'xterm-256color' } });
  expect(stderr).toBe('');
  expect(stdout).toMatch(/^ {2}ok {2}Platform +linux-/mu);
  // eslint-disable-next-line no-control-regex
  expect(stdout).not.toMatch(/\u001b/u);
  expect([0, 1]).toContain(code);
  expect(code === 1).toBe(stdout.includes('FAIL'));
});

test('--json says it for programs', async () => {
  const { code, stdout, stderr } = await rkllm(['doctor', '--json', '--runtime', fakeRuntime]);
  expect(stderr).toBe('');
  const report = JSON.parse(stdout) as DoctorReport;
  expect(report.checks.find(({ id }) => id === 'runtime')).toMatchObject({ found: `1.2.3: ${fakeRuntime}` });
  expect(code).toBe(report.ok ? 0 : 1);
});

test('a reader that goes away is no error', async () => {
  const { code, stderr } = await rkllm(['doctor', '--self-test'], { onStart: ({ stdout }) => stdout?.destroy() });
  expect(code).toBe(0);
  expect(stderr).toMatch(/^self-test: Free the model …$/mu);
  expect(stderr).not.toContain('EPIPE');
});

describe('exit code', () => {
  test('1 for a model that is none', async () => {
    const model = temporary('pointer.rkllm');
    writeFileSync(model, 'version https://git-lfs.github.com/spec/v1\n');
    const { code, stdout } = await rkllm(['doctor', '--model', model]);
    expect(code).toBe(1);
    expect(stdout).toMatch(/^FAIL {2}Model file/mu);
    expect(stdout).toContain('fix: Fetch it with git lfs pull.');
  });

  test('1 with --require-npu where there is none', async () => {
    const { code, stdout } = await rkllm(['doctor', '--require-npu', '--json']);
    const { npu, ok } = JSON.parse(stdout) as DoctorReport;
    expect(code).toBe(npu && ok ? 0 : 1);
    expect(ok && !npu).toBe(false);
  });

  test('1 with a hint for an option that cannot be', async () => {
    const { code, stdout, stderr } = await rkllm(['doctor', '--max-context-length', '1']);
    expect({ code, stdout }).toEqual({ code: 1, stdout: '' });
    expect(stderr).toContain('RKLLM_INVALID_OPTION');
  });

  test('2 for wrong usage', async () => {
    const { code, stdout, stderr } = await rkllm(['doctor', '--top-k', '5']);
    expect({ code, stdout }).toEqual({ code: 2, stdout: '' });
    expect(stderr).toContain("rkllm doctor has no option '--top-k'");
  });

  test('0 for help, which says what the codes mean', async () => {
    const { code, stdout } = await rkllm(['doctor', '--help']);
    expect(code).toBe(0);
    expect(stdout).toMatch(/^Usage: rkllm doctor.*Exit codes: 0 .*, 1 .*, 2 /su);
  });
});
