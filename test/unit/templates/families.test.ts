import { familyNames, type FamilyName } from '../../../lib/chat/templates/choice.js';
import { families } from '../../../lib/chat/templates/families.js';
import { templateOf } from '../../../lib/chat/templates/family.js';
import { failureOf } from '../../support/reading.js';
import { assistant, everyFamily, named, render, system, user } from './conversations.js';

const told = [system('S'), user('a'), assistant('b'), user('c')] as const;
const dates = 'Cutting Knowledge Date: December 2023\nToday Date: 26 Jul 2024\n\n';
const head = (role: string): string => `<|start_header_id|>${role}<|end_header_id|>\n\n`;
const chatmlTurns =
  '<|im_start|>user\na<|im_end|>\n<|im_start|>assistant\nb<|im_end|>\n<|im_start|>user\nc<|im_end|>\n';
const chatml = `<|im_start|>system\nS<|im_end|>\n${chatmlTurns}<|im_start|>assistant\n`;
const llamaTurns = `${head('user')}a<|eot_id|>${head('assistant')}b<|eot_id|>${head('user')}c<|eot_id|>${head('assistant')}`;

/** A conversation with a system message, and one without. */
const golden: Record<FamilyName, readonly [string, string]> = {
  phi3: [
    '<|system|>\nS<|end|>\n<|user|>\na<|end|>\n<|assistant|>\nb<|end|>\n<|user|>\nc<|end|>\n<|assistant|>\n',
    '<|user|>\na<|end|>\n<|assistant|>\n',
  ],
  chatml: [chatml, '<|im_start|>user\na<|im_end|>\n<|im_start|>assistant\n'],
  qwen2: [
    chatml,
    '<|im_start|>system\nYou are a helpful assistant.<|im_end|>\n<|im_start|>user\na<|im_end|>\n<|im_start|>assistant\n',
  ],
  'qwen2.5': [
    chatml,
    '<|im_start|>system\nYou are Qwen, created by Alibaba Cloud. You are a helpful assistant.<|im_end|>\n' +
      '<|im_start|>user\na<|im_end|>\n<|im_start|>assistant\n',
  ],
  qwen3: [chatml, '<|im_start|>user\na<|im_end|>\n<|im_start|>assistant\n'],
  llama3: [
    `<|begin_of_text|>${head('system')}S<|eot_id|>${llamaTurns}`,
    `<|begin_of_text|>${head('user')}a<|eot_id|>${head('assistant')}`,
  ],
  'llama3.1': [
    `<|begin_of_text|>${head('system')}${dates}S<|eot_id|>${llamaTurns}`,
    `<|begin_of_text|>${head('system')}${dates}<|eot_id|>${head('user')}a<|eot_id|>${head('assistant')}`,
  ],
  gemma: [
    '<bos><start_of_turn>user\nS\n\na<end_of_turn>\n<start_of_turn>model\nb<end_of_turn>\n' +
      '<start_of_turn>user\nc<end_of_turn>\n<start_of_turn>model\n',
    '<bos><start_of_turn>user\na<end_of_turn>\n<start_of_turn>model\n',
  ],
  deepseek: [
    '<｜begin▁of▁sentence｜>S<｜User｜>a<｜Assistant｜>b<｜end▁of▁sentence｜><｜User｜>c<｜Assistant｜><think>\n',
    '<｜begin▁of▁sentence｜><｜User｜>a<｜Assistant｜><think>\n',
  ],
  minicpm: ['<s>S<用户>a<AI>b<用户>c<AI>', '<s><用户>a<AI>'],
  internlm2: [`<s>${chatml}`, '<s><|im_start|>user\na<|im_end|>\n<|im_start|>assistant\n'],
  zephyr: [
    '<|system|>\nS</s>\n<|user|>\na</s>\n<|assistant|>\nb</s>\n<|user|>\nc</s>\n<|assistant|>\n',
    '<|user|>\na</s>\n<|assistant|>\n',
  ],
};

test('every name that can be chosen is a template', () => {
  expect(families.map(({ name }) => name)).toEqual(familyNames);
});

describe.each(familyNames)('%s', (name) => {
  const template = templateOf(named(name));

  test('writes the prompt that its models know', () => {
    expect([template.render(told), template.render([user('a')])]).toEqual(golden[name]);
  });

  test('leaves the first token to an engine that puts it there itself', () => {
    const { bos = '' } = named(name);
    expect(bos + templateOf(named(name), true).render(told)).toBe(template.render(told));
  });

  test('an answer ends at its end of a turn, or where another begins', () => {
    expect(template.endMarkers).toContain(named(name).turnEnd);
    const [first = ''] = /<[^\s<>]+>/u.exec(template.render([user('a')]).replace(named(name).bos ?? '', '')) ?? [];
    expect(template.endMarkers).toContain(first);
  });

  // What trims answers or leaves out reasoning keeps the prompt up to the answer.
  test('a longer conversation begins with the shorter one and its answer', () => {
    const asked = template.render(told);
    const cut = name === 'deepseek' ? asked.replace(/<think>\n$/u, '') : asked;
    expect(template.render([...told, assistant('d'), user('e')]).startsWith(`${cut}d`)).toBe(true);
  });
});

test.each(['llama3', 'llama3.1', 'gemma', 'minicpm'] as const)('%s trims messages', (name) => {
  expect(render(name, user('\n a '), assistant(' b\n'), user(' c '))).toBe(
    render(name, user('a'), assistant('b'), user('c')),
  );
});

test.each(['gemma', 'minicpm'] as const)('%s refuses messages out of turn', async (name) => {
  for (const messages of [[user('a'), user('b')], [assistant('a')], [user('a'), system('b'), user('c')]]) {
    const failure = await failureOf(() => render(name, ...messages));
    expect(failure).toMatchObject({ code: 'RKLLM_TEMPLATE_FAILED', details: { template: name } });
  }
});

test.each(['qwen3', 'deepseek'] as const)('%s is not shown again what it thought', (name) => {
  const answer = assistant('<think>\nlong\n</think>\n\nb');
  expect(render(name, user('a'), answer, user('c'))).not.toMatch(/long|<\/think>/u);
});

test('qwen3 is given an empty reasoning where it must not think', () => {
  const template = templateOf(named('qwen3'));
  const asked = template.render([user('a')]);
  expect(template.render([user('a')], { thinking: true })).toBe(asked);
  expect(template.render([user('a')], { thinking: false })).toBe(`${asked}<think>\n\n</think>\n\n`);
  expect(everyFamily.filter(([, { switchesThinking }]) => switchesThinking).map(([name]) => name)).toEqual(['qwen3']);
});
