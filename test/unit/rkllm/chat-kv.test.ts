import { writeFileSync } from 'node:fs';
import path from 'node:path';
import type { ChatMessage, ChatSession, LoadModelOptions, Model, ModelRuntime } from 'rkllm';
import { phi3Template } from '../../../lib/chat/templates/phi3.js';
import { codeOf } from '../../support/reading.js';
import { load } from './batches.js';
import { directory, FakeModel, isFrom, releases, type Release } from './fake-model.js';

const words = (text: string): number => text.split(/\s+/u).filter((word) => word !== '').length;

/** What reached the runtime: prompts with what was computed of them, and the KV cache being emptied. */
function runs(fake: FakeModel): { prompt: string; computed: number; reused: number; history: number }[] {
  const lines = fake.journal;
  const texts = lines.flatMap((line) => /^input prompt .*?text="(.*)"$/u.exec(line)?.[1] ?? []);
  const fills = lines.flatMap((line) => [...line.matchAll(/^prefill (\d+) reused (\d+)$/gu)]);
  const ends = lines.flatMap((line) => [...line.matchAll(/^kv \d+ history (\d+)$/gu)]);
  return texts.map((text, index) => ({
    prompt: text.replaceAll('\\n', '\n'),
    computed: Number(fills[index]?.[1]),
    reused: Number(fills[index]?.[2]),
    history: Number(ends[index]?.[1]),
  }));
}

const clears = (fake: FakeModel): number => fake.calls.filter((line) => line === 'clear-kv-cache 0').length;

const reply = ['token Sure,', 'token \\x20here', 'token \\x20it', 'token \\x20is.'];
const answer = 'Sure, here it is.';

interface Subject {
  readonly fake: FakeModel;
  readonly model: Model;
  readonly runtime: ModelRuntime;
}

async function subject(release: Release, script = reply, options: LoadModelOptions = {}): Promise<Subject> {
  const fake = new FakeModel('details', ...script);
  return { fake, ...(await load(release, fake, { template: 'phi3', ...options })) };
}

/** The last prompt is all of this conversation, nothing stood before it, and everything that was reused is of it. */
function expectWhole(fake: FakeModel, messages: readonly ChatMessage[]): void {
  const last = runs(fake).at(-1);
  const prompt = phi3Template.render(messages);
  expect(last?.prompt).toBe(prompt);
  expect((last?.computed ?? 0) + (last?.reused ?? 0)).toBe(words(prompt));
}

const question = (turn: number): string => `Question ${String(turn)} with some words to be computed`;

describe.each(releases)('a conversation on %s', (release) => {
  const keeps = isFrom(release, '1.2.0');

  test('computes what is new in each of ten turns, and all of it where the runtime keeps nothing', async () => {
    const { fake, model } = await subject(release);
    const chat = model.chat({ system: 'Be brief.' });
    for (let turn = 0; turn < 10; turn++) await chat.send(question(turn));
    const seen = runs(fake);
    expect(seen).toHaveLength(10);
    for (const [turn, { prompt, computed, history }] of seen.entries()) {
      const before = turn === 0 ? '' : `${seen[turn - 1]?.prompt ?? ''}${answer}`;
      expect(prompt.startsWith(before)).toBe(true);
      expect(computed).toBe(words(keeps ? prompt.slice(before.length) : prompt));
      expect(history).toBe(0);
    }
    expect(clears(fake)).toBe(0);
  });

  test('is not disturbed by another one, by plain prompts, or by its own past', async () => {
    const { fake, model } = await subject(release);
    const chat = model.chat({ system: 'Be brief.' });
    const other = model.chat({ system: 'Be long.' });
    const says = async (session: ChatSession, act: () => PromiseLike<unknown>): Promise<void> => {
      await act();
      expectWhole(fake, session.messages.slice(0, -1));
    };
    await says(chat, () => chat.send('One'));
    await says(other, () => other.send('Two'));
    await model.generate({ prompt: 'Be brief. One' });
    await says(chat, () => chat.send('Three'));
    await says(chat, () => chat.regenerate());
    await says(chat, () => chat.editLast('Four'));
    const fork = chat.fork();
    await says(fork, () => fork.send('Five'));
    await says(chat, () => chat.send('Six'));
    await says(chat, () => chat.send('Seven', { stop: ['here'] }));
    expect(chat.messages.at(-1)?.content).toBe('Sure, ');
    await says(chat, () => chat.send('Eight', { maxNewTokens: 1 }));
    await says(chat, () => chat.send('Nine'));
    chat.reset();
    await says(chat, () => chat.send('Ten'));
    expect(clears(fake)).toBe(0); // the runtime compares tokens, and all of these were computed alike
  });

  test('begins with an empty cache after a turn that failed, and after a prefill that was stopped', async () => {
    const script = ['error-after 0', 'prefill-ms 30', ...reply];
    const { fake, model } = await subject(release, script);
    const chat = model.chat();
    expect(await codeOf(() => chat.send('One'))).toBe('RKLLM_RUN_FAILED');
    expect(await codeOf(() => chat.send('Two'))).toBe('RKLLM_RUN_FAILED');
    expect(clears(fake)).toBe(keeps ? 1 : 0);

    const slow = await subject(release, ['prefill-ms 50', ...reply]);
    const stopped = slow.model.chat({ partialAnswers: 'discard' });
    const turn = stopped.send('One');
    turn.abort();
    expect((await turn).finishReason).toBe('abort');
    expect(stopped.messages).toEqual([]);
    await stopped.send('Two');
    expect(clears(slow.fake)).toBe(keeps ? 1 : 0);
    expectWhole(slow.fake, stopped.messages.slice(0, -1));
  });

  test('never goes on from what another adapter has computed', async () => {
    const { fake, model, runtime } = await subject(release);
    const file = path.join(directory, 'adapter.rkllm');
    writeFileSync(file, '');
    await runtime.loadLora({ path: file, name: 'polite' });
    const chat = model.chat();
    await chat.send('One');
    const before = clears(fake);
    await chat.send('Two', { lora: 'polite' });
    await chat.send('Three', { lora: 'polite' });
    await chat.send('Four');
    await model.generate({ prompt: 'Five' }, { lora: 'polite' });
    expect(clears(fake) - before).toBe(keeps ? 3 : 0);
    const computed = runs(fake).map((run) => run.reused === 0);
    expect(computed.slice(0, 4)).toEqual([true, true, !keeps, true]);
  });
});

describe.each(releases.slice(1))('what was set up by hand on %s', (release) => {
  test('is gone when a conversation needs the cache, and left alone by other prompts', async () => {
    const { fake, model } = await subject(release);
    await model.generate({ prompt: 'remember this' }, { keepHistory: true });
    await model.generate({ prompt: 'and this' });
    expect(clears(fake)).toBe(0);
    expect(runs(fake).at(-1)?.history).toBeGreaterThan(0);
    const chat = model.chat();
    await chat.send('Hello');
    expect(clears(fake)).toBe(1);
    expectWhole(fake, chat.messages.slice(0, -1));
    await chat.send('Again');
    expect(clears(fake)).toBe(1);
  });

  test('by calls of the runtime: the next prompt begins with an empty cache', async () => {
    const { fake, model, runtime } = await subject(release);
    await model.generate({ prompt: 'one two three' });
    await runtime.hiddenStates({ prompt: 'one two' });
    await model.generate({ prompt: 'one two three' });
    expect(clears(fake)).toBe(1);
    await runtime.clearKvCache();
    expect(clears(fake)).toBe(2);
    await model.generate({ prompt: 'one two three' });
    expect(clears(fake)).toBe(2);
  });

  test('a history is refused inside a conversation', async () => {
    const { fake, model } = await subject(release);
    const chat = model.chat();
    expect(await codeOf(() => chat.send('Hello', { keepHistory: true }))).toBe('RKLLM_UNSUPPORTED_OPTION');
    expect(runs(fake)).toEqual([]);
    await chat.send('Hello', { keepHistory: false });
  });
});

test.each(releases.slice(3))('on %s a paused generation does not reach into a conversation', async (release) => {
  const { fake, model } = await subject(release);
  const chat = model.chat();
  await chat.send('One', { stopBy: 'pause', maxNewTokens: 2 });
  await chat.send('Two');
  expect(clears(fake)).toBe(1);
  expectWhole(fake, chat.messages.slice(0, -1));
});
