import { loadModel, type Backend, type LoadModelOptions } from 'rkllm';
import { scripted } from 'rkllm/testing';
import { codeOf } from '../../support/reading.js';

/** Loads a scripted model that came with this template, and counts. */
class Counted implements Backend {
  readonly name = 'counted';
  loads = 0;
  disposals = 0;
  readonly #chatTemplate: string | undefined;

  constructor(chatTemplate: string | undefined) {
    this.#chatTemplate = chatTemplate;
  }

  async load(request: Parameters<Backend['load']>[0]) {
    this.loads++;
    const model = await scripted({ reply: 'Yes.' }).load(request);
    return {
      info: { ...model.info, chatTemplate: this.#chatTemplate },
      capabilities: model.capabilities,
      failed: model.failed,
      start: model.start.bind(model),
      dispose: () => {
        this.disposals++;
        return model.dispose();
      },
    };
  }
}

async function load(chatTemplate: string | undefined, template: LoadModelOptions['template']) {
  const backend = new Counted(chatTemplate);
  const code = await codeOf(() => loadModel(undefined, { backend, template }));
  return { code, loads: backend.loads, disposals: backend.disposals };
}

test('a model whose own template cannot be used is freed', async () => {
  expect(await load('{% for', 'auto')).toEqual({ code: 'RKLLM_TEMPLATE_FAILED', loads: 1, disposals: 1 });
});

test.each([[{ file: '/nowhere.jinja' }], [{ jinja: '{% for' }], [{ jinja: 'Hello' }]])(
  '%j is refused before the model is loaded',
  async (template) => {
    expect(await load(undefined, template)).toEqual({ code: 'RKLLM_TEMPLATE_FAILED', loads: 0, disposals: 0 });
  },
);

test.each(['phi3', 'none'] as const)('with %s its own template is not looked at', async (template) => {
  const model = await loadModel(undefined, { backend: new Counted('{% for'), template });
  expect(await model.generate('Hi').text()).toBe('Yes.');
  await model.dispose();
});
