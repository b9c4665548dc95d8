import { parseCommandLine, UsageError } from '../../lib/cli/arguments.js';
import { doctorUsage, usage } from '../../lib/cli/usage.js';

test.each(['chat_template.jinja', 'a/tokenizer_config.json'])('--template %s is a file', (file) => {
  expect(parseCommandLine(['run', '--template', file])).toMatchObject({ load: { template: { file } } });
});

test('without arguments the model is asked what it can do', () => {
  expect(parseCommandLine([])).toMatchObject({ name: 'run', prompt: undefined, model: undefined, quiet: false });
});

test.each([
  [['run', 'Hi'], 'Hi'],
  [['run', 'How', 'are', 'you?'], 'How are you?'],
  [['run', '-'], '-'],
  [['run', ''], ''],
  [['run', '--', '--help'], '--help'],
  [['--quiet', 'run', 'Hi'], 'Hi'],
])('%j asks %j', (argv, prompt) => {
  expect(parseCommandLine(argv)).toMatchObject({ name: 'run', prompt });
});

test('every flag arrives where it belongs', () => {
  const argv =
    'run -m model.rkllm -s Brief -n 50 -t 0 --top-k 5 --top-p 0.5 --repeat-penalty 1.1 --seed 7 --backend rkllm ' +
    '--runtime lib.so --template phi3 --max-context-length 512 --threads 2 --pace rk3588-phi3-w8a8 -q Hi';
  expect(parseCommandLine(argv.split(' '))).toEqual({
    name: 'run',
    prompt: 'Hi',
    model: 'model.rkllm',
    system: 'Brief',
    quiet: true,
    load: {
      backend: 'rkllm',
      template: 'phi3',
      runtimePath: 'lib.so',
      maxContextLength: 512,
      threads: 2,
      pace: { preset: 'rk3588-phi3-w8a8' },
    },
    generate: { maxNewTokens: 50, temperature: 0, topK: 5, topP: 0.5, repeatPenalty: 1.1, seed: 7 },
  });
});

test.each([['--help'], ['-h'], ['run', 'Hi', '--help']])('%j asks for help', (...argv) => {
  expect(parseCommandLine(argv)).toEqual({ name: 'help', of: 'run' });
});

test.each([['--version'], ['-v']])('%j asks for the version', (...argv) => {
  expect(parseCommandLine(argv)).toEqual({ name: 'version' });
});

function refusal(argv: readonly string[]): string {
  try {
    parseCommandLine(argv);
  } catch (error) {
    if (error instanceof UsageError) return error.message;
    throw error;
  }
  throw new Error('The command line was accepted.');
}

test.each([
  ['--modle', '--model'],
  ['--maxNewTokens', '--max-new-tokens'],
  ['--max_new_tokens', '--max-new-tokens'],
  ['--max-tokens=5', '--max-new-tokens'],
  ['--temprature', '--temperature'],
  ['--Quiet', '--quiet'],
])('%s: did you mean %s?', (flag, meant) => {
  expect(refusal(['run', flag])).toMatch(new RegExp(`Did you mean '${meant}'\\?$`, 'u'));
});

test.each([[['--zzzzzz']], [['-x']], [['--seed']], [['--seed', '-1']], [['-n', '-1']], [['--quiet=yes']]])(
  '%j is refused without a suggestion of ours',
  (argv) => {
    expect(refusal(['run', ...argv])).not.toContain('Did you mean');
  },
);

test.each(['', ' ', 'five', '5 tokens', 'NaN'])('-n does not take %p', (value) => {
  expect(refusal(['run', '-n', value])).toContain("--max-new-tokens takes a number, not '");
});

test('a prompt in the place of the command is pointed out', () => {
  expect(refusal(['What is the RK3588?'])).toContain('rkllm run "What is the RK3588?"');
});

describe('rkllm doctor', () => {
  test('asks for nothing by itself', () => {
    expect(parseCommandLine(['doctor'])).toEqual({ name: 'doctor', json: false, selfTest: false, options: {} });
  });

  test('every flag arrives where it belongs', () => {
    const argv =
      'doctor -m model.rkllm --runtime lib.so --max-context-length 512 --require-npu --verify --json ' +
      '--self-test --step-timeout 0.5 --report report.md';
    expect(parseCommandLine(argv.split(' '))).toEqual({
      name: 'doctor',
      json: true,
      selfTest: true,
      stepTimeout: 0.5,
      report: 'report.md',
      options: { model: 'model.rkllm', runtimePath: 'lib.so', maxContextLength: 512, requireNpu: true, verify: true },
    });
  });

  test('has help of its own', () => {
    expect(parseCommandLine(['doctor', '--help'])).toEqual({ name: 'help', of: 'doctor' });
  });

  test.each([
    [['doctor', 'model.rkllm'], 'rkllm doctor --model "model.rkllm"'],
    [['doctor', '--top-k', '5'], "rkllm doctor has no option '--top-k'; rkllm run has it."],
    [['run', '--json', 'Hi'], "rkllm run has no option '--json'; rkllm doctor has it."],
    [['doctor', '--step-timeout', '0'], "--step-timeout takes seconds above 0 and up to 86400, not '0'."],
    [['doctor', '--step-timeout', '1e9'], 'up to 86400'],
    [['doctor', '--require-np'], "Did you mean '--require-npu'?"],
  ])('%j is refused', (argv, message) => {
    expect(refusal(argv)).toContain(message);
  });
});

test.each([
  ['run', usage],
  ['doctor', doctorUsage],
])('the usage of %s names every flag that is understood, and no other', (command, text) => {
  const named = [...text.matchAll(/--([a-z-]+)/gu)].map(([, flag = '']) => flag);
  const flagsOnly = ['quiet', 'help', 'version', 'json', 'require-npu', 'self-test', 'verify'];
  for (const flag of named) {
    expect(() => parseCommandLine([command, `--${flag}${flagsOnly.includes(flag) ? '' : '=1'}`])).not.toThrow();
  }
  expect(named).toContain('model');
});

test.each([usage, doctorUsage])('the usage fits in a terminal of 100 columns', (text) => {
  expect(Math.max(...text.split('\n').map(({ length }) => length))).toBeLessThanOrEqual(100);
});
