import { writeFileSync } from 'node:fs';
import path from 'node:path';
import { defaultNames } from '../../../tools/onnx/phi3-graph.js';
import { writeGenaiModel } from '../../../tools/onnx/write-genai-model.js';
import { editJson, Fixtures, generate } from './helpers.js';

const fixtures = new Fixtures();
afterAll(() => fixtures.cleanUp());

describe('the layout', () => {
  it('takes names, file name and external data from what it finds', async () => {
    const names = { ...defaultNames, inputIds: 'ids', logits: 'scores', pastKey: 'past_%d_k', presentKey: 'now_%d_k' };
    const plain = writeGenaiModel(fixtures.directory('plain'), { format: 'int4' });
    const odd = writeGenaiModel(fixtures.directory('phi3-cpu-int4'), {
      format: 'int4',
      names,
      externalData: true,
      modelFile: 'odd name.onnx',
    });
    const model = await fixtures.load(odd.directory);
    expect(model.info).toMatchObject({
      name: 'phi3-cpu-int4',
      quantization: 'int4',
      contextLength: 512,
      bosToken: '<s>',
      eosToken: '<|endoftext|>',
    });
    expect(model.info.chatTemplate).toContain('<|assistant|>');
    const expected = await generate(await fixtures.load(plain.directory), 'hello', { maxNewTokens: 20 });
    expect((await generate(model, 'hello', { maxNewTokens: 20 })).tokens).toEqual(expected.tokens);
    const byFile = await fixtures.load(path.join(odd.directory, 'odd name.onnx'), { maxContextLength: 64 });
    expect(byFile.info).toMatchObject({ name: 'phi3-cpu-int4', contextLength: 64 });
  });

  it('finds a template in its own file, and the default one among several', async () => {
    const several = writeGenaiModel(fixtures.directory()).directory;
    editJson(several, 'tokenizer_config.json', (json) => ({
      ...json,
      bos_token: { content: '<s>' },
      chat_template: [
        { name: 'tools', template: 'T' },
        { name: 'default', template: 'D' },
      ],
    }));
    expect((await fixtures.load(several)).info).toMatchObject({ chatTemplate: 'D', bosToken: '<s>' });
    writeFileSync(path.join(several, 'chat_template.jinja'), 'J');
    expect((await fixtures.load(several)).info.chatTemplate).toBe('J');
  });

  it('ends the context of a long-context Phi-3 where its rotary factors would change', async () => {
    const directory = writeGenaiModel(fixtures.directory()).directory;
    writeFileSync(path.join(directory, 'config.json'), JSON.stringify({ original_max_position_embeddings: 100 }));
    expect((await fixtures.load(directory)).info.contextLength).toBe(100);
  });
});
