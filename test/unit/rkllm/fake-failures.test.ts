import { spawnSync } from 'node:child_process';
import path from 'node:path';
import { diagnose, initFailedSilently, warningsIn } from '../../../lib/backends/rkllm/diagnosis/index.js';
import type { RuntimeLogLine } from '../../../lib/backends/rkllm/runtime-log/line.js';
import { LogLines } from '../../../lib/backends/rkllm/runtime-log/log-lines.js';
import { root } from '../../support/run-node.js';
import { directory, fakeRuntime, releases, type Release } from './fake-model.js';

interface Played {
  readonly lines: readonly RuntimeLogLine[];
  /** What was called, and what it returned. */
  readonly calls: readonly string[];
  readonly signal: NodeJS.Signals | null;
}

/** Loads and runs a fake model in a process of its own, without this library. */
function play(release: Release, ...script: string[]): Played {
  const program = path.join(root, 'build', 'Release', 'fake', 'self-test');
  const ended = spawnSync(program, [fakeRuntime(release), release, 'play', 'log', 'token hi', ...script], {
    env: { ...process.env, TMPDIR: directory },
  });
  const lines: RuntimeLogLine[] = [];
  for (const stream of ['stdout', 'stderr'] as const) {
    const reader = new LogLines(stream, (line) => lines.push(line));
    reader.write(ended[stream]);
    reader.end();
  }
  const isCall = ({ text }: RuntimeLogLine): boolean => /^(?:init|run|destroy) -?\d+$/u.test(text);
  return {
    lines: lines.filter((line) => !isCall(line)),
    calls: lines.filter(isCall).map(({ text }) => text),
    signal: ended.signal,
  };
}

describe.each(releases.slice(1))('the stand-in for %s, as from 1.2.0 on', (release) => {
  test('refuses fewer CPUs than NPU cores', () => {
    expect(diagnose(play(release, 'npu-cores 5').lines, { phase: 'load' })).toMatchObject({
      code: 'RKLLM_INVALID_OPTION',
      details: { option: 'cpus', npuCores: 5, enabledCpus: 4 },
    });
  });

  test('warns of a chat template that it cannot use', () => {
    const { lines, calls } = play(release, 'template-broken');
    expect(calls[0]).toBe('init 0');
    expect(warningsIn(lines, { phase: 'load' })).toMatchObject([{ code: 'RKLLM_TEMPLATE_UNKNOWN' }]);
  });
});

describe.each(releases)('the stand-in for %s', (release) => {
  test.each([
    ['no-driver', 'RKLLM_DRIVER_NOT_FOUND'],
    ['no-access', 'RKLLM_NPU_ACCESS_DENIED'],
    ['unknown-platform', 'RKLLM_PLATFORM_UNSUPPORTED'],
    ['other-board', 'RKLLM_PLATFORM_UNSUPPORTED'],
    ['invalid-model', 'RKLLM_MODEL_INVALID'],
    ['old-model', 'RKLLM_MODEL_INCOMPATIBLE'],
    ['other-platform', 'RKLLM_MODEL_INCOMPATIBLE'],
    ['npu-memory', 'RKLLM_NPU_MEMORY'],
    ['open-files', 'RKLLM_TOO_MANY_OPEN_FILES'],
  ])('fails as %s, which is %s', (name, code) => {
    const { lines, calls } = play(release, `fail-as ${name}`);
    expect(calls).toEqual(['init -1']);
    expect(diagnose(lines, { phase: 'load' })).toMatchObject({ code });
    expect(lines.every(({ component }) => component !== 'other')).toBe(true);

    const pretending = play(release, `fail-as ${name}`, 'init-false-success error');
    expect(pretending.calls).toEqual(['init 0', 'run -1', 'destroy 0']);
    expect(initFailedSilently(pretending.lines)).toBe(true);
    expect(diagnose(pretending.lines, { phase: 'load' })).toMatchObject({ code });
  });

  test('warns of an old driver, and fails to compute with it', () => {
    const { lines, calls } = play(release, 'fail-as old-driver');
    expect(calls).toEqual(['init 0', 'run 0', 'destroy 0']);
    expect(warningsIn(lines, { phase: 'load' })).toMatchObject([
      { code: 'RKLLM_DRIVER_TOO_OLD', details: { driverVersion: '0.8.2' } },
    ]);
    expect(diagnose(lines, { phase: 'run' })).toMatchObject({ code: 'RKLLM_DRIVER_TOO_OLD' });
    expect(initFailedSilently(lines)).toBe(false);
  });

  test('says nothing of a load and a run that go well', () => {
    const { lines, calls, signal } = play(release);
    expect({ calls, signal }).toEqual({ calls: ['init 0', 'run 0', 'destroy 0'], signal: null });
    expect(diagnose(lines, { phase: 'load' })).toBeUndefined();
    expect(diagnose(lines, { phase: 'run' })).toBeUndefined();
    expect(warningsIn(lines, { phase: 'load' })).toEqual([]);
    expect(initFailedSilently(lines)).toBe(false);
  });

  test('refuses a context that is too large for the model', () => {
    const { lines, calls } = play(release, 'max-context 32');
    expect(calls).toEqual(['init -1']);
    expect(diagnose(lines, { phase: 'load' })).toMatchObject({
      code: 'RKLLM_INVALID_OPTION',
      details: { option: 'maxContextLength', given: 64, limit: 32 },
    });
  });

  test('fails to load without a reason', () => {
    const { lines, calls } = play(release, 'init-code -1');
    expect(calls).toEqual(['init -1']);
    expect(diagnose(lines, { phase: 'load' })).toBeUndefined();
  });

  test('dies of an assertion, which is its last word', () => {
    const { lines, calls, signal } = play(release, 'fail decode assert');
    expect({ calls, signal }).toEqual({ calls: ['init 0'], signal: 'SIGABRT' });
    expect(diagnose(lines, { phase: 'run' })).toMatchObject({
      code: 'RKLLM_RUNTIME_CRASHED',
      details: { assertion: expect.stringContaining('view_src == NULL') as string },
    });
  });

  test('dies instead of saying that there is no memory, after its lines said so', () => {
    const { lines, calls, signal } = play(release, 'fail-as npu-memory', 'fail load segv');
    expect({ calls, signal }).toEqual({ calls: [], signal: 'SIGSEGV' });
    expect(diagnose(lines, { phase: 'load' })).toMatchObject({
      code: 'RKLLM_NPU_MEMORY',
      details: { size: 3085697024 },
    });
  });

  test('dies of a run after a load that failed unnoticed', () => {
    const { lines, calls, signal } = play(release, 'fail-as invalid-model', 'init-false-success assert');
    expect({ calls, signal }).toEqual({ calls: ['init 0'], signal: 'SIGABRT' });
    expect(diagnose(lines, { phase: 'run' })).toMatchObject({ code: 'RKLLM_MODEL_INVALID' });
  });

  test('prints what it is told to, on stdout and stderr', () => {
    const { lines } = play(
      release,
      'print load \\x1b[31mE rkllm: on stdout',
      'print-stderr run-end E rkllm: on stderr',
    );
    expect(lines).toContainEqual({ level: 'error', component: 'rkllm', text: 'on stdout', stream: 'stdout' });
    expect(lines).toContainEqual({ level: 'error', component: 'rkllm', text: 'on stderr', stream: 'stderr' });
  });
});
