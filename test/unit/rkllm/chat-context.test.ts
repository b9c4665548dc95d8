import type { Model } from 'rkllm';
import { failureOf } from '../../support/reading.js';
import { load } from './batches.js';
import { FakeModel, isFrom, releases, type Release } from './fake-model.js';

const contextLength = 96;

/** A model that never ends an answer by itself, in a small context. */
async function endless(release: Release): Promise<{ fake: FakeModel; model: Model }> {
  const fake = new FakeModel('details', 'endless', 'token \\x20word');
  return { fake, ...(await load(release, fake, { template: 'phi3', maxContextLength: contextLength })) };
}

/** How many positions each run has left in the context; one that was moved on has fewer than prompt and answer. */
const sizes = (fake: FakeModel): number[] =>
  fake.journal.flatMap((line) => [...line.matchAll(/^kv (\d+) history 0$/gu)].map(([, size]) => Number(size)));
const prompts = (fake: FakeModel): number[] =>
  fake.journal.flatMap((line) =>
    [...line.matchAll(/^prefill (\d+) reused (\d+)$/gu)].map(
      ([, computed, reused]) => Number(computed) + Number(reused),
    ),
  );

describe.each(releases)('on %s', (release) => {
  test('an answer ends where the context does, and nothing is forgotten', async () => {
    const { fake, model } = await endless(release);
    const chat = model.chat({ system: 'Be brief.' });
    const { finishReason, usage } = await chat.send('Go on for ever.');
    expect(finishReason).toBe('length');
    expect(usage.outputTokens).toBeGreaterThan(contextLength / 3);
    const [prompt = 0] = prompts(fake);
    expect(sizes(fake)).toEqual([prompt + usage.outputTokens]);
    expect(prompt + usage.outputTokens).toBeLessThanOrEqual(contextLength);
    expect(usage.inputTokens).toBe(isFrom(release, '1.2.3') ? prompt : undefined);
  });

  test('what no longer fits is refused before it is sent, or old turns make room', async () => {
    const { fake, model } = await endless(release);
    const chat = model.chat({ system: 'Be brief.', reserveTokens: 20 });
    await chat.send('Go on for ever.');
    expect(await failureOf(() => chat.send('And on.'))).toMatchObject({
      code: 'RKLLM_CONTEXT_OVERFLOW',
      details: { contextLength, reserveTokens: 20, counting: 'estimated' },
    });
    expect(prompts(fake)).toHaveLength(1);

    const forgetful = model.chat({
      system: 'Be brief.',
      reserveTokens: 20,
      onContextFull: 'drop-oldest-turns',
    });
    for (let turn = 0; turn < 4; turn++) await forgetful.send('Go on for ever.', { maxNewTokens: 20 });
    expect(forgetful.messages[0]?.role).toBe('system');
    expect(forgetful.messages.length).toBeLessThan(9);
    expect(Math.max(...prompts(fake)) + 20).toBeLessThanOrEqual(contextLength);
  });
});
