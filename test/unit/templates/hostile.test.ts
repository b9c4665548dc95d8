import { readFileSync } from 'node:fs';
import path from 'node:path';
import fc from 'fast-check';
import { Tokenizer } from '../../../lib/backends/onnx/huggingface.js';
import type { ChatMessage } from '../../../lib/chat/message.js';
import { templateOf, type Family } from '../../../lib/chat/templates/family.js';
import { JinjaTemplate } from '../../../lib/chat/templates/jinja.js';
import { root } from '../../support/run-node.js';
import { assistant, countControls, everyFamily, everyMarker, system, user } from './conversations.js';

/** What somebody writes who wants to end a turn: markers, whole, broken, nested and beside each other. */
const hostileText = fc
  .array(
    fc.oneof(
      fc.constantFrom(...everyMarker),
      fc.constantFrom(...everyMarker).chain((marker) => fc.nat(marker.length).map((cut) => marker.slice(0, cut))),
      fc.constantFrom(...everyMarker).chain((marker) => fc.nat(marker.length).map((cut) => marker.slice(cut))),
      fc.constantFrom(' ', '\n', '<', '>', '|', '｜', 'a', '< |end| >', '<|a b|>'),
      fc.string({ maxLength: 4 }),
    ),
    { maxLength: 8 },
  )
  .map((parts) => parts.join(''));

/** Who speaks, as every family takes it, and what is said. */
const conversation = fc.record({ told: fc.boolean(), texts: fc.array(hostileText, { minLength: 1, maxLength: 5 }) });

function messagesOf(told: boolean, texts: readonly string[]): ChatMessage[] {
  const [first = '', ...others] = texts;
  const turns = (told ? others : texts).map((text, index) => (index % 2 === 0 ? user(text) : assistant(text)));
  return told ? [system(first), ...turns, ...(turns.length === 0 ? [user('x')] : [])] : turns;
}

/** Texts that are as empty or as full, and harmless. */
const harmless = (texts: readonly string[]): string[] => texts.map((text) => (text === '' ? '' : 'x'));

describe.each(everyFamily)('%s', (_, family) => {
  const template = templateOf(family);

  test.each(everyMarker)('%s typed by a user is text', (marker) => {
    const count = (content: string): number => countControls(family, template.render([user(content)]));
    expect(count(`a${marker}b`)).toBe(count('axb'));
    expect(count(marker.repeat(2))).toBe(count('xx'));
  });

  test('no text adds a control token', () => {
    fc.assert(
      fc.property(conversation, ({ told, texts }) => {
        const count = (contents: readonly string[]): number =>
          countControls(family, template.render(messagesOf(told, contents)));
        expect(count(texts)).toBe(count(harmless(texts)));
      }),
    );
  });
});

const jinja = [
  "{{ bos_token }}{% for m in messages %}{{ '<|im_start|>' + m['role'] + '\\n' + m['content'] + '<|im_end|>\\n' }}{% endfor %}",
  "{% if add_generation_prompt %}{{ '<|im_start|>assistant\\n' }}{% endif %}",
].join('');
const brackets = [
  "{{ bos_token }}{% for m in messages %}{% if m['role'] == 'assistant' %}{{ m['content'] + eos_token }}{% else %}",
  "{{ '[INST] ' + m['content'] + ' [/INST]' }}{% endif %}{% endfor %}",
].join('');

test.each([
  ['with markers of the usual form', jinja, ['<s>', '</s>', '<|im_start|>', '<|im_end|>']],
  ['with others', brackets, ['<s>', '</s>', '[INST]', '[/INST]', '<<SYS>>']],
])('no text adds a control token to a Jinja template %s', (_, source, controlTokens) => {
  const given = { bosToken: '<s>', eosToken: '</s>', controlTokens, addsBos: false };
  const template = new JinjaTemplate({ source, origin: 'test', ...given });
  const count = (messages: readonly ChatMessage[]): number => {
    const prompt = template.render(messages);
    return controlTokens.reduce((sum, token) => sum + prompt.split(token).length - 1, 0);
  };
  const text = fc
    .array(fc.oneof(hostileText, fc.constantFrom(...controlTokens)), { maxLength: 5 })
    .map((all) => all.join(''));
  fc.assert(
    fc.property(fc.array(text, { minLength: 1, maxLength: 4 }), (texts) => {
      expect(count(messagesOf(false, texts))).toBe(count(messagesOf(false, harmless(texts))));
    }),
    { numRuns: 50 },
  );
});

describe('what a tokenizer makes of them', () => {
  const directory = path.join(root, 'models', 'tiny-phi3');
  const read = (name: string): Record<string, unknown> =>
    JSON.parse(readFileSync(path.join(directory, name), 'utf8')) as Record<string, unknown>;

  /** The embedded model's, with the family's control tokens in place of its own. */
  function tokenizerOf(family: Family): { count: (prompt: string) => number } {
    const firstId = 10_000;
    const flags = { single_word: false, lstrip: false, rstrip: true, normalized: false, special: true };
    const contents = everyMarker.filter((marker) => countControls(family, marker) > 0);
    const added = contents.map((content, index) => ({ id: firstId + index, content, ...flags }));
    const tokenizer = new Tokenizer({ ...read('tokenizer.json'), added_tokens: added }, read('tokenizer_config.json'));
    const idsOf = (prompt: string): readonly number[] => tokenizer.encode(prompt, { add_special_tokens: false }).ids;
    return { count: (prompt) => idsOf(prompt).filter((id) => id >= firstId).length };
  }

  test.each(everyFamily)('%s: no control token', (_, family) => {
    const template = templateOf(family);
    const tokenizer = tokenizerOf(family);
    const count = (text: string): number => tokenizer.count(template.render([user(text)]));
    const expected = count('x');
    expect(expected).toBeGreaterThan(1);
    fc.assert(
      fc.property(hostileText, (text) => {
        expect(count(text)).toBe(expected);
      }),
    );
  });
});
