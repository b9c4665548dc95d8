import { defineTool, type StandardSchema, type ToolDefinition } from 'rkllm';
import { scriptedModel } from '../../support/models.js';
import { failureOf } from '../../support/reading.js';

const parameters = { type: 'object', properties: { city: { type: 'string' } }, required: ['city'] };

/** A schema as a validation library makes it. */
function standard(jsonSchema?: object): StandardSchema<unknown, { readonly city: string }> {
  const validate = (value: unknown) => ({ value: { city: String((value as { city: unknown }).city).toUpperCase() } });
  const convert = jsonSchema && { jsonSchema: { input: () => ({ ...jsonSchema }) } };
  return { '~standard': { version: 1, vendor: 'test', validate, ...convert } };
}

test.each<[string, unknown, string]>([
  ['no list', {}, 'a list of tools'],
  ['no object', ['weather'], 'tool 0 is the string'],
  ['a hole', new Array(1), 'tool 0 is undefined'],
  ['no name', [{ parameters }], 'the name of tool 0'],
  ['a name with spaces', [{ name: 'the weather' }], 'the name of tool 0'],
  ['the same name twice', [{ name: 'a' }, { name: 'a' }], "two tools are named 'a'"],
  ['a key that no tool has', [{ name: 'a', execute: () => 1 }], "'execute'"],
  ['a schema that is none', [{ name: 'a', parameters: 'object' }], 'the parameters of a'],
  ['a schema that refers to nothing', [{ name: 'a', parameters: { $ref: '#/$defs/b' } }], 'cannot be used'],
  ...[
    { $ref: '#/$defs/b' },
    { $ref: '#/properties/city' },
    { type: 'string', pattern: '(' },
    { type: 'array', items: { type: 'object', patternProperties: { '(': {} } } },
    { anyOf: [{ type: 'string' }, { type: 'object', required: true }] },
  ].map((city): [string, unknown, string] => [
    `a property that is ${JSON.stringify(city)}`,
    [{ name: 'a', parameters: { type: 'object', properties: { city } } }],
    'the JSON Schema of a cannot be used',
  ]),
  ['a Standard Schema without a JSON Schema', [{ name: 'a', parameters: standard() }], 'jsonSchema'],
  ['a description that is no text', [{ name: 'a', description: 1 }], 'the description of a'],
  ['a function that is none', [{ name: 'a', run: 'b' }], 'run of a'],
])('tools with %s are refused', async (_, tools, found) => {
  const model = await scriptedModel({});
  const failure = await failureOf(() => model.generate('Hi', { tools: tools as ToolDefinition[] }));
  expect(failure).toMatchObject({ code: 'RKLLM_INVALID_OPTION', message: expect.stringContaining(found) as string });
  expect(await failureOf(() => model.chat().send('Hi', { tools: tools as ToolDefinition[] }))).toMatchObject({
    code: 'RKLLM_INVALID_OPTION',
  });
});

test.each([
  ['that tells its JSON Schema', { parameters: standard(parameters) }],
  ['with a JSON Schema beside it', { parameters: standard(), jsonSchema: parameters }],
])('a Standard Schema %s is shown to the model, and calls are compared with that', async (_, schema) => {
  const prompts: string[] = [];
  const reply =
    '<tool_call>{"name": "weather", "arguments": {"city": "Graz"}}</tool_call>' +
    '<tool_call>{"name": "weather", "arguments": {}}</tool_call>';
  const model = await scriptedModel({ reply, onRun: (prompt) => prompts.push(prompt) });
  const tool = defineTool({ name: 'weather', ...schema, run: ({ city }) => city });
  const { toolCalls, text, finishReason } = await model.generate('Hi', { tools: [tool] });
  expect(prompts[0]).toContain('"properties": {"city": {"type": "string"}}');
  expect(toolCalls.map(({ problems }) => problems?.length ?? 0)).toEqual([0, 1]);
  expect([text, finishReason]).toEqual(['', 'tool-calls']);
});

test('what stands in annotations is no schema', async () => {
  const model = await scriptedModel({});
  const city = { type: 'string', example: { required: true, $ref: '#/none' }, examples: [{ pattern: '(' }] };
  const tools = [{ name: 'a', parameters: { ...parameters, properties: { city } } }];
  expect((await model.generate('Hi', { tools })).finishReason).toBe('stop');
});

test('a prompt that is used as it is has no place for tools', async () => {
  const model = await scriptedModel({});
  const failure = await failureOf(() => model.generate({ prompt: 'Hi' }, { tools: [{ name: 'a' }] }));
  expect(failure).toMatchObject({ code: 'RKLLM_UNSUPPORTED_OPTION' });
});

test('no tools at all change nothing', async () => {
  const prompts: string[] = [];
  const model = await scriptedModel({ onRun: (prompt) => prompts.push(prompt) });
  await model.generate('Hi', { tools: [] });
  await model.generate('Hi');
  expect(prompts[0]).toBe(prompts[1]);
});
