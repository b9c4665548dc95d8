import type { Capabilities } from 'rkllm';
import { phi3Template } from '../../lib/chat/templates/phi3.js';
import { toRunInput, type Prompting } from '../../lib/prompt.js';
import { codeOf } from '../support/reading.js';

const capable: Capabilities = { perRequestSampling: true, seed: true, kvReuse: true, tokenInput: true, slots: 1 };

const library: Prompting = { by: 'library', template: phi3Template };
const nobody: Prompting = { by: 'nobody', lookedAt: 'it has no files, and its name speaks of nothing' };

function run(input: unknown, prompting = library, tokenInput = true) {
  return toRunInput(input, prompting, { ...capable, tokenInput });
}

test('a string is one user message in the template', () => {
  expect(run('Hi')).toEqual({ type: 'text', text: '<|user|>\nHi<|end|>\n<|assistant|>\n' });
  expect(run('Hi')).toEqual(run([{ role: 'user', content: 'Hi' }]));
});

test("with template 'none' a string goes as it is", () => {
  expect(run(' Hi ', { by: 'caller' })).toEqual({ type: 'text', text: ' Hi ' });
});

test('{ prompt } goes as it is, whatever the template, white space too', () => {
  expect(run({ prompt: '<|user|>' })).toEqual({ type: 'text', text: '<|user|>' });
  expect(run({ prompt: '\n' }, nobody)).toEqual({ type: 'text', text: '\n' });
});

test.each([[[1, 2, 0x7fffffff]], [Int32Array.of(1, 2, 0x7fffffff)]])(
  'token ids %p go as they are, as a copy',
  (tokenIds) => {
    const input = run({ tokenIds });
    tokenIds[0] = 99;
    expect(input).toEqual({ type: 'tokens', tokenIds: Int32Array.of(1, 2, 0x7fffffff) });
  },
);

test('later changes of the messages make no difference', () => {
  const messages = [{ role: 'user', content: 'Hi' }];
  const input = run(messages);
  messages.push({ role: 'user', content: 'more' });
  expect(input).toEqual(run('Hi'));
});

test.each([
  ['no message of the kind', undefined],
  ['null', null],
  ['a number', 5],
  ['a function', () => 'Hi'],
  ['an object of another kind', { text: 'Hi' }],
  ['a message out of its list', { role: 'user', content: 'Hi' }],
  ['a prompt that is no string', { prompt: 5 }],
  ['an option beside the prompt', { prompt: 'Hi', maxNewTokens: 5 }],
  ['a prompt and token ids', { prompt: 'Hi', tokenIds: [1] }],
  ['a list of strings', ['Hi']],
  ['a role that there is not', [{ role: 'tool', content: 'Hi' }]],
  ['a message without content', [{ role: 'user' }]],
  ['content that is no string', [{ role: 'user', content: ['Hi'] }]],
  ['a list with a hole', Object.assign(new Array<unknown>(2), { 1: { role: 'user', content: 'Hi' } })],
  ['a list with null', [null]],
  ['token ids that are a string', { tokenIds: '1 2' }],
  ['a negative token id', { tokenIds: [1, -1] }],
  ['a broken token id', { tokenIds: [1.5] }],
  ['a token id that is no number', { tokenIds: ['1'] }],
  ['a token id that is undefined', { tokenIds: [1, undefined] }],
  ['token ids with a hole', { tokenIds: new Array(3) }],
  ['NaN among the token ids', { tokenIds: [NaN] }],
  ['a token id too large', { tokenIds: [2 ** 31] }],
])('%s is refused as input', async (_, input) => {
  expect(await codeOf(() => run(input))).toBe('RKLLM_INVALID_INPUT');
});

test.each([
  ['an empty string', ''],
  ['white space', ' \n\t'],
  ['an empty raw prompt', { prompt: '' }],
  ['no token ids', { tokenIds: [] }],
  ['no messages', []],
  [
    'a last message that is empty',
    [
      { role: 'system', content: 'Be brief.' },
      { role: 'user', content: ' ' },
    ],
  ],
])('%s asks nothing', async (_, input) => {
  expect(await codeOf(() => run(input))).toBe('RKLLM_EMPTY_PROMPT');
});

test('an empty message in the middle is allowed: an answer may have been stopped before its first word', () => {
  const messages = ['a', '', 'b'].map((content, index) => ({ role: index === 1 ? 'assistant' : 'user', content }));
  expect(run(messages)).toMatchObject({
    text: expect.stringContaining('<|assistant|>\n<|end|>\n<|user|>\nb') as string,
  });
});

test.each(['Hi', [{ role: 'user', content: 'Hi' }]])('without a known template %j cannot be asked', async (input) => {
  expect(await codeOf(() => run(input, nobody))).toBe('RKLLM_TEMPLATE_UNKNOWN');
});

test('messages need a template, also where strings do not', async () => {
  expect(await codeOf(() => run([{ role: 'user', content: 'Hi' }], { by: 'caller' }))).toBe('RKLLM_TEMPLATE_UNKNOWN');
});

test('token ids are refused where the backend takes none', async () => {
  expect(await codeOf(() => run({ tokenIds: [1] }, library, false))).toBe('RKLLM_UNSUPPORTED_OPTION');
});
