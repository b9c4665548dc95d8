import { mkdirSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { loadModel, type LoadModelOptions } from 'rkllm';
import { codeOf } from '../../support/reading.js';
import { directory, fakeRuntime, isolation } from './fake-model.js';

const chatml =
  "{{ bos_token }}{% for m in messages %}{{ '<|im_start|>' + m.role + '\n' + m.content + '<|im_end|>\n' }}{% endfor %}" +
  "{% if add_generation_prompt %}{{ '<|im_start|>assistant\n' }}{% endif %}";
let folders = 0;

/** A folder with a model of this name and these files beside it. */
function folderWith(name: string, files: Readonly<Record<string, unknown>> = {}): string {
  const folder = path.join(directory, `folder-${(folders++).toString()}`);
  mkdirSync(folder);
  for (const [file, content] of Object.entries(files)) {
    writeFileSync(path.join(folder, file), typeof content === 'string' ? content : JSON.stringify(content));
  }
  const model = path.join(folder, `${name}.rkllm`);
  writeFileSync(model, '#fake-rkllm\ntoken Yes.\ntoken <|im_end|>\ntoken <|im_start|>user\\x0AMore\n');
  return model;
}

async function load(model: string, options: LoadModelOptions = {}) {
  return loadModel(model, { runtimePath: fakeRuntime('1.2.3'), isolation, ...options });
}

/** What is told of the template, and what the model's answer comes to. */
async function chat(model: string, options: LoadModelOptions = {}) {
  const loaded = await load(model, options);
  try {
    return { info: loaded.info.template, text: await loaded.generate('Hi').text() };
  } finally {
    await loaded.dispose();
  }
}

test.each([
  ['chat_template.jinja', chatml],
  ['tokenizer_config.json', { chat_template: chatml, bos_token: '<s>' }],
  ['tokenizer_config.json', { chat_template: [{ name: 'default', template: chatml }] }],
  ['chat_template.json', { chat_template: chatml }],
])('the template in %s beside a model is its own, whatever its name', async (name, content) => {
  const model = folderWith('Phi-3-mini', { [name]: content });
  const file = path.join(path.dirname(model), name);
  expect(await chat(model)).toEqual({ info: { name: 'jinja', source: 'model', file }, text: 'Yes.' });
});

test('of several files the Jinja file is taken', async () => {
  const model = folderWith('model', {
    'chat_template.jinja': chatml,
    'tokenizer_config.json': { chat_template: 'no' },
    'chat_template.json': { chat_template: 'no' },
  });
  expect((await chat(model)).info?.file).toBe(path.join(path.dirname(model), 'chat_template.jinja'));
});

test('beside several models a file may be of any of them, so it is of none', async () => {
  const model = folderWith('Qwen2.5-1.5B', { 'chat_template.jinja': '{{ messages }}', 'other.RKLLM': '' });
  expect(await chat(model)).toEqual({ info: { name: 'qwen2.5', source: 'name', file: undefined }, text: 'Yes.' });
});

test('a model of no known family can be loaded, and asked what needs no template', async () => {
  const model = await load(folderWith('model', { 'tokenizer_config.json': { bos_token: '<s>' } }));
  expect(model.info.template).toBeUndefined();
  expect(await codeOf(() => model.generate('Hi'))).toBe('RKLLM_TEMPLATE_UNKNOWN');
  expect(await model.generate({ prompt: 'Hi' }).text()).toContain('Yes.');
  await model.dispose();
});

test.each([
  ['RKLLM_TEMPLATE_FAILED', 'chat_template.jinja', '{% for'],
  ['RKLLM_TOKENIZER_INVALID', 'tokenizer_config.json', '{'],
  ['RKLLM_TOKENIZER_INVALID', 'chat_template.json', '{'],
])('a load fails with %s where %s is broken', async (code, name, content) => {
  const model = folderWith('Phi-3-mini', { [name]: content });
  expect(await codeOf(() => load(model))).toBe(code);
});

test('a template that was chosen goes before all files', async () => {
  const model = folderWith('Phi-3-mini', { 'chat_template.jinja': '{% for' });
  expect(await chat(model, { template: 'chatml' })).toMatchObject({ info: { name: 'chatml', source: 'option' } });
});
