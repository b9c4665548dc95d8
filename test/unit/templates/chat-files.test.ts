import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { readChatFacts, readTokenizerConfig } from '../../../lib/backends/chat-files.js';
import { codeOf } from '../../support/reading.js';

const code = 'RKLLM_TOKENIZER_INVALID';
const directory = mkdtempSync(path.join(tmpdir(), 'rkllm-chat-files-'));
afterAll(() => rmSync(directory, { recursive: true }));

/** What a tokenizer's configuration says. */
async function factsOf(config: object) {
  writeFileSync(path.join(directory, 'tokenizer_config.json'), JSON.stringify(config));
  return readChatFacts(directory, await readTokenizerConfig(directory, code), code);
}

test('a folder without files says nothing', async () => {
  expect(await readChatFacts(directory, await readTokenizerConfig(directory, code), code)).toEqual({
    ...{ chatTemplate: undefined, bosToken: undefined, eosToken: undefined },
  });
});

test.each([
  ['texts', '<s>', '</s>'],
  ['objects', { content: '<s>' }, { content: '</s>' }],
])('first and last token as %s', async (_, bos, eos) => {
  expect(await factsOf({ bos_token: bos, eos_token: eos })).toMatchObject({ bosToken: '<s>', eosToken: '</s>' });
});

test('special tokens: those that are added and special, and those that are listed', async () => {
  const { controlTokens } = await factsOf({
    added_tokens_decoder: {
      1: { content: '<s>', special: true },
      2: { content: '<think>', special: false },
      3: { content: '[INST]', special: true },
      4: { content: 'unsaid' },
    },
    additional_special_tokens: ['<extra>', { content: '<more>' }, '<s>', 5],
  });
  expect(controlTokens).toEqual(['<s>', '[INST]', '<extra>', '<more>']);
});

test.each([
  ['a template that is no text', { chat_template: 5 }],
  ['templates that are no objects', { chat_template: ['a'] }],
  ['tokens that are no objects', { added_tokens_decoder: { 1: 'a' } }],
  ['a token that is no text', { added_tokens_decoder: { 1: { content: 5, special: true } } }],
])('%s is an error', async (_, config) => {
  expect(await codeOf(() => factsOf(config))).toBe(code);
});
