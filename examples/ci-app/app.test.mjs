// What the app's CI runs, where there is no NPU: node --test examples/ci-app/app.test.mjs
import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';

const app = fileURLToPath(new URL('app.mjs', import.meta.url));
/** The environment may as well be set once, for the whole job: `RKLLM_BACKEND=onnx npm test`. */
const env = { ...process.env, RKLLM_BACKEND: 'onnx' };
const run = (question) => promisify(execFile)(process.execPath, [app, question], { env });

test('the app answers, with the embedded model on the CPU', async () => {
  const { stdout } = await run('What is the RK3588?');
  const [first, ...answer] = stdout.split('\n');
  assert.equal(first, '[tiny-phi3 on onnx, in place of /models/phi-3-mini.rkllm]');
  assert.match(answer.join('\n'), /RK3588/);
});

test('that another model took its place is said once, as a warning', async () => {
  const { stderr } = await run('Hello');
  assert.equal(stderr.match(/RKLLM_SUBSTITUTE/g)?.length, 1);
});
