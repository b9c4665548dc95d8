import { setImmediate as turn } from 'node:timers/promises';
import type { Chunk, Timings } from 'rkllm';
import { collect, finishOf, textOf, textsOf, tokenIdsOf } from '../../support/reading.js';
import { Shared, type AnswerKind, type Harness } from '../harness.js';

export function describeStreaming(harness: Harness): void {
  describe.each<AnswerKind>(['short', 'long', 'unicode'])('a %s answer', (kind) => {
    const shared = new Shared(harness, kind);

    test('comes as text, in order, and ends with one finish chunk', async () => {
      const generation = shared.model.generate(shared.question);
      const chunks = await collect(generation);
      const result = await generation;
      expect(chunks.filter(({ type }) => type === 'finish')).toEqual([chunks.at(-1)]);
      expect(textOf(chunks)).toBe(result.text);
      expect(result).toMatchObject({ text: shared.text, finishReason: 'stop', stopSequence: undefined });
      expect(finishOf(chunks)).toMatchObject({ usage: result.usage, timings: result.timings, finishReason: 'stop' });
    });

    test('names each of its tokens once', async () => {
      const chunks = await collect(shared.model.generate(shared.question));
      const tokenIds = tokenIdsOf(chunks);
      expect(tokenIds).toEqual(shared.tokenIds);
      expect(tokenIds).toHaveLength(finishOf(chunks).usage.outputTokens);
      expect(tokenIds.every((id) => Number.isInteger(id) && id >= 0)).toBe(true);
    });

    test('has whole characters in each piece', () => {
      for (const text of textsOf(shared.chunks)) expect(Buffer.from(text).toString()).toBe(text);
      expect(shared.text).not.toContain('\ufffd');
      expect(/[^\0-\u007f]/u.test(shared.text) || kind !== 'unicode').toBe(true);
    });

    test('is as long as its kind', () => {
      expect(shared.tokenIds.length).toBeGreaterThan(kind === 'long' ? 150 : kind === 'short' ? 4 : 0);
    });

    test('has figures that can be true', async () => {
      const { usage, timings } = await shared.model.generate(shared.question);
      expectPlausible(timings);
      const { inputTokens = 1, cachedInputTokens = 0 } = usage;
      expect(inputTokens).toBeGreaterThan(0);
      expect(inputTokens).toBeLessThan(shared.model.info.contextLength);
      expect(cachedInputTokens).toBeGreaterThanOrEqual(0);
      expect(cachedInputTokens).toBeLessThanOrEqual(inputTokens);
    });
  });

  describe('while an answer is written', () => {
    const shared = new Shared(harness, 'long');

    test('the event loop gets its turns', async () => {
      const generation = shared.model.generate(shared.question);
      let turns = 0;
      while (generation.state !== 'done') {
        await turn();
        turns++;
      }
      expect(turns).toBeGreaterThan(10);
    });

    test('its first words can be read', async () => {
      const generation = shared.model.generate(shared.question);
      const states = new Set<string>();
      for await (const chunk of generation) if (chunk.type === 'text') states.add(generation.state);
      expect(states).toContain('decode');
    });

    test('nobody has to read it', async () => {
      const generation = shared.model.generate(shared.question);
      await generation;
      const chunks: Chunk[] = await collect(generation);
      expect(textOf(chunks)).toBe(shared.text);
      expect(tokenIdsOf(chunks)).toEqual(shared.tokenIds);
    });
  });
}

function expectPlausible(timings: Timings): void {
  for (const [name, value] of Object.entries(timings) as [string, number | undefined][]) {
    const plausible = value === undefined || (Number.isFinite(value) && value >= 0);
    expect({ name, value, plausible }).toMatchObject({ plausible: true });
  }
  expect(timings.totalMs).toBeGreaterThanOrEqual(timings.timeToFirstTokenMs ?? 0);
  expect(timings.timeToFirstTokenMs ?? Infinity).toBeGreaterThanOrEqual(timings.queuedMs);
}
