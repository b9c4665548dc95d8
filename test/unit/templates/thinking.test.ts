import { loadModel, type LoadModelOptions } from 'rkllm';
import { scripted } from 'rkllm/testing';
import { codeOf } from '../../support/reading.js';

const jinja =
  "{% for m in messages %}{{ m.role + ': ' + m.content + '<|end|>' }}{% endfor %}" +
  "{% if enable_thinking is defined %}{{ '<think>' if enable_thinking else '<think></think>' }}{% endif %}";

/** The ends of the prompts that the engine got, by what was asked for. */
async function endsOf(template: LoadModelOptions['template'], choices: readonly (boolean | undefined)[]) {
  const backend = scripted({ reply: 'Yes.' });
  const model = await loadModel(undefined, { backend, template });
  for (const enableThinking of choices) await model.generate('Hi', { enableThinking });
  await model.dispose();
  return backend.requests.map(({ prompt }) => prompt.slice(prompt.lastIndexOf('|') + 2));
}

test.each<[LoadModelOptions['template'], readonly string[]]>([
  ['qwen3', ['assistant\n', 'assistant\n', 'assistant\n<think>\n\n</think>\n\n']],
  [{ jinja }, ['', '<think>', '<think></think>']],
])('%j switches thinking in the prompt, on any backend', async (template, ends) => {
  const found = await endsOf(template, [undefined, true, false]);
  expect(found.map((end) => end.replace(/^.*?(?=assistant)/su, ''))).toEqual(ends);
});

test.each(['phi3', 'none'] as const)('with %s there is no such switch', async (template) => {
  const model = await loadModel(undefined, { backend: scripted({ reply: 'Yes.' }), template });
  expect(await codeOf(() => model.generate('Hi', { enableThinking: true }))).toBe('RKLLM_UNSUPPORTED_OPTION');
  await model.dispose();
});

test('nor is there for a raw prompt', async () => {
  const model = await loadModel(undefined, { backend: scripted({ reply: 'Yes.' }), template: 'qwen3' });
  expect(await codeOf(() => model.generate({ prompt: 'Hi' }, { enableThinking: false }))).toBe(
    'RKLLM_UNSUPPORTED_OPTION',
  );
  await model.dispose();
});
