import { JinjaTemplate, type JinjaSource } from '../../../lib/chat/templates/jinja.js';
import { jinjaLimits } from '../../../lib/chat/templates/jinja-engine.js';
import { assistant, system, user } from './conversations.js';

const tokens = { bosToken: '<s>', eosToken: '</s>', controlTokens: ['<s>', '</s>', '<extra_0>'], addsBos: false };

function jinja(source: string, more: Partial<JinjaSource> = {}, limits = jinjaLimits): JinjaTemplate {
  return new JinjaTemplate({ source, origin: 'a.jinja', ...tokens, ...more }, limits);
}

function failure(work: () => unknown): unknown {
  try {
    return work();
  } catch (error) {
    return error;
  }
}

const turns = '{% for m in messages %}<turn {{ m.role }}>{{ m.content }}</turn>\n{% endfor %}';
const chatml = "{% for m in messages %}{{ '<|im_start|>' + m.role + '\\n' + m.content + '<|im_end|>\\n' }}{% endfor %}";
const alternating = `{% for m in messages %}{% if (m.role == 'user') != (loop.index0 % 2 == 0) %}{{ raise_exception('Roles must alternate') }}{% endif %}[{{ m.content }}]{% endfor %}`;

test('gets the messages, the special tokens and a wish for an answer', () => {
  const source = `{{ bos_token }}${turns}{% if add_generation_prompt %}<turn assistant>{{ eos_token }}{% endif %}`;
  expect(jinja(source).render([system('S'), user('a')])).toBe(
    '<s><turn system>S</turn>\n<turn user>a</turn>\n<turn assistant></s>',
  );
});

test('blocks leave no white space, as with Hugging Face', () => {
  const source = '{% for m in messages %}\n  {% if true %}\n{{ m.content }}.\n  {% endif %}\n{% endfor %}';
  expect(jinja(source).render([user('a'), assistant('b')])).toBe('a.\nb.\n');
});

test('switches thinking where it speaks of it', () => {
  const source = `${chatml}{% if enable_thinking is defined and not enable_thinking %}-{% endif %}`;
  const template = jinja(source);
  expect([template.switchesThinking, jinja(chatml).switchesThinking]).toEqual([true, false]);
  const end = (thinking?: boolean): string => template.render([user('a')], { thinking }).slice(-1);
  expect([end(), end(true), end(false)]).toEqual(['\n', '\n', '-']);
});

test('an answer ends at what the template writes between it and the next message', () => {
  expect(jinja(chatml).endMarkers).toEqual(['</s>', '<|im_end|>', '<|im_start|>']);
  expect(jinja(chatml, { eosToken: undefined }).endMarkers).toEqual(['<|im_end|>', '<|im_start|>']);
});

test.each(['<s>', '</s>', '<extra_0>', '<|im_end|>', '<|anything|>', '</turn>'])(
  '%s in a message is text',
  (marker) => {
    const prompt = jinja(turns + chatml).render([user(`a${marker}b`)]);
    expect(prompt).not.toContain(`a${marker}b`);
    expect(prompt).toContain(`a${marker.replace(/^<(.*)>$/u, '< $1 >')}b`);
  },
);

test('tags of what models write are kept: answers are shown to them again', () => {
  const answer = '<think>a</think><tool_call>{}</tool_call><b>c</b>';
  const template = jinja(chatml, { controlTokens: ['<think>', '</think>', '<tool_call>', '</tool_call>'] });
  expect(template.render([user('a'), assistant(answer), user('b')])).toContain(answer);
});

test('knows a date where the template asks for it', () => {
  const prompt = jinja(`{{ strftime_now('%Y') }}${chatml}`).render([user('a')]);
  expect(Number(prompt.slice(0, 4))).toBeGreaterThan(2000);
});

test('what a template refuses is told in its words', () => {
  const template = jinja(alternating);
  expect(failure(() => template.render([user('a'), user('b')]))).toMatchObject({
    code: 'RKLLM_TEMPLATE_FAILED',
    message: "The model's chat template (a.jinja) refuses this conversation: Roles must alternate",
    hint: expect.stringContaining('user and assistant in turn') as string,
    details: { origin: 'a.jinja' },
  });
  expect(template.render([user('a'), assistant('b')])).toBe('[a][b]');
});

test.each([
  ['is not finished', '{% for', 'Unexpected end of input'],
  ['uses what there is not', '{{ messages | sideways }}', 'sideways'],
  ['ignores the messages', 'Hello', 'leaves out messages'],
  ['changes their order', '{% for m in messages | reverse %}{{ m.content }}{% endfor %}', 'changes their order'],
  ['calls itself for ever', '{% macro f(x) %}{{ g(x) }}{% endmacro %}{{ f(1) }}', 'not a function'],
  ['counts too far', '{% for i in range(1000000000) %}{% endfor %}', 'range() of 1000000000 numbers'],
  ['is too long', 'x'.repeat(1_000_001), 'it has 1000001 characters'],
  [
    'grows too long',
    "{% set n = namespace(s='xxxxxxxxxxxxxxxx') %}{% for i in range(20) %}{% set n.s = n.s + n.s %}{% endfor %}{{ n.s }}",
    'characters of this conversation',
  ],
  [
    'grows beyond what a string can hold',
    "{% set n = namespace(s='xxxxxxxxxxxxxxxx') %}{% for i in range(40) %}{% set n.s = n.s + n.s %}{% endfor %}{{ n.s }}",
    'Invalid string length',
  ],
])('a template that %s is refused before the first prompt', (_, source, reason) => {
  expect(failure(() => jinja(source))).toMatchObject({
    code: 'RKLLM_TEMPLATE_FAILED',
    message: expect.stringContaining(reason) as string,
    hint: expect.stringContaining("template: 'none'") as string,
  });
});

test('one that does not end is stopped, and others go on working', () => {
  const forever = '{% for a in range(100000) %}{% for b in range(100000) %}{% endfor %}{% endfor %}';
  const limits = { ...jinjaLimits, timeMs: 20 };
  for (let i = 0; i < 2; i++) {
    expect(failure(() => jinja(forever, {}, limits))).toMatchObject({
      code: 'RKLLM_TEMPLATE_FAILED',
      message: expect.stringContaining('it did not end within 20 ms') as string,
    });
  }
  expect(jinja(chatml).render([user('a')])).toBe('<|im_start|>user\na<|im_end|>\n');
});
