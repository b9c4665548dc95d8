import fc from 'fast-check';
import { loadModel, type GenerateOptions, type Model } from 'rkllm';
import { validateJson } from '../../../dist/structured/validate.js';
import { scriptedModel } from '../../support/models.js';
import { failureOf } from '../../support/reading.js';
import { schemas } from '../../support/schemas.js';

const person = {
  type: 'object',
  properties: { name: { type: 'string' }, age: { type: 'integer', minimum: 0 } },
  required: ['name', 'age'],
  additionalProperties: false,
};
const format = (schema?: object): GenerateOptions => ({
  responseFormat: { type: 'json', ...(schema && { schema: schema as Record<string, unknown> }) },
});
const wild = { temperature: 1.5, topK: 1_000_000, topP: 1 };

describe('on a model that is held to the schema', () => {
  let model: Model;
  beforeAll(async () => (model = await loadModel()));
  afterAll(() => model.dispose());

  test('200 schemas, at a high temperature and with any limit: every answer is valid', async () => {
    const cases = fc.sample(fc.tuple(schemas, fc.integer({ min: 110, max: 140 })), { seed: 7, numRuns: 200 });
    for (const [seed, [schema, maxNewTokens]] of cases.entries()) {
      const options = { ...wild, ...format(schema), seed, maxNewTokens };
      options.responseFormat = { ...options.responseFormat, instruct: false };
      const { text, json, finishReason, usage } = await model.generate('Hi', options);
      expect(JSON.parse(text)).toEqual(json);
      expect(validateJson(schema, json)).toEqual([]);
      expect(['stop', 'length']).toContain(finishReason);
      expect(usage.outputTokens).toBeLessThanOrEqual(maxNewTokens);
    }
  }, 300_000);

  test('the same seed gives the same value, and the stream is the text', async () => {
    const options = { ...wild, ...format(person), seed: 3, maxNewTokens: 50 };
    const generation = model.generate('Who?', options);
    let streamed = '';
    for await (const text of generation.textStream) streamed += text;
    const { text, json } = await generation;
    expect(streamed).toBe(text);
    expect((await model.generate('Who?', options)).json).toEqual(json);
  });

  test('a limit that no value fits into is refused, one that the shortest does is kept', async () => {
    const short = { responseFormat: { type: 'json', schema: person, instruct: false } } as const;
    expect(await failureOf(() => model.generate('Who?', { ...short, maxNewTokens: 2 }))).toMatchObject({
      code: 'RKLLM_RESPONSE_INVALID',
      details: { limit: 2 },
    });
    const { json, finishReason } = await model.generate('Who?', { ...short, ...wild, maxNewTokens: 20 });
    expect(validateJson(person, json)).toEqual([]);
    expect(['stop', 'length']).toContain(finishReason);
  });

  test('without a schema it is an object; an aborted answer has no value', async () => {
    expect((await model.generate('Who?', { ...format(), ...wild, maxNewTokens: 30 })).json).toBeInstanceOf(Object);
    const generation = model.generate('Who?', {
      ...format({ type: 'array', minItems: 200, items: { type: 'integer' } }),
      maxNewTokens: 2000,
    });
    for await (const chunk of generation) if (chunk.type === 'text') break;
    expect(await generation).toMatchObject({ finishReason: 'abort', json: undefined });
    expect((await model.generate('Who?', { ...format({ const: 'x' }), maxNewTokens: 20 })).json).toBe('x');
  });

  test('in a conversation the schema is told and not kept', async () => {
    const chat = model.chat();
    const { json, text } = await chat.send('Who?', { ...format(person), maxNewTokens: 60 });
    expect(validateJson(person, json)).toEqual([]);
    expect(chat.messages).toEqual([
      { role: 'user', content: 'Who?' },
      { role: 'assistant', content: text },
    ]);
  });

  test('reasoning cannot come before it', () => {
    expect(() => model.generate('Who?', { ...format(person), reasoning: 'split' })).toThrow(/cannot think/u);
  });
});

describe('on a model that is not', () => {
  const valid = '{"name": "Ada", "age": 36}';

  test('what is around the JSON is left out, and the prompt has the schema', async () => {
    const prompts: string[] = [];
    const replies = [`Here it is:\n\`\`\`json\n${valid}\n\`\`\`\nBye.`];
    const model = await scriptedModel({ replies, onRun: (prompt) => prompts.push(prompt) });
    const { text, json } = await model.generate('Who?', format(person));
    expect(json).toEqual({ name: 'Ada', age: 36 });
    expect(text).toBe(valid);
    expect(prompts[0]).toContain(JSON.stringify(person));
    await model.dispose();
  });

  test('it is asked again with what is wrong, and all of it is counted', async () => {
    const prompts: string[] = [];
    const replies = ['{"name": "Ada"}', 'No.', valid];
    const model = await scriptedModel({ replies, onRun: (prompt) => prompts.push(prompt) });
    const generation = model.generate('Who?', format(person));
    const chunks = [];
    for await (const chunk of generation) chunks.push(chunk);
    expect(chunks.map(({ type }) => type)).toEqual(['text', 'finish']);
    const { json, usage, finishReason } = await generation;
    expect(json).toEqual({ name: 'Ada', age: 36 });
    expect(finishReason).toBe('stop');
    expect(usage.outputTokens).toBe(2 + 1 + 4);
    expect(prompts).toHaveLength(3);
    expect(prompts[1]).toContain('{"name": "Ada"}');
    expect(prompts[1]).toContain('age');
    await model.dispose();
  });

  test('it is given up with the answer and its problems', async () => {
    const prompts: string[] = [];
    const model = await scriptedModel({ reply: '{"name": "Ada"}', onRun: (prompt) => prompts.push(prompt) });
    const asked = { responseFormat: { type: 'json', schema: person, maxRepairs: 1 } } as const;
    const generation = model.generate('Who?', asked);
    expect(await failureOf(() => generation)).toMatchObject({
      code: 'RKLLM_RESPONSE_INVALID',
      details: { text: '{"name": "Ada"}', attempts: 2, problems: [expect.stringContaining('age') as string] },
    });
    expect(generation.state).toBe('failed');
    expect(prompts).toHaveLength(2);
    // Neither a prompt nor what the limit has cut is asked again.
    await failureOf(() => model.generate({ prompt: 'Who?' }, asked));
    await failureOf(() => model.generate('Who?', { ...asked, maxNewTokens: 1 }));
    expect(prompts).toHaveLength(4);
    await model.dispose();
  });

  test('a conversation keeps the last answer only', async () => {
    const model = await scriptedModel({ replies: ['No.', valid] });
    const chat = model.chat();
    await chat.send('Who?', format(person));
    expect(chat.messages.map(({ content }) => content)).toEqual(['Who?', valid]);
    const failing = await scriptedModel({ reply: 'No.' });
    const other = failing.chat();
    await failureOf(() => other.send('Who?', format(person)));
    expect(other.messages).toEqual([]);
    await Promise.all([model.dispose(), failing.dispose()]);
  });

  test('what was asked again does not count as length of the conversation', async () => {
    const estimateAfter = async (replies: readonly string[], options: GenerateOptions): Promise<number> => {
      const model = await scriptedModel({ replies, capabilities: { countsTokens: false } });
      const chat = model.chat();
      await chat.send('Who was the first of all programmers?', options);
      const { promptTokens } = await chat.contextUsage();
      await model.dispose();
      return promptTokens;
    };
    const once = await estimateAfter([valid], format(person));
    expect(await estimateAfter(['No.', 'No.', valid], format(person))).toBe(once);
    expect(once).toBeLessThan(3 * (await estimateAfter([valid], {})));
  });

  test('it can be stopped in any of its answers', async () => {
    const model = await scriptedModel({ reply: 'No no no no.', prefillMs: 5, tokenMs: 5 });
    const controller = new AbortController();
    const signalled = model.generate('Who?', { ...format(person), signal: controller.signal });
    controller.abort(new Error('enough'));
    expect(await failureOf(() => signalled)).toMatchObject({ message: 'enough' });
    expect(signalled.state).toBe('aborted');
    const generation = model.generate('Who?', format(person));
    generation.abort('enough');
    expect(await generation).toMatchObject({ finishReason: 'abort', abortReason: 'enough', json: undefined });
    expect(generation.state).toBe('aborted');
    await model.dispose();
  });
});

describe('what cannot be asked for', () => {
  const tools = [{ name: 'clock', run: () => '12:04' }];
  const excluded: readonly (readonly [string, GenerateOptions, string])[] = [
    ['tools', { tools }, 'tools and responseFormat'],
    ['no tools, in a list', { tools: [] }, 'tools and responseFormat'],
    ["toolCalls: 'parse'", { toolCalls: 'parse' }, "toolCalls: 'parse' and responseFormat"],
    ['both', { tools, toolCalls: 'parse' }, 'tools and responseFormat'],
  ];
  test.each(excluded)('%s beside a format, before the engine is touched', async (_, options, words) => {
    const prompts: string[] = [];
    for (const constrainedJson of [true, false]) {
      const model = await scriptedModel({ capabilities: { constrainedJson }, onRun: (prompt) => prompts.push(prompt) });
      const chat = model.chat();
      const asked = { ...format(), ...options };
      for (const ask of [() => model.generate('Hi', asked), () => chat.send('Hi', asked)]) {
        expect(await failureOf(ask)).toMatchObject({
          code: 'RKLLM_INVALID_OPTION',
          message: expect.stringContaining(words) as string,
          details: { option: 'responseFormat' },
        });
      }
      expect(await failureOf(() => chat.run('Hi', { ...format(), tools }))).toMatchObject({
        code: 'RKLLM_INVALID_OPTION',
      });
      expect(await chat.send('Hi')).toMatchObject({ finishReason: 'stop' }); // the refused ones have left nothing behind
      await model.dispose();
    }
    expect(prompts).toHaveLength(2);
  });

  const refused: readonly (readonly [string, object, string])[] = [
    ['a pattern', { type: 'string', pattern: 'a+' }, 'pattern'],
    ['a keyword deep inside', { type: 'array', items: { type: 'string', format: 'email' } }, 'format'],
    ['a misspelt keyword', { type: 'object', propertys: {} }, 'propertys'],
    ['a keyword beside a reference', { $defs: { a: {} }, $ref: '#/$defs/a', minLength: 1 }, 'minLength'],
    ['a reference to nothing', { $ref: '#/$defs/a' }, '$ref'],
    ['a reference to elsewhere', { $ref: 'https://example.com/schema' }, '$ref'],
    ['alternatives that overlap', { oneOf: [{ type: 'integer' }, { type: 'number' }] }, 'oneOf'],
    ['several at once', { allOf: [{ type: 'object' }, { type: 'object' }] }, 'allOf'],
  ];
  test.each(refused)('%s', async (_, schema, keyword) => {
    const model = await scriptedModel();
    expect(await failureOf(() => model.generate('Hi', format(schema)))).toMatchObject({
      code: 'RKLLM_INVALID_OPTION',
      details: { option: 'responseFormat', keyword },
    });
    await model.dispose();
  });

  test('schemas without a value, and options that would cut one', async () => {
    const model = await scriptedModel();
    const endless = { type: 'object', properties: { a: { $ref: '#' } }, required: ['a'] };
    for (const schema of [endless, { type: 'integer', minimum: 2, maximum: 1 }, { $ref: '#' }]) {
      expect(() => model.generate('Hi', format(schema))).toThrow(/no value/u);
    }
    expect(() => model.generate('Hi', { ...format(), stop: ['x'] })).toThrow(/stop/u);
    expect(() => model.generate('Hi', { responseFormat: {} })).toThrow(/type/u);
    const alternatives = [
      { type: 'object', properties: { kind: { const: 'a' } }, required: ['kind'] },
      { type: 'object', properties: { kind: { const: 'b' } }, required: ['kind'] },
      { type: 'string' },
    ];
    expect(() => model.generate('Hi', format({ oneOf: alternatives })).abort()).not.toThrow();
    await model.dispose();
  });
});
