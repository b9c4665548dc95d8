// What the app's CI runs, where there is no NPU: node --test examples/ci-app/app.test.mts
import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import path from 'node:path';
import { test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';

const here = fileURLToPath(import.meta.url);
const app = path.join(path.dirname(here), `app${path.extname(here)}`); // app.mts, or app.mjs when compiled
/** The environment may as well be set once, for the whole job: `RKLLM_BACKEND=onnx npm test`. */
const env = { ...process.env, RKLLM_BACKEND: 'onnx' };
const run = (question: string) => promisify(execFile)(process.execPath, [app, question], { env });

void test('the app answers, with the embedded model on the CPU', async () => {
  const { stdout } = await run('What is the RK3588?');
  const [first, ...answer] = stdout.split('\n');
  assert.equal(first, '[tiny-phi3 on onnx, in place of /models/phi-3-mini.rkllm]');
  assert.match(answer.join('\n'), /RK3588/u);
});

void test('that another model took its place is said once, as a warning', async () => {
  const { stderr } = await run('Hello');
  assert.equal(stderr.match(/RKLLM_SUBSTITUTE/gu)?.length, 1);
});
