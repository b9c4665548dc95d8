import { readFileSync } from 'node:fs';
import path from 'node:path';
import { fakeModel, rkllm, temporary } from '../support/cli.js';
import { root } from '../support/run-node.js';

const figures = /^onnx · tiny-phi3 · \d+ prompt tokens · \d+ output tokens · .*stopped because .*$/u;

/** Everything but the last line, and the last line. */
function split(stdout: string): { answer: string; last: string | undefined } {
  const lines = stdout.trimEnd().split('\n');
  return { last: lines.pop(), answer: lines.join('\n') };
}

describe('rkllm run', () => {
  test('streams the answer of the embedded model, then one line of figures', async () => {
    const { code, stdout } = await rkllm(['run', 'What is the RK3588?']);
    expect(code).toBe(0);
    const { answer, last } = split(stdout);
    expect(answer).toMatch(/RK3588/u);
    expect(last).toMatch(figures);
    expect(last).toContain('stopped because the answer was complete');
  });

  test('asks something of its own when it is given no question', async () => {
    const { code, stdout } = await rkllm(['run']);
    expect(code).toBe(0);
    expect(split(stdout).answer).not.toBe('');
  });

  test('--quiet gives the answer only', async () => {
    const [quiet, full] = await Promise.all([rkllm(['run', '-q', 'Hello']), rkllm(['run', 'Hello'])]);
    expect(quiet).toMatchObject({ code: 0, stdout: `${split(full.stdout).answer}\n`, stderr: '' });
  });

  test('writes no control codes and no colours into a pipe', async () => {
    const { stdout, stderr } = await rkllm(['run', 'Hello'], { env: { TERM: 'xterm-256color', FORCE_COLOR: '1' } });
    // eslint-disable-next-line no-control-regex
    expect(stdout + stderr).not.toMatch(/[\0-\u0009\u000b-\u001f\u007f]/u);
  });

  test('"-" reads the question from standard input', async () => {
    const [given, piped] = await Promise.all([
      rkllm(['run', '-q', 'What can you do?']),
      rkllm(['run', '-q', '-'], { input: 'What can you do?' }),
    ]);
    expect(piped).toEqual(given);
  });

  test('--pace holds it to the speed of a device', async () => {
    const { code, stdout } = await rkllm(['run', '-n', '4', '--pace', 'rk3588-phi3-w8a8', 'Hello']);
    expect(code).toBe(0);
    const speed = Number(/([\d.]+) tokens\/s/u.exec(split(stdout).last ?? '')?.[1]);
    expect(speed).toBeGreaterThan(0);
    expect(speed).toBeLessThanOrEqual(7.5); // slower where the machine is
  });

  test('limits and system messages arrive', async () => {
    const { code, stdout } = await rkllm(['run', '-n', '5', '-t', '0', '-s', 'Be brief.', 'Hello']);
    expect(code).toBe(0);
    expect(split(stdout).last).toMatch(/ 5 output tokens .*stopped because the token limit was reached$/u);
  });

  test("--template none sends the question as it is, with RKLLM's fake runtime", async () => {
    const { code, stdout } = await rkllm(['run', '--template', 'none', ...fakeModel(), 'Hi there']);
    expect(code).toBe(0);
    expect(split(stdout)).toMatchObject({
      answer: 'You said: Hi there',
      last: expect.stringMatching(/^rkllm · phi-3-\d+ · /u) as string,
    });
  });

  test('RKLLM_BACKEND=onnx answers in the place of a model for the NPU, and says so', async () => {
    const env = { RKLLM_BACKEND: 'onnx' };
    const { code, stdout, stderr } = await rkllm(['run', '-m', 'not-here.rkllm', 'Hello'], { env });
    expect(code).toBe(0);
    expect(split(stdout).last).toMatch(figures);
    expect(stderr).toMatch(/RKLLM_SUBSTITUTE.*not-here\.rkllm/su);
  });
});

describe('exit code 1 with a code and a hint', () => {
  test.each([
    ['a path that is not there', ['-m', '/not/there'], 'RKLLM_MODEL_NOT_FOUND'],
    ['a file of another kind', ['-m', path.join(root, 'package.json')], 'RKLLM_MODEL_NOT_RECOGNIZED'],
    ['a directory without a model', ['-m', path.join(root, 'lib')], /RKLLM_MODEL_\w+/u],
    ['a backend that there is not', ['--backend', 'cpu'], 'RKLLM_INVALID_OPTION'],
    ['a value out of range', ['-n', '0'], 'RKLLM_INVALID_OPTION'],
    ['the pace of a device that nothing is known of', ['--pace', 'rk3588'], 'RKLLM_INVALID_OPTION'],
    ['a pace on the NPU', [...fakeModel(), '--pace', 'rk3588-phi3-w8a8'], 'RKLLM_UNSUPPORTED_OPTION'],
    ['a runtime that is not there', [...fakeModel(), '--runtime', '/not/there.so'], 'RKLLM_RUNTIME_NOT_FOUND'],
  ])('%s', async (_, args, expected) => {
    const { code, stdout, stderr } = await rkllm(['run', ...args, 'Hello']);
    expect({ code, stdout }).toEqual({ code: 1, stdout: '' });
    expect(stderr).toMatch(/^rkllm: .+\n.+\n\(RKLLM_\w+\)\n$/u);
    expect(stderr).toMatch(expected);
  });

  test.each([
    ['', 'an argument'],
    ['-', 'standard input'],
  ])('an empty question as %p (%s)', async (question) => {
    const { code, stderr } = await rkllm(['run', question], { input: '' });
    expect(code).toBe(1);
    expect(stderr).toContain('RKLLM_EMPTY_PROMPT');
  });

  test('an answer that fails in the middle: what was written stays', async () => {
    const { code, stdout, stderr } = await rkllm(['run', ...fakeModel('token a', 'repeat 9', 'error-after 3'), 'Hi']);
    expect({ code, stdout: stdout.trim() }).toEqual({ code: 1, stdout: 'aaa' });
    expect(stderr).toContain('RKLLM_RUN_FAILED');
  });

  test('RKLLM_BACKEND with a name that there is not', async () => {
    const { code, stderr } = await rkllm(['run', 'Hello'], { env: { RKLLM_BACKEND: 'gpu' } });
    expect(code).toBe(1);
    expect(stderr).toContain('RKLLM_BACKEND_UNKNOWN');
  });
});

describe('exit code 2 for wrong usage', () => {
  test.each([
    [['run', '--modle', 'x'], "Did you mean '--model'?"],
    [['run', '--max-tokens', '5'], "Did you mean '--max-new-tokens'?"],
    [['run', '-n', 'five'], "--max-new-tokens takes a number, not 'five'"],
    [['serve'], "There is no command 'serve'"],
  ])('%j', async (args, expected) => {
    const { code, stdout, stderr } = await rkllm(args);
    expect({ code, stdout }).toEqual({ code: 2, stdout: '' });
    expect(stderr).toContain(expected);
    expect(stderr).toContain('rkllm --help');
  });
});

describe('what needs no model', () => {
  const env = { RKLLM_MODEL: temporary('not-there') };

  test('--help', async () => {
    const { code, stdout, stderr } = await rkllm(['--help'], { env });
    expect({ code, stderr }).toEqual({ code: 0, stderr: '' });
    expect(stdout).toMatch(/^Usage: rkllm run/u);
  });

  test('--version', async () => {
    const { version } = JSON.parse(readFileSync(path.join(root, 'package.json'), 'utf8')) as { version: string };
    expect(await rkllm(['--version'], { env })).toMatchObject({ code: 0, stdout: `${version}\n`, stderr: '' });
  });
});
