import { loadModel, type GenerateInput } from 'rkllm';
import { scripted } from 'rkllm/testing';
import { families } from '../../../lib/chat/templates/families.js';
import { templateOf } from '../../../lib/chat/templates/family.js';
import { JinjaTemplate } from '../../../lib/chat/templates/jinja.js';
import { refuseApplied } from '../../../lib/chat/templates/refuse-applied.js';
import { codeOf, failureOf } from '../../support/reading.js';
import { assistant, everyFamily, render, system, user } from './conversations.js';

const gemma = new JinjaTemplate({
  source: "{% for m in messages %}{{ '<turn|' + m.role + '>' + m.content + '<end|>' }}{% endfor %}<turn|model>",
  ...{ origin: 'test', bosToken: undefined, eosToken: undefined, controlTokens: [], addsBos: false },
});

describe.each(everyFamily)('a prompt of %s', (name, family) => {
  const template = templateOf(family);

  test.each([
    ['of one message', template.render([user('a')])],
    ['with white space around it', `\n ${template.render([user('a')])}\n\n`],
    ['without its line breaks', template.render([user('a')]).replaceAll('\n', '')],
    ['with more turns', template.render([system('S'), user('a'), assistant('b'), user('c')])],
    ['without its first token', templateOf(family, true).render([user('a')])],
    ['with an empty reasoning', `${template.render([user('a')])}<think>\n\n</think>\n\n`],
  ])('is not put into a template again: %s', async (_, prompt) => {
    for (const around of [template, gemma, undefined]) {
      expect(await codeOf(() => refuseApplied(prompt, around))).toBe('RKLLM_TEMPLATE_TWICE');
    }
  });

  test('may be spoken of', () => {
    const prompt = template.render([user('a')]);
    for (const text of [
      `What is ${prompt}?`,
      `${prompt} What is this?`,
      family.turnEnd,
      prompt.slice(0, -12),
      'a',
      '',
    ]) {
      expect(() => refuseApplied(text, template)).not.toThrow();
    }
  });

  test('names the template that was found', async () => {
    const failure = await failureOf(() => refuseApplied(template.render([user('a')]), template));
    expect(failure).toMatchObject({ details: { applied: name, model: name } });
  });
});

test("a model's own template is known, too", async () => {
  const prompt = gemma.render([user('a')]);
  expect(await codeOf(() => refuseApplied(prompt, gemma))).toBe('RKLLM_TEMPLATE_TWICE');
});

const prompt = render('chatml', user('a'));

test.each<[string, GenerateInput]>([
  ['a string', prompt],
  ['a message', [user(prompt)]],
  ['an earlier message', [user(prompt), assistant('b'), user('c')]],
])('a model refuses it as %s', async (_, input) => {
  const model = await loadModel(undefined, { backend: scripted({ reply: 'Hi' }) });
  expect(await codeOf(() => model.generate(input))).toBe('RKLLM_TEMPLATE_TWICE');
  await model.dispose();
});

test.each<[string, GenerateInput]>([
  ['what the model has said', [user('a'), assistant(prompt), user('c')]],
  ['a raw prompt', { prompt }],
])('a model takes it as %s', async (_, input) => {
  const model = await loadModel(undefined, { backend: scripted({ reply: 'Hi' }) });
  expect(await model.generate(input).text()).toBe('Hi');
  await model.dispose();
});

test("with template: 'none' the prompt is yours", async () => {
  const model = await loadModel(undefined, { backend: scripted({ reply: 'Hi' }), template: 'none' });
  expect(await model.generate(prompt).text()).toBe('Hi');
  await model.dispose();
});

test("with template: 'runtime' a prompt is put into the runtime's", async () => {
  const model = await loadModel(undefined, { backend: scripted({ reply: 'Hi' }), template: 'runtime' });
  for (const input of [prompt, { prompt }])
    expect(await codeOf(() => model.generate(input))).toBe('RKLLM_TEMPLATE_TWICE');
  for (const input of ['Hi', { prompt: 'Hi' }]) expect(await model.generate(input).text()).toBe('Hi');
  await model.dispose();
});

test('every built-in template has an ending that can be recognized', () => {
  expect(families.map((family) => templateOf(family)).filter((one) => !one.isApplied(one.render([user('a')])))).toEqual(
    [],
  );
});
