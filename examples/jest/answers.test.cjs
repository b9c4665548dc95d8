// How to test an app with jest: no model, no waiting. Run: npx jest --rootDir examples/jest --config '{}' --testRegex '[.]test[.]cjs$'
const { loadModel } = require('rkllm');
const { manualClock, scripted } = require('rkllm/testing');

/** The app under test: gives up after ten seconds, and says so when the model is gone. */
async function ask(model, question) {
  const generation = model.generate(question, { maxNewTokens: 50, stop: ['\n'] });
  const timer = setTimeout(() => generation.abort(), 10_000);
  const result = await generation.result().catch(({ code }) => ({ finishReason: code }));
  clearTimeout(timer);
  if (result.finishReason === 'abort') return 'That took too long.';
  return result.finishReason === 'RKLLM_WORKER_FAILED' ? 'Please ask again later.' : result.text;
}

test('the first line of the answer is shown', async () => {
  const backend = scripted({ reply: (prompt) => (prompt.includes('joke') ? 'No.\nI know none.' : 'Yes.') });
  const model = await loadModel(undefined, { backend });
  expect([await ask(model, 'Tell me a joke'), await ask(model, 'Please')]).toEqual(['No.', 'Yes.']);
  expect(backend.requests).toMatchObject([{ aborted: true }, { aborted: false, request: { maxNewTokens: 50 } }]);
});

test('a slow answer is given up, and the test does not wait for it', async () => {
  jest.useFakeTimers();
  const clock = manualClock();
  const model = await loadModel(undefined, { backend: scripted({ reply: 'At last.', prefillMs: 60_000, clock }) });
  const answer = ask(model, 'Well?');
  await clock.advance(30_000); // the model's time
  jest.advanceTimersByTime(10_000); // the app's
  expect(await answer).toBe('That took too long.');
});

test('a crash is survived', async () => {
  const backend = scripted({ replies: [{ tokens: 'Half an', crashAfterTokens: 1 }] });
  const model = await loadModel(undefined, { backend });
  expect(await ask(model, 'Well?')).toBe('Please ask again later.');
  expect(model.state).toBe('failed');
});
