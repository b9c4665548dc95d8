import { mkdirSync, mkdtempSync, readdirSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { loadModel, type LoadModelOptions } from 'rkllm';
import { codeOf, failureOf } from '../../support/reading.js';
import { load } from './batches.js';
import { directory, FakeModel, fakeRuntime, isolation, releases } from './fake-model.js';

const reply = ['details', 'token Sure,', 'token \\x20here', 'token \\x20it', 'token \\x20is.'];
const answer = 'Sure, here it is.';
const words = (text: string): number => text.split(/\s+/u).filter((word) => word !== '').length;

const parent = path.join(directory, 'caches');
mkdirSync(parent);

/** On a runtime that keeps nothing between two prompts. */
async function subject(script: readonly string[] = reply, options: LoadModelOptions = {}) {
  const fake = new FakeModel(...script);
  const loaded = await load('1.1.1', fake, { template: 'phi3', promptCacheDirectory: parent, ...options });
  const computed = (): number[] =>
    fake.journal.flatMap((line) => [...line.matchAll(/^prefill (\d+) reused/gu)].map(([, count]) => Number(count)));
  const prompts = (): string[] =>
    fake.journal
      .flatMap((line) => [...line.matchAll(/^input prompt text="(.*)"$/gu)].map(([, text]) => text ?? ''))
      .map((text) => text.replaceAll('\\n', '\n'));
  return { fake, computed, prompts, ...loaded };
}

test('a turn computes the answer before it and what is new, and the directory goes with the model', async () => {
  const { fake, model, computed, prompts } = await subject();
  const chat = model.chat({ system: 'Be brief.' });
  for (let turn = 0; turn < 10; turn++) await chat.send(`Question ${String(turn)} of ten`);
  const texts = prompts();
  for (const [turn, count] of computed().entries()) {
    const before = texts[turn - 1] ?? '';
    expect(texts[turn]?.startsWith(before)).toBe(true);
    expect(count).toBe(words(texts[turn]?.slice(before.length) ?? ''));
  }
  expect(words(texts[9] ?? '')).toBeGreaterThan(10 * words(answer));
  expect(fake.calls.filter((line) => line.startsWith('load-prompt-cache'))).toHaveLength(9);
  expect(readdirSync(parent)).toHaveLength(1);
  await model.dispose();
  expect(readdirSync(parent)).toEqual([]);
});

test('a load that fails at its template leaves no directory', async () => {
  const own = mkdtempSync(path.join(directory, 'broken-template-'));
  const file = path.join(own, 'model.rkllm');
  writeFileSync(file, '#fake-rkllm\ntoken a\n');
  writeFileSync(path.join(own, 'chat_template.jinja'), '{% if %}');
  const options = { runtimePath: fakeRuntime('1.1.1'), promptCacheDirectory: parent, isolation } as const;
  expect(await codeOf(() => loadModel(file, options))).toBe('RKLLM_TEMPLATE_FAILED');
  expect(readdirSync(parent)).toEqual([]);
});

test('other prompts and conversations come between, and nothing is lost or mixed up', async () => {
  const { fake, model, computed, prompts } = await subject();
  const [chat, other] = [model.chat({ system: 'Be brief.' }), model.chat({ system: 'Be long.' })];
  await chat.send('One');
  await model.generate({ prompt: 'Something else' });
  await chat.send('Two');
  expect(computed()[2]).toBe(words(prompts()[2] ?? '') - words(prompts()[0] ?? ''));
  await other.send('Three');
  await chat.send('Four');
  expect(computed().at(-1)).toBeGreaterThan(words(answer)); // of another conversation: little in common
  expect(prompts().at(-1)).toContain('Two<|end|>');
  expect(fake.calls.filter((line) => line.startsWith('release-prompt-cache'))).toEqual([]);
});

test('never goes on from what another adapter has computed', async () => {
  const { fake, model, runtime, computed, prompts } = await subject();
  const file = path.join(directory, 'cache-adapter.rkllm');
  writeFileSync(file, '');
  await runtime.loadLora({ path: file, name: 'polite' });
  const chat = model.chat();
  await chat.send('One');
  await chat.send('Two');
  await chat.send('Three', { lora: 'polite' });
  await model.generate({ prompt: 'Four' });
  await chat.send('Five', { lora: 'polite' });
  await chat.send('Six');
  const all = prompts().map(words);
  expect([2, 5].map((run) => computed()[run])).toEqual([all[2], all[5]]);
  expect(computed()[4]).toBeLessThan(all[4] ?? 0);
  expect(fake.calls.filter((line) => line === 'release-prompt-cache').length).toBeGreaterThanOrEqual(2);
});

test('nor from what an adapter of the same name has computed before', async () => {
  const { model, runtime, computed, prompts } = await subject();
  const file = path.join(directory, 'renewed-adapter.rkllm');
  writeFileSync(file, '');
  await runtime.loadLora({ path: file, name: 'polite' });
  const chat = model.chat({ lora: 'polite' });
  for (const question of ['One', 'Two', 'Three']) await chat.send(question);
  expect(computed()[2]).toBeLessThan(words(prompts()[2] ?? ''));
  await runtime.loadLora({ path: file, name: 'polite', scale: 0.5 });
  await chat.send('Four');
  expect(computed()[3]).toBe(words(prompts()[3] ?? ''));
});

test('a turn that fails leaves nothing to go on from, and a file that is gone is done without', async () => {
  const { model, computed, prompts } = await subject(['error-after 0', ...reply]);
  const chat = model.chat();
  expect(await codeOf(() => chat.send('One'))).toBe('RKLLM_RUN_FAILED');
  expect(await codeOf(() => chat.send('One'))).toBe('RKLLM_RUN_FAILED');
  expect(computed()).toEqual(prompts().map(words));

  const without = await subject(['no-prompt-cache', ...reply]);
  const cold = without.model.chat();
  await cold.send('One');
  await cold.send('Two');
  expect(cold.messages).toHaveLength(4);
  expect(without.computed()).toEqual(without.prompts().map(words));
});

test("the caller's own files stay the caller's", async () => {
  const { fake, model, runtime } = await subject();
  const own = path.join(directory, 'own.cache');
  const chat = model.chat();
  await chat.send('One', { savePromptCache: own });
  await chat.send('Two');
  expect(fake.calls.filter((line) => line.startsWith('load-prompt-cache'))).toEqual([]);
  await runtime.loadPromptCache(own);
  await chat.send('Three');
  const loads = fake.calls.filter((line) => line.startsWith('load-prompt-cache'));
  expect(loads[0]).toContain(own);
  expect(loads).toHaveLength(2);
});

test('a directory that cannot be used is an error, and frees the model', async () => {
  const fake = new FakeModel(...reply);
  const promptCacheDirectory = path.join(directory, 'not', 'there');
  const error = await failureOf(() => load('1.1.1', fake, { promptCacheDirectory }));
  expect(error).toMatchObject({ code: 'RKLLM_INVALID_OPTION', details: { path: promptCacheDirectory } });
  expect(fake.calls).toEqual(['init', 'destroy']);
});

test.each(releases.slice(1))('on %s it is refused, for the runtime keeps it in memory', async (release) => {
  const fake = new FakeModel(...reply);
  const error = await failureOf(() => load(release, fake, { promptCacheDirectory: parent }));
  expect(error).toMatchObject({ code: 'RKLLM_UNSUPPORTED_OPTION', details: { option: 'promptCacheDirectory' } });
  expect(fake.calls.at(-1)).toBe('destroy');
});
