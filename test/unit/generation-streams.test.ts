import { setImmediate as turn } from 'node:timers/promises';
import { isRkllmError, type Chunk, type Generation, type GenerationHandle } from 'rkllm';
import { scriptedModel } from '../support/models.js';
import { codeOf, collect, failureOf, finishOf, textOf, tokenIdsOf } from '../support/reading.js';
import { isSettled, running } from '../support/running.js';

/** Reads up to the first chunk and leaves. */
async function leave(stream: AsyncIterable<Chunk>): Promise<void> {
  for await (const chunk of stream) if (chunk.type === 'text') break;
}

const ways: [string, (generation: Generation) => unknown][] = [
  ['iterating', (generation) => generation[Symbol.asyncIterator]()],
  ['textStream', (generation) => generation.textStream[Symbol.asyncIterator]()],
  ['tee()', (generation) => generation.tee()],
  ['toReadableStream()', (generation) => generation.toReadableStream()],
];
const pairs = ways.flatMap(([a, first]) => ways.map(([b, second]) => [`${a}, then ${b}`, first, second] as const));

test.each(pairs)('the stream has one reader: %s', async (_, first, second) => {
  const { generation, run } = await running();
  await first(generation);
  expect(await codeOf(() => second(generation))).toBe('RKLLM_STREAM_CONSUMED');
  run.end();
  expect((await generation).text).toBe('a');
});

describe('a reader that leaves', () => {
  const readers: [string, (generation: Generation) => AsyncIterator<unknown>][] = [
    ['iterating', (generation) => generation[Symbol.asyncIterator]()],
    ['textStream', (generation) => generation.textStream[Symbol.asyncIterator]()],
  ];

  test.each(readers)('before it has read anything stops the engine: %s', async (_, read) => {
    const { generation, run } = await running();
    const iterator = read(generation);
    const left = iterator.return?.();
    expect(run.aborts).toBe(1);
    run.end('aborted');
    expect(await left).toEqual({ done: true, value: undefined });
    expect(await iterator.next()).toEqual({ done: true, value: undefined });
    expect((await generation).finishReason).toBe('abort');
  });

  test.each(readers)('while it waits for more stops the engine: %s', async (_, read) => {
    const { generation, run } = await running();
    const iterator = read(generation);
    await iterator.next();
    const more = iterator.next();
    const left = iterator.return?.();
    expect(run.aborts).toBe(1);
    run.end('aborted');
    expect(await left).toEqual({ done: true, value: undefined });
    await more;
    expect(await iterator.next()).toEqual({ done: true, value: undefined });
  });
});

describe('tee()', () => {
  test('gives both readers everything, whoever reads first', async () => {
    const generation = (await scriptedModel({ reply: 'one two three' })).generate('Hi');
    const [first, second] = generation.tee();
    const chunks = await collect(first);
    expect(textOf(chunks)).toBe('one two three');
    expect(tokenIdsOf(chunks)).toEqual([1, 2, 3]);
    expect(finishOf(chunks).finishReason).toBe('stop');
    expect(await collect(second)).toEqual(chunks);
  });

  test('a branch that nobody reads does not hold up the other', async () => {
    const generation = (await scriptedModel({ reply: 'one two' })).generate('Hi');
    const [, second] = generation.tee();
    expect(textOf(await collect(second))).toBe('one two');
    expect((await generation).text).toBe('one two');
  });

  test('a reader that leaves does not disturb the other', async () => {
    const { generation, run } = await running();
    const [first, second] = generation.tee();
    const reading = collect(second);
    await leave(first);
    expect(run.aborts).toBe(0);
    expect(generation.state).toBe('decode');
    run.write('b');
    run.end();
    expect(textOf(await reading)).toBe('ab');
    expect((await generation).finishReason).toBe('stop');
  });

  test('when both have left the engine is stopped, and the last waits until it is idle', async () => {
    const { model, generation, run } = await running();
    const [first, second] = generation.tee();
    await leave(first);
    const left = leave(second);
    expect(await isSettled(left)).toBe(false);
    expect(run.aborts).toBe(1);
    run.end('aborted');
    await left;
    expect(model.state).toBe('ready');
    expect(await generation).toMatchObject({ text: 'a', finishReason: 'abort' });
  });

  test('a reader that leaves twice is one reader', async () => {
    const { generation, run } = await running();
    const [first, second] = generation.tee();
    const iterator = first[Symbol.asyncIterator]();
    await iterator.return?.();
    await iterator.return?.();
    expect(run.aborts).toBe(0);
    run.end();
    expect(textOf(await collect(second))).toBe('a');
  });

  test('a failure reaches both, after what was written', async () => {
    const generation = (await scriptedModel({ reply: 'one two', failAfterTokens: 1 })).generate('Hi');
    const outcomes = generation.tee().map(async (branch) => {
      const texts: string[] = [];
      const error = await failureOf(async () => {
        for await (const chunk of branch) if (chunk.type === 'text') texts.push(chunk.text);
      });
      return [texts.join(''), isRkllmError(error) ? error.code : error];
    });
    expect(await Promise.all(outcomes)).toEqual(Array.from({ length: 2 }, () => ['one', 'RKLLM_RUN_FAILED']));
  });

  test.each([0, 1])('branch %i is read once', async (index) => {
    const generation = (await scriptedModel()).generate('Hi');
    const branch = generation.tee()[index];
    if (branch === undefined) throw new Error('No such branch.');
    await collect(branch);
    expect(await codeOf(() => collect(branch))).toBe('RKLLM_STREAM_CONSUMED');
  });
});

describe('toReadableStream()', () => {
  test('has the chunks, the last one too, and closes', async () => {
    const generation = (await scriptedModel({ reply: 'one two' })).generate('Hi');
    const chunks = await collect(generation.toReadableStream());
    expect(textOf(chunks)).toBe('one two');
    expect(finishOf(chunks).finishReason).toBe('stop');
  });

  test('becomes a Response', async () => {
    const generation = (await scriptedModel({ reply: 'Größe 🙂' })).generate('Hi');
    const toText = new TransformStream<Chunk, string>({
      transform: (chunk, controller) => {
        if (chunk.type === 'text') controller.enqueue(chunk.text);
      },
    });
    const body = generation.toReadableStream().pipeThrough(toText).pipeThrough(new TextEncoderStream());
    expect(await new Response(body).text()).toBe('Größe 🙂');
  });

  test('cancelled, it stops the engine, waits until it is idle and keeps the reason', async () => {
    const { model, generation, run } = await running();
    const reader = generation.toReadableStream().getReader();
    await reader.read();
    const cancelled = reader.cancel('enough');
    expect(await isSettled(cancelled)).toBe(false);
    expect(run.aborts).toBe(1);
    run.end('aborted');
    await cancelled;
    expect(model.state).toBe('ready');
    expect(await generation).toMatchObject({ text: 'a', finishReason: 'abort', abortReason: 'enough' });
  });

  test('cancelled while a chunk is waited for, it ends', async () => {
    const { generation, run } = await running();
    const reader = generation.toReadableStream().getReader();
    await reader.read();
    const pending = reader.read();
    await turn();
    const cancelled = reader.cancel();
    run.end('aborted');
    await cancelled;
    expect(await pending).toEqual({ done: true, value: undefined });
  });

  test('fails as the generation does, after what was written', async () => {
    const generation = (await scriptedModel({ reply: 'one two', failAfterTokens: 1 })).generate('Hi');
    const reader = generation.toReadableStream().getReader();
    expect((await reader.read()).value).toMatchObject({ type: 'text', text: 'one' });
    expect(await codeOf(() => reader.read())).toBe('RKLLM_RUN_FAILED');
  });
});

describe('handle()', () => {
  test('goes through an async function unread, and reads as the generation does', async () => {
    const model = await scriptedModel({ reply: 'one two' });
    const ask = async (): Promise<GenerationHandle> => {
      await turn();
      return model.generate('Hi').handle();
    };
    const handle = await ask();
    expect('then' in handle).toBe(false);
    expect(textOf(await collect(handle))).toBe('one two');
    expect(await handle.text()).toBe('one two');
    expect(handle.state).toBe('done');
  });

  test('shares id, state, stream and outcome with the generation', async () => {
    const { generation, run } = await running();
    const handle = generation.handle();
    expect(handle.handle()).toBe(handle);
    expect(handle.id).toBe(generation.id);
    generation.tee();
    for (const [, read] of ways) expect(await codeOf(() => read(handle as Generation))).toBe('RKLLM_STREAM_CONSUMED');
    handle.abort('enough');
    expect([handle.state, generation.state]).toEqual(['aborting', 'aborting']);
    run.end('aborted');
    expect(await handle.result()).toBe(await generation);
    expect(await generation).toMatchObject({ finishReason: 'abort', abortReason: 'enough' });
  });

  test('await using stops the engine', async () => {
    const { generation, run } = await running();
    const leaving = (async () => {
      await using handle = generation.handle();
      return handle.id;
    })();
    expect(await isSettled(leaving)).toBe(false);
    expect(run.aborts).toBe(1);
    run.end('aborted');
    await leaving;
    expect(generation.state).toBe('aborted');
  });
});
