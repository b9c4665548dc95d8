// How to test an app without a model: the scripted backend. Run: node --test examples/own-tests.mjs
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { loadModel } from 'rkllm';
import { scripted } from 'rkllm/testing';

/** The app under test. */
async function summarize(model, text) {
  const result = await model.generate([{ role: 'user', content: `Summarize: ${text}` }], { maxNewTokens: 50 });
  return result.text;
}

test('the app returns what the model says', async () => {
  const asked = [];
  const backend = scripted({ reply: 'A short summary.', onRun: (prompt) => asked.push(prompt) });
  const model = await loadModel(undefined, { backend });
  assert.equal(await summarize(model, 'a long text'), 'A short summary.');
  assert.match(asked[0], /Summarize: a long text/);
  await model.dispose();
});
