import type { BackendModel } from '../../../lib/backends/backend.js';
import { Tokenizer } from '../../../lib/backends/onnx/huggingface.js';
import { writeGenaiModel, type WrittenModel } from '../../../tools/onnx/write-genai-model.js';
import { editJson, firstToken, Fixtures, generate, readAll, runRequest } from './helpers.js';

const fixtures = new Fixtures();
afterAll(() => fixtures.cleanUp());

/** Big enough to outgrow its buffers again and again. */
const contextLength = 1200;
let written: WrittenModel;
let model: BackendModel;

beforeAll(async () => {
  written = writeGenaiModel(fixtures.directory('random'), { contextLength, seed: 11 });
  model = await fixtures.load(written.directory);
});

/** Text tokens of the tiny tokenizer, from its characters and merges. */
function prompt(length: number, salt = 0): number[] {
  return Array.from({ length }, (_, i) => 260 + ((i * 37 + salt * 11) % 100));
}

/** What a model that has computed nothing before answers. */
async function fresh(tokens: readonly number[], maxNewTokens: number): Promise<number[]> {
  const other = await fixtures.load(written.directory);
  return (await generate(other, tokens, { maxNewTokens })).tokens;
}

describe('the KV cache', () => {
  it('gives the same tokens as computing everything at once', async () => {
    const { tokens } = await generate(model, prompt(20), { maxNewTokens: 12 });
    const whole = await fixtures.load(written.directory, { prefillChunk: contextLength });
    for (let i = 0; i < tokens.length; i++) {
      // Another first token: nothing of this is cached, so the whole text is one run of the graph.
      await generate(whole, [300 + i], { maxNewTokens: 1 });
      const next = await generate(whole, [...prompt(20), ...tokens.slice(0, i)], { maxNewTokens: 1 });
      expect(next.end.cachedPromptTokens).toBe(0);
      expect(next.tokens[0]).toBe(tokens[i]);
    }
  });

  it.each([1, 7, 64, 1000])(
    'gives the same tokens when the prompt is computed in chunks of %i',
    async (prefillChunk) => {
      const chunked = await fixtures.load(written.directory, { prefillChunk });
      expect((await generate(chunked, prompt(150), { maxNewTokens: 30 })).tokens).toEqual(await fresh(prompt(150), 30));
    },
  );

  it('reuses the common beginning, exactly, and answers as if it had not', async () => {
    const reuse = await fixtures.load(written.directory);
    const turns: readonly (readonly [number[], number])[] = [
      [prompt(50), 0],
      [prompt(50), 49], // one token is computed for its logits
      [[...prompt(30), ...prompt(40, 1)], 30],
      [prompt(10), 10 - 1],
      [prompt(90, 2), 0],
      // Much longer, then much shorter: the buffers grow, and give back what they had.
      [prompt(700, 2), 90],
      [[...prompt(40, 2), ...prompt(20, 3)], 40],
      [prompt(300, 2), 40],
    ];
    for (const [tokens, cached] of turns) {
      const answer = await generate(reuse, tokens, { maxNewTokens: 15 });
      expect(answer.end).toMatchObject({ promptTokens: tokens.length, cachedPromptTokens: cached });
      expect(answer.tokens).toEqual(await fresh(tokens, 15));
    }
  });

  it('reuses an answer as part of the next prompt, but for its last token', async () => {
    const chat = await fixtures.load(written.directory);
    const first = await generate(chat, prompt(40), { maxNewTokens: 10 });
    const second = [...prompt(40), ...first.tokens, ...prompt(5, 3)];
    const answer = await generate(chat, second, { maxNewTokens: 10 });
    expect(answer.end.cachedPromptTokens).toBe(40 + 10 - 1);
    expect(answer.tokens).toEqual(await fresh(second, 10));
  });

  it('grows without changing anything', async () => {
    const long = await fixtures.load(written.directory);
    const answer = await generate(long, prompt(250), { maxNewTokens: 700 });
    const tokens = [...prompt(250), ...answer.tokens.slice(0, 690)];
    expect((await generate(long, tokens, { maxNewTokens: 10 })).tokens).toEqual(answer.tokens.slice(690));
    expect(await fresh(tokens, 10)).toEqual(answer.tokens.slice(690));
  });
});

describe('the end of a run', () => {
  it.each([1, 2, 33])('comes after exactly %i tokens when that is the limit', async (maxNewTokens) => {
    const answer = await generate(model, prompt(10), { maxNewTokens });
    expect(answer.tokens).toHaveLength(maxNewTokens);
    expect(answer.end.reason).toBe('length');
  });

  it('comes with the end of the context, exactly', async () => {
    const short = await fixtures.load(written.directory, { maxContextLength: 100 });
    const answer = await generate(short, prompt(60));
    expect(answer.tokens).toHaveLength(40);
    expect(answer.end.reason).toBe('length');
    expect((await generate(short, prompt(60, 1), { maxNewTokens: 41 })).tokens).toHaveLength(40);
  });

  it.each([
    ['a number', (id: number) => id],
    ['an array', (id: number) => [1, id]],
  ])('comes with an eos token, which is not part of the answer: %s', async (_, shape) => {
    const { tokens } = await generate(model, prompt(25), { maxNewTokens: 40 });
    const eos = tokens.find((id, i) => i > 4 && tokens.indexOf(id) === i) ?? -1;
    const other = writeGenaiModel(fixtures.directory(), { contextLength, seed: 11, eosTokenIds: shape(eos) });
    const answer = await generate(await fixtures.load(other.directory), prompt(25));
    expect(answer.end.reason).toBe('eos');
    expect(answer.tokens).toEqual(tokens.slice(0, tokens.indexOf(eos)));
  });

  it('may come before the first token', async () => {
    const [eos] = (await generate(model, prompt(5), { maxNewTokens: 1 })).tokens;
    const other = writeGenaiModel(fixtures.directory(), { contextLength, seed: 11, eosTokenIds: [eos ?? -1] });
    const answer = await generate(await fixtures.load(other.directory), prompt(5));
    expect(answer).toMatchObject({ tokens: [], text: '', end: { reason: 'eos', promptTokens: 5 } });
  });

  it.each(['<|im_end|>', '<|eot_id|>', '<end_of_turn>', '<｜end▁of▁sentence｜>'])(
    'comes with %s, also where no configuration names it',
    async (content) => {
      const [id] = (await generate(model, prompt(5), { maxNewTokens: 1 })).tokens;
      const other = writeGenaiModel(fixtures.directory(), { contextLength, seed: 11 });
      editJson(other.directory, 'tokenizer.json', (json) => ({
        ...json,
        added_tokens: [...(json['added_tokens'] as object[]), { id, content, special: true }],
      }));
      const answer = await generate(await fixtures.load(other.directory), prompt(5));
      expect(answer).toMatchObject({ tokens: [], end: { reason: 'eos' } });
    },
  );

  it('says how long it took and how much memory there was', async () => {
    const { end } = await generate(model, prompt(100, 5), { maxNewTokens: 20 });
    for (const value of [end.prefillMs, end.decodeMs, end.peakMemoryMb]) expect(value).toBeGreaterThan(0);
  });
});

describe('an abort', () => {
  it('ends a run that decodes, and the next run is as if nothing had been', async () => {
    const run = model.start(runRequest(prompt(30, 7)));
    await firstToken(run);
    run.abort();
    run.abort();
    const { end, tokens } = await readAll(run);
    expect(end.reason).toBe('aborted');
    expect(tokens.length).toBeLessThan(contextLength - 31);
    run.abort();
    expect((await generate(model, prompt(30, 7), { maxNewTokens: 20 })).tokens).toEqual(await fresh(prompt(30, 7), 20));
  });

  it('ends a run that computes its prompt, and what was computed is reused', async () => {
    const slow = await fixtures.load(written.directory, { prefillChunk: 1 });
    const run = slow.start(runRequest(prompt(1000, 8)));
    run.abort();
    const { end, tokens } = await readAll(run);
    expect(end).toMatchObject({ reason: 'aborted', promptTokens: 1000, prefillMs: undefined });
    expect(tokens).toEqual([]);
    const again = await generate(slow, prompt(1000, 8), { maxNewTokens: 5 });
    expect(again.end.cachedPromptTokens).toBeLessThan(999);
    expect(again.tokens).toEqual(await fresh(prompt(1000, 8), 5));
  });

  it('does not reach the next run', async () => {
    for (let i = 0; i < 20; i++) {
      const run = model.start(runRequest(prompt(3, i)));
      run.abort();
      await run.ended;
      expect((await generate(model, prompt(3), { maxNewTokens: 3 })).tokens).toHaveLength(3);
    }
  });
});

describe('sampling', () => {
  const sampling = { temperature: 1, topK: 50, topP: 0.95 };

  it('is repeatable with a seed, whatever was computed before, and varies without', async () => {
    const once = async (seed?: number): Promise<number[]> => {
      const options = seed === undefined ? sampling : { ...sampling, seed };
      return (await generate(model, prompt(12), { maxNewTokens: 30, sampling: options })).tokens;
    };
    const first = await once(5);
    expect(await once(6)).not.toEqual(first);
    await generate(model, prompt(40, 4), { maxNewTokens: 3 });
    expect(await once(5)).toEqual(first);
    expect(await once()).not.toEqual(await once());
  });

  it('takes the defaults of the load and the search section of the model', async () => {
    const greedy = (await generate(model, prompt(12), { maxNewTokens: 30 })).tokens;
    const seeded = await fixtures.load(written.directory, { sampling: { ...sampling, seed: 5 } });
    const expected = (await generate(model, prompt(12), { maxNewTokens: 30, sampling: { ...sampling, seed: 5 } }))
      .tokens;
    expect((await generate(seeded, prompt(12), { maxNewTokens: 30 })).tokens).toEqual(expected);
    expect((await generate(seeded, prompt(12), { maxNewTokens: 30, sampling: { temperature: 0 } })).tokens).toEqual(
      greedy,
    );
    const search = { do_sample: true, temperature: 1, top_k: 50, top_p: 0.95 };
    const searching = await fixtures.load(
      writeGenaiModel(fixtures.directory(), { contextLength, seed: 11, search }).directory,
    );
    expect((await generate(searching, prompt(12), { maxNewTokens: 30, sampling: { seed: 5 } })).tokens).toEqual(
      expected,
    );
  });

  it('penalizes repetition', async () => {
    const { tokens } = await generate(model, prompt(12), {
      maxNewTokens: 100,
      sampling: { frequencyPenalty: 2, presencePenalty: 2 },
    });
    const plain = (await generate(model, prompt(12), { maxNewTokens: 100 })).tokens;
    expect(new Set(tokens).size).toBeGreaterThan(new Set(plain).size);
  });
});

describe('a text prompt', () => {
  it('turns control tokens into control tokens, and counts them', async () => {
    const text = '<|user|>\nhello<|end|>\n<|assistant|>\n';
    const { end } = await generate(model, text, { maxNewTokens: 1 });
    // <|user|> ▁ hello <|end|> <|assistant|>; the control tokens swallow the line breaks.
    expect(end.promptTokens).toBe(5);
  });

  it('that the answer continues loses no space', async () => {
    // Token by token, whatever comes next: the text of the answer is that of the prompt and the answer, less the prompt's.
    const { tokenizer } = written;
    const reference = new Tokenizer(tokenizer.tokenizer, tokenizer.config);
    const text = 'hello and';
    const promptIds = reference.encode(text, { add_special_tokens: false }).ids;
    const found: string[] = [];
    const expected: string[] = [];
    for (let seed = 0; seed < 200; seed++) {
      const answer = await generate(model, text, { maxNewTokens: 2, sampling: { temperature: 5, topK: 400, seed } });
      const whole = reference.decode([...promptIds, ...answer.tokens], { skip_special_tokens: true });
      if (whole.includes('\uFFFD')) continue; // the two decode bytes that are no text in their own ways
      found.push(`${text}${answer.text}`);
      expected.push(whole);
    }
    expect(found).toEqual(expected);
    expect(found.some((value) => value.startsWith(`${text} `))).toBe(true);
  });

  it('far longer than the context is refused before it is taken apart', async () => {
    const startedAt = performance.now();
    await expect(generate(model, 'a b c '.repeat(1_000_000))).rejects.toMatchObject({
      code: 'RKLLM_CONTEXT_OVERFLOW',
      message: expect.stringMatching(/6000000 characters.*1200 tokens/) as string,
      details: { promptCharacters: 6_000_000, contextLength },
    });
    expect(performance.now() - startedAt).toBeLessThan(2000);
    expect((await generate(model, 'hello', { maxNewTokens: 1 })).tokens).toHaveLength(1);
  });

  it('gives the bytes of the tokens', async () => {
    const { tokens, text } = await generate(model, 'hello and the', {
      maxNewTokens: 60,
      sampling: { temperature: 1, seed: 1 },
    });
    expect(tokens).toHaveLength(60);
    expect(text.length).toBeGreaterThan(10);
  });
});
