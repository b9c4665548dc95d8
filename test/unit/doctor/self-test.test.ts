import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { selfTestText } from '../../../lib/cli/self-test-text.js';
import { plain } from '../../../lib/cli/terminal.js';
import type { SelfTestReport } from '../../../lib/doctor/self-test/report.js';
import { selfTest, type SelfTestOptions } from '../../../lib/doctor/self-test/self-test.js';
import { root } from '../../support/run-node.js';
import { fakeRuntime, releases, type Release } from '../rkllm/fake-model.js';

const directory = mkdtempSync(path.join(tmpdir(), 'rkllm-self-test-'));
afterAll(() => rmSync(directory, { recursive: true }));

let files = 0;

interface Tested {
  readonly report: SelfTestReport;
  /** Each step with its outcome, and the reason of those that were not passed. */
  readonly outcomes: Record<string, string>;
  readonly progress: readonly SelfTestReport[];
}

async function run(options: Partial<SelfTestOptions>): Promise<Tested> {
  const progress: SelfTestReport[] = [];
  const report = await selfTest({
    model: undefined,
    runtimePath: undefined,
    maxContextLength: undefined,
    onProgress: (so_far) => progress.push(so_far),
    ...options,
  });
  const outcomes = report.steps.map(({ id, outcome, reason }) => [id, reason ?? outcome]);
  return { report, outcomes: Object.fromEntries(outcomes) as Record<string, string>, progress };
}

/** With a fake model that behaves as the script says. */
function runFake(release: Release, script: readonly string[], name = 'phi-3-rk3588-w8a8'): Promise<Tested> {
  const folder = path.join(directory, (files++).toString());
  const model = `${folder}-${name}.rkllm`;
  writeFileSync(model, ['#fake-rkllm', ...script, ''].join('\n'));
  return run({ model, runtimePath: fakeRuntime(release) });
}

const words = Array.from({ length: 100 }, (_, index) => `token \\x20word${index}`);
/** A model that says the same whatever it is asked, slowly enough to be stopped. */
const talkative = ['token-us 500', ...words];

const all = ['load', 'stream', 'abort', 'abort-prefill', 'utf8', 'stop', 'turns', 'reload', 'dispose'];
const passed = Object.fromEntries(all.map((id) => [id, 'passed']));

describe.each(releases)('on runtime %s', (release) => {
  test('a model that works passes every step', async () => {
    const { report, outcomes } = await runFake(release, talkative);
    expect(outcomes).toEqual(passed);
    expect(report).toMatchObject({
      format: 1,
      ok: true,
      leftRunning: false,
      model: { named: { family: 'phi-3', chip: 'RK3588', quantization: 'w8a8' } },
      loaded: { backend: 'rkllm', embedded: false, template: 'phi3', runtime: { version: release } },
    });
    expect(JSON.parse(JSON.stringify(report))).toEqual(report);
    const { measured = {} } = report.steps.find(({ id }) => id === 'stream') ?? {};
    expect(measured).toMatchObject({ outputTokens: 64, streamedTokens: 64, finishReason: 'length' });
    expect(measured['timeToFirstTokenMs']).toBeGreaterThan(0);
    expect(measured['decodeTokensPerSecond']).toBeGreaterThan(0);
    const [stop] = report.steps.filter(({ id }) => id === 'stop');
    expect(stop?.measured).toMatchObject({ sameAnswer: true, finishReason: 'stop-sequence' });
  });

  test('characters that are split between tokens are whole', async () => {
    const { report, outcomes } = await runFake(release, [
      'token-us 500',
      'bytes Gr\\xC3\\xBC\\xC3\\x9Fe\\x20',
      ...words,
    ]);
    expect(outcomes).toEqual(passed);
    expect(report.steps.find(({ id }) => id === 'utf8')?.measured).toMatchObject({ charactersRepeated: 2 });
  });
});

describe('a model that does not work', () => {
  const rest = Object.fromEntries(all.slice(1).map((id) => [id, 'the model is not loaded']));

  test('cannot be loaded', async () => {
    const { report, outcomes } = await runFake('1.2.3', ['init-code -1']);
    expect(outcomes).toEqual({ load: 'RKLLM_INIT_FAILED', ...rest });
    expect(report).toMatchObject({ ok: false, loaded: undefined });
    expect(report.steps[0]).toMatchObject({ outcome: 'failed', error: { code: 'RKLLM_INIT_FAILED' } });
    expect(report.steps[0]?.error?.hint).not.toBe('');
  });

  test('is not there', async () => {
    const { outcomes } = await run({ model: '/not/there.rkllm' });
    expect(outcomes).toEqual({ load: 'RKLLM_MODEL_NOT_FOUND', ...rest });
  });

  test('gives no token', async () => {
    const { report, outcomes } = await runFake('1.2.3', ['silent']);
    expect(outcomes).toMatchObject({ load: 'passed', stream: 'the answer has no token', dispose: 'passed' });
    expect(report.ok).toBe(false);
  });

  test('writes halves of characters', async () => {
    const { outcomes } = await runFake('1.2.3', ['token a\\xF0\\x9F', 'token b', 'repeat 30']);
    expect(outcomes).toMatchObject({
      stream: 'the text has broken characters',
      utf8: 'the text has broken characters',
    });
  });

  test('fails in the middle', async () => {
    const { report, outcomes } = await runFake('1.2.3', ['error-after 3', ...talkative]);
    expect(outcomes).toMatchObject({ load: 'passed', stream: 'RKLLM_RUN_FAILED', turns: 'RKLLM_RUN_FAILED' });
    expect(report.ok).toBe(false);
  });

  test('says little: what cannot be tried is skipped', async () => {
    const { report, outcomes } = await runFake('1.2.3', ['token one']);
    expect(outcomes).toMatchObject({
      stream: 'passed',
      abort: 'the answer ended before it could be stopped',
      stop: 'the first answer has too few words',
    });
    expect(report.ok).toBe(true);
  });

  test('of a template that is not known is asked all the same', async () => {
    const { report, outcomes } = await runFake('1.2.3', talkative, 'unheard-of');
    expect(outcomes).toEqual({ ...passed, turns: "the model's chat template is not known" });
    expect(report).toMatchObject({ ok: true, loaded: { template: undefined } });
  });
});

test('the embedded model passes on the CPU', async () => {
  const { report, outcomes } = await run({});
  expect(outcomes).toEqual(passed);
  expect(report).toMatchObject({ loaded: { backend: 'onnx', embedded: true }, model: { file: undefined } });
});

test('a model on the CPU passes, too', async () => {
  const { report, outcomes } = await run({ model: path.join(root, 'models', 'tiny-phi3') });
  expect(outcomes).toEqual(passed);
  expect(report.model).toMatchObject({ file: 'tiny-phi3', bytes: undefined, named: undefined });
});

test('each step is told before it begins, so that a crash leaves it in the report', async () => {
  const { progress, report } = await runFake('1.2.3', talkative);
  expect(progress.map(({ steps }) => steps.at(-1)).map((step) => `${step?.id ?? ''} ${step?.outcome ?? ''}`)).toEqual([
    ...all.map((id) => `${id} running`),
    'dispose passed',
  ]);
  expect(progress.at(-1)).toEqual(report);
  // None of them may pass for the report of a test that came to its end.
  for (const unfinished of progress.slice(0, -1)) {
    expect(unfinished).toMatchObject({ ok: false });
    expect(unfinished.steps.at(-1)?.durationMs).toBeUndefined();
    expect(selfTestText(unfinished, plain)).toContain('did not come to its end');
  }
});

test('neither prompts nor answers are in it', async () => {
  const { report } = await runFake('1.2.3', talkative);
  expect(JSON.stringify(report)).not.toMatch(/word\d|Count from|colour|river|Grüße/u);
});

test('for people it fits in 80 columns and says what failed', async () => {
  const { report } = await runFake('1.2.3', ['init-code -1']);
  const text = selfTestText(report, plain);
  expect(text).toMatch(/^FAIL {2}Load the model \(\d+ ms\)$/mu);
  expect(text).toMatch(/^skip {2}Stream an answer/mu);
  expect(text).toContain('The self-test has failed.');
  expect(text.split('\n').filter((line) => line.length > 80 && !/^ *\S+$/u.test(line))).toEqual([]);
});
