import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { families, familyOf } from '../../../lib/chat/templates/families.js';
import { findTemplate, type TemplateEvidence } from '../../../lib/chat/templates/recognize.js';
import { root } from '../../support/run-node.js';
import { user } from './conversations.js';

const nothing: TemplateEvidence = {
  ...{ name: 'model', path: undefined, chatTemplate: undefined, bosToken: undefined, eosToken: undefined },
};

async function found(evidence: Partial<TemplateEvidence>, choice: Parameters<typeof findTemplate>[0] = 'auto') {
  const outcome = await findTemplate(choice, { ...nothing, ...evidence });
  return outcome.template === undefined
    ? { name: undefined, prompt: undefined, lookedAt: outcome.lookedAt }
    : { ...outcome.info, prompt: outcome.template.render([user('a')]) };
}

const phi3 =
  "{{ bos_token }}{% for message in messages %}{% if (message['role'] == 'user') %}{{'<|user|>' + '\\n' + " +
  "message['content'] + '<|end|>' + '\\n' + '<|assistant|>' + '\\n'}}{% elif (message['role'] == 'assistant') %}" +
  "{{message['content'] + '<|end|>' + '\\n'}}{% endif %}{% endfor %}";
const phi4mini =
  "{% for message in messages %}{{ '<|' + message['role'] + '|>' + message['content'] + '<|end|>' }}{% endfor %}" +
  "{% if add_generation_prompt %}{{ '<|assistant|>' }}{% endif %}";
const chatml =
  "{% for message in messages %}{{'<|im_start|>' + message['role'] + '\\n' + message['content'] + '<|im_end|>\\n'}}" +
  "{% endfor %}{% if add_generation_prompt %}{{ '<|im_start|>assistant\\n' }}{% endif %}";

test.each([
  ['Phi-3, in its first release', phi3, 'phi3', '<|user|>\na<|end|>\n<|assistant|>\n'],
  ['Phi-4-mini, which has the same markers', phi4mini, 'jinja', '<|user|>a<|end|><|assistant|>'],
  ['another', chatml, 'jinja', '<|im_start|>user\na<|im_end|>\n<|im_start|>assistant\n'],
])("a model's own template goes before its name: %s", async (_, chatTemplate, name, prompt) => {
  const chatTemplateFile = '/models/phi-3/chat_template.jinja';
  expect(await found({ name: 'Phi-3-mini', chatTemplate, chatTemplateFile })).toEqual({
    ...{ name, source: 'model', file: chatTemplateFile, prompt },
  });
});

test.each([
  ['Phi-3-mini-4k-instruct-w8a8', 'phi3'],
  ['phi3.5_mini', 'phi3'],
  ['tiny-phi3', 'phi3'],
  ['Qwen1.5-1.8B-Chat', 'qwen2'],
  ['Qwen2-0.5B-Instruct', 'qwen2'],
  ['Qwen2.5-Coder-3B-Instruct-RK3588', 'qwen2.5'],
  ['qwen3-1.7b', 'qwen3'],
  ['Meta-Llama-3-8B-Instruct', 'llama3'],
  ['Llama-3.2-1B-Instruct-rk3588-w8a8-opt-1', 'llama3.1'],
  ['gemma-2-2b-it', 'gemma'],
  ['gemma-3-1b-it', 'gemma'],
  ['DeepSeek-R1-Distill-Qwen-1.5B_W8A8_RK3588', 'deepseek'],
  ['MiniCPM-2B-dpo', 'minicpm'],
  ['MiniCPM4-0.5B', 'chatml'],
  ['internlm2-chat-1_8b', 'internlm2'],
  ['TinyLlama-1.1B-Chat-v1.0', 'zephyr'],
  ['zephyr-7b-beta', 'zephyr'],
])('%s is asked in the template %s', async (name, template) => {
  for (const file of [`/models/${name}.rkllm`, `/models/${name}/model.rkllm`]) {
    expect(await found({ name: 'whatever', path: file })).toMatchObject({
      name: template,
      source: 'name',
      file: undefined,
    });
  }
});

test.each([
  ...['model', 'phi-4-mini', 'phi-30b', 'delphi-3', 'phi-2', 'qwen-1.8b', 'qwen3.5-0.8b', 'qwen2.5-math-1.5b'],
  ...['Qwen2-VL-2B', 'Qwen3-Embedding-0.6B', 'Qwen3-4B-Thinking-2507', 'Llama-3.2-11B-Vision', 'llama-2-7b'],
  ...['deepseek-coder-1.3b', 'DeepSeek-R1-0528-Qwen3-8B', 'MiniCPM-V-2_6', 'SmolLM2-360M', 'ChatGLM3-6B', 'mistral-7b'],
])('%s is of no family whose template is known', async (name) => {
  expect(familyOf(`/models/${name}.rkllm`)).toBeUndefined();
  expect(await found({ name })).toMatchObject({ name: undefined, lookedAt: expect.stringContaining(name) as string });
});

test('a name that its tokenizer belies is no evidence', async () => {
  const name = 'Qwen2.5-0.5B';
  expect(await found({ name, controlTokens: ['<|im_start|>', '<|im_end|>'] })).toMatchObject({ name: 'qwen2.5' });
  const { lookedAt } = await found({ name, controlTokens: ['<|end|>'] });
  expect(lookedAt).toMatch(/speaks of qwen2\.5, but its tokenizer has no <\|im_end\|>/u);
});

test.each(families.map(({ name }) => name))('%s can be chosen whatever the model', async (name) => {
  const evidence = { name: 'Phi-3', chatTemplate: chatml, controlTokens: ['<x>'], addsBosToken: true };
  expect(await found(evidence, name)).toMatchObject({ name, source: 'option', file: undefined });
});

describe('a template of your own', () => {
  const directory = mkdtempSync(path.join(tmpdir(), 'rkllm-template-'));
  afterAll(() => rmSync(directory, { recursive: true }));
  const write = (name: string, text: string): string => {
    writeFileSync(path.join(directory, name), text);
    return path.join(directory, name);
  };
  const prompt = '<|im_start|>user\na<|im_end|>\n<|im_start|>assistant\n';

  test('as a text', async () => {
    expect(await found({ name: 'Phi-3' }, { jinja: chatml })).toEqual({
      ...{ name: 'jinja', source: 'option', file: undefined, prompt },
    });
  });

  test.each([
    ['a.jinja', chatml],
    ['one.json', JSON.stringify({ chat_template: chatml })],
    [
      'several.json',
      JSON.stringify({
        chat_template: [
          { name: 'tools', template: '-' },
          { name: 'default', template: chatml },
        ],
      }),
    ],
  ])('as a file: %s', async (name, text) => {
    const file = write(name, text);
    expect(await found({}, { file })).toEqual({ name: 'jinja', source: 'option', file, prompt });
  });

  test('with the special tokens that its tokenizer is configured with', async () => {
    const jinja = '{% for m in messages %}{{ m.content + eos_token }}{% endfor %}';
    const config = { chat_template: jinja, eos_token: '<end>', additional_special_tokens: ['<x>'] };
    const beside = path.join(directory, 'beside');
    mkdirSync(beside);
    for (const [name, text] of [
      ['tokenizer_config.json', JSON.stringify(config)],
      ['a.jinja', jinja],
    ] as const) {
      writeFileSync(path.join(beside, name), text);
      const { template } = await findTemplate({ file: path.join(beside, name) }, nothing);
      expect(template?.render([user('a<x>')])).toBe('a< x ><end>');
      expect(template?.endMarkers).toEqual(['<end>']);
      expect((await found({ eosToken: '</s>' }, { file: path.join(beside, name) })).prompt).toBe('a</s>');
    }
    await expect(findTemplate({ jinja }, nothing)).rejects.toMatchObject({
      code: 'RKLLM_TEMPLATE_FAILED',
      message: expect.stringContaining('eos_token') as string,
    });
  });

  test.each([
    ['that is not there', path.join(directory, 'none.jinja')],
    ['that is a folder', directory],
    ['that is no JSON', write('broken.json', '{')],
    ['that has none', write('empty.json', '{}')],
  ])('refuses a file %s', async (_, file) => {
    await expect(findTemplate({ file }, nothing)).rejects.toMatchObject({ code: 'RKLLM_TEMPLATE_FAILED' });
  });
});

test('the embedded model is recognized by what came with it', async () => {
  const { chat_template: chatTemplate } = JSON.parse(
    readFileSync(path.join(root, 'models', 'tiny-phi3', 'tokenizer_config.json'), 'utf8'),
  ) as { chat_template: string };
  expect(await found({ chatTemplate })).toMatchObject({ name: 'phi3', source: 'model' });
});

test('an engine that puts the first token there itself gets no second one', async () => {
  const chatTemplate = `{{ bos_token }}${chatml}`;
  const given = { chatTemplate, bosToken: '<s>' };
  expect((await found(given)).prompt).toMatch(/^<s><\|im_start\|>user/u);
  expect((await found({ ...given, addsBosToken: true })).prompt).toMatch(/^<\|im_start\|>user/u);
});
