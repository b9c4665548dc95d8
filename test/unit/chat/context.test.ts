import type { ChatMessage, ChatOptions, FullContext, Model } from 'rkllm';
import type { Script } from 'rkllm/testing';
import { manualModel, scriptedModel } from '../../support/models.js';
import { codeOf, failureOf } from '../../support/reading.js';

/** A scripted model counts what lies between spaces: a message has one word of markup, and the prompt ends in two. */
const system: ChatMessage = { role: 'system', content: 'Be brief.' };
const contents = (messages: readonly ChatMessage[]): string[] => messages.map(({ content }) => content);

async function counting(contextLength: number, script: Script = {}): Promise<{ model: Model; prompts: string[] }> {
  const prompts: string[] = [];
  const onRun = (prompt: string): void => void prompts.push(prompt);
  return { model: await scriptedModel({ reply: 'Yes, I do.', contextLength, onRun, ...script }), prompts };
}

describe('contextUsage()', () => {
  test('counts with the engine that counts', async () => {
    const { model } = await counting(100);
    const chat = model.chat({ system: 'Be brief.' });
    const before = { promptTokens: 5, contextLength: 100, freeTokens: 95, counting: 'exact' };
    expect(await chat.contextUsage()).toEqual(before);
    expect(await chat.contextUsage('Do you?')).toEqual({ ...before, promptTokens: 8, freeTokens: 92 });
    const { usage } = await chat.send('Do you?');
    expect(usage.inputTokens).toBe(8);
    expect(await chat.contextUsage()).toMatchObject({ promptTokens: 12 });
  });

  test('may be asked during a turn, and takes what send() takes', async () => {
    const { model } = await counting(100, { tokenMs: 5 });
    const chat = model.chat();
    const answer = chat.send('Do you?');
    expect(await chat.contextUsage()).toMatchObject({ promptTokens: 0 });
    expect(await codeOf(() => chat.contextUsage(' '))).toBe('RKLLM_EMPTY_PROMPT');
    await answer;
  });

  test('has nothing left when it does not fit', async () => {
    const { model } = await counting(5);
    const chat = model.chat();
    expect(await chat.contextUsage('one two three four five')).toMatchObject({ promptTokens: 8, freeTokens: 0 });
  });
});

describe('a conversation that is too long', () => {
  test('fails, with the numbers, and stays as it was', async () => {
    const { model, prompts } = await counting(12);
    const chat = model.chat({ reserveTokens: 2 });
    await chat.send('one two');
    const error = await failureOf(() => chat.send('one two three'));
    expect(error).toMatchObject({
      code: 'RKLLM_CONTEXT_OVERFLOW',
      details: { promptTokens: 13, contextLength: 12, reserveTokens: 2, counting: 'exact' },
      hint: expect.stringContaining('onContextFull') as string,
    });
    expect(contents(chat.messages)).toEqual(['one two', 'Yes, I do.']);
    expect(prompts).toHaveLength(1);
  });

  test('loses its oldest turns, whole ones, and never the system message', async () => {
    const { model, prompts } = await counting(40);
    const chat = model.chat({ system: 'Be brief.', onContextFull: 'drop-oldest-turns', reserveTokens: 10 });
    for (let turn = 1; turn <= 12; turn++) {
      await chat.send(`question ${String(turn)}`);
      const [first, ...rest] = chat.messages;
      expect(first).toEqual(system);
      expect(rest.map(({ role }) => role)).toEqual(rest.map((_, index) => (index % 2 === 0 ? 'user' : 'assistant')));
      expect(contents(rest).at(-2)).toBe(`question ${String(turn)}`);
      const numbers = rest.filter((_, index) => index % 2 === 0).map(({ content }) => Number(content.slice(9)));
      expect(numbers).toEqual(numbers.map((_, index) => turn - numbers.length + 1 + index));
    }
    const lengths = prompts.map((prompt) => prompt.split(/\s+/u).filter((word) => word !== '').length);
    expect(Math.max(...lengths)).toBeLessThanOrEqual(30);
    // Not in every turn: what is dropped makes room for several.
    const drops = lengths.filter((length, index) => length < (lengths[index - 1] ?? 0));
    expect(drops.length).toBeLessThanOrEqual(4);
    expect(Math.min(...drops, 20)).toBeLessThanOrEqual(20);
  });

  test('drops more than half of the context only where it has to, and fails where that is not enough', async () => {
    const { model } = await counting(20);
    const chat = model.chat({ onContextFull: 'drop-oldest-turns', reserveTokens: 1 });
    await chat.send('one two');
    await chat.send('1 2 3 4 5 6 7 8 9 10 11 12');
    expect(contents(chat.messages)).toHaveLength(2);
    expect(await codeOf(() => chat.send(Array(30).fill('x').join(' ')))).toBe('RKLLM_CONTEXT_OVERFLOW');
    expect(contents(chat.messages)).toHaveLength(2);
  });

  test('is what a function makes of it', async () => {
    const { model, prompts } = await counting(24);
    const asked: [string[], FullContext][] = [];
    const chat = model.chat({
      system: 'Be brief.',
      reserveTokens: 8,
      onContextFull: async (messages, context) => {
        asked.push([contents(messages), context]);
        const { text } = await model.generate({ prompt: 'Summarize.' }); // the engine is free for it
        return [system, { role: 'assistant', content: `We said: ${text}` }, ...messages.slice(-1)];
      },
    });
    await chat.send('one two');
    await chat.send('three four');
    expect(asked).toEqual([]);
    await chat.send('five six');
    expect(asked).toHaveLength(1);
    expect(asked[0]?.[0]).toHaveLength(6);
    expect(asked[0]?.[1]).toMatchObject({ promptTokens: 22, contextLength: 24, reserveTokens: 8, counting: 'exact' });
    expect(contents(chat.messages)).toEqual(['Be brief.', 'We said: Yes, I do.', 'five six', 'Yes, I do.']);
    expect(prompts.at(-1)).toContain('We said:');
  });

  test.each<[string, unknown, string]>([
    ['no list', 'Hello', 'RKLLM_INVALID_INPUT'],
    ['nothing', undefined, 'RKLLM_INVALID_INPUT'],
    ['no messages', [], 'RKLLM_EMPTY_PROMPT'],
    ['something else than messages', [5], 'RKLLM_INVALID_INPUT'],
    ['no question at the end', [system], 'RKLLM_INVALID_INPUT'],
    ['what is still too long', [{ role: 'user', content: Array(30).fill('x').join(' ') }], 'RKLLM_CONTEXT_OVERFLOW'],
  ])('fails when the function gives %s', async (_, given, code) => {
    const { model, prompts } = await counting(10);
    const onContextFull = (() => given) as ChatOptions['onContextFull'];
    const chat = model.chat({ onContextFull, reserveTokens: 5 });
    expect(await codeOf(() => chat.send('one two three four'))).toBe(code);
    expect(prompts).toEqual([]);
    expect(chat.messages).toEqual([]);
  });

  test('fails with what the function throws, and is free for the next turn', async () => {
    const { model } = await counting(20);
    const thrown = new Error('no summary');
    const chat = model.chat({ onContextFull: () => Promise.reject(thrown), reserveTokens: 10 });
    expect(await failureOf(() => chat.send('1 2 3 4 5 6 7 8 9'))).toBe(thrown);
    await chat.send('one');
  });

  test('can be aborted while the function thinks', async () => {
    const { model, prompts } = await counting(10);
    let stop: AbortSignal | undefined;
    const chat = model.chat({
      reserveTokens: 5,
      partialAnswers: 'discard',
      onContextFull: (messages, { signal }) => {
        stop = signal;
        return new Promise((resolve) => signal.addEventListener('abort', () => resolve(messages)));
      },
    });
    const turn = chat.send('one two three four');
    while (stop === undefined) await new Promise(setImmediate);
    expect(turn.state).toBe('queued');
    turn.abort('enough');
    expect(await turn).toMatchObject({ finishReason: 'abort', abortReason: 'enough', text: '' });
    expect([stop.aborted, chat.messages, prompts]).toEqual([true, [], []]);
    const signalled = chat.send('one two three four', { signal: AbortSignal.timeout(1) });
    expect(await failureOf(() => signalled)).toMatchObject({ name: 'TimeoutError' });
  });

  test('is not sent to a model that was disposed meanwhile', async () => {
    const { model, prompts } = await counting(12);
    let release: (() => void) | undefined;
    const chat = model.chat({
      reserveTokens: 5,
      onContextFull: (messages) => new Promise((resolve) => (release = () => resolve(messages.slice(-1)))),
    });
    await chat.send('one');
    const waiting = chat.send('one two three');
    while (release === undefined) await new Promise(setImmediate);
    await model.dispose();
    release();
    expect(await codeOf(() => waiting)).toBe('RKLLM_DISPOSED');
    expect(prompts).toHaveLength(1);
  });
});

describe('an engine that does not count', () => {
  test('gets no more output than the context has left by the estimate', async () => {
    const { model, backend } = await manualModel({ info: { contextLength: 100 } }, { maxNewTokens: 90 });
    const chat = model.chat();
    const { promptTokens, counting } = await chat.contextUsage('Hello there');
    expect(counting).toBe('estimated');
    chat.send('Hello there');
    expect(backend.run.request.maxNewTokens).toBe(100 - promptTokens);
    expect(promptTokens).toBeGreaterThan(6); // of Phi-3: <|user|> Hello there <|end|> <|assistant|>
    const other = model.chat();
    backend.run.end();
    const short = other.send('Hello there', { maxNewTokens: 5 });
    await new Promise(setImmediate);
    expect(backend.run.request.maxNewTokens).toBe(5);
    backend.run.end();
    await short;
  });

  test('is not asked what does not fit', async () => {
    const { model, backend } = await manualModel({ info: { contextLength: 100 } });
    const chat = model.chat();
    const turn = chat.send('Too many words. '.repeat(50));
    expect(await failureOf(() => turn)).toMatchObject({
      code: 'RKLLM_CONTEXT_OVERFLOW',
      message: expect.stringContaining('about') as string,
      details: { contextLength: 100, counting: 'estimated' },
    });
    expect(backend.runs).toEqual([]);
  });

  test('has old turns dropped by the estimate', async () => {
    const { model, backend } = await manualModel({ info: { contextLength: 200 } });
    const chat = model.chat({ onContextFull: 'drop-oldest-turns', reserveTokens: 50 });
    for (let turn = 0; turn < 12; turn++) {
      const answer = chat.send(`Question number ${String(turn)}: how much is left?`);
      while (backend.runs.length <= turn) await new Promise(setImmediate);
      const { input, maxNewTokens } = backend.run.request;
      expect(input.type === 'text' ? input.text.length / 5 : 0).toBeLessThan(150);
      expect(maxNewTokens).toBeGreaterThanOrEqual(50);
      backend.run.write('It is enough.');
      backend.run.end();
      await answer;
    }
    expect(chat.messages.length).toBeLessThan(20);
  });
});
