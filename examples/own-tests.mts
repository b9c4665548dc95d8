// How to test an app without a model: the scripted backend. Run: node --test examples/own-tests.mts
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { loadModel, type Model } from 'rkllm';
import { scripted } from 'rkllm/testing';

/** The app under test. */
async function summarize(model: Model, text: string): Promise<string> {
  const result = await model.generate([{ role: 'user', content: `Summarize: ${text}` }], { maxNewTokens: 50 });
  return result.text;
}

void test('the app returns what the model says', async () => {
  const backend = scripted({ reply: 'A short summary.' });
  const model = await loadModel(undefined, { backend });
  assert.equal(await summarize(model, 'a long text'), 'A short summary.');
  assert.match(backend.requests[0]?.prompt ?? '', /Summarize: a long text/u);
  await model.dispose();
});
