import { copyFileSync, mkdirSync, mkdtempSync, readdirSync, renameSync, symlinkSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { readLayout } from '../../../lib/backends/onnx/layout.js';
import { defaultNames } from '../../../tools/onnx/phi3-names.js';
import { writeGenaiModel } from '../../../tools/onnx/write-genai-model.js';
import { writeHuggingFaceModel } from '../../../tools/onnx/write-huggingface-model.js';
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
});

describe('the layout of transformers.js', () => {
  const all = { model: {}, model_fp16: {}, model_q4f16: {}, model_int8: {}, model_quantized: {}, model_q4: {} };

  it('has the graph that is best on a CPU taken, and any other when it is named', async () => {
    const { directory } = writeHuggingFaceModel(fixtures.directory('Phi-3.5-mini'), { variants: all });
    const chosen = async (): Promise<string> => (await readLayout(directory)).modelFile.slice(directory.length);
    for (const name of ['model_q4', 'model_quantized', 'model_int8', 'model_q4f16', 'model_fp16', 'model']) {
      expect(await chosen()).toBe(path.normalize(`/onnx/${name}.onnx`));
      const file = path.join(directory, 'onnx', `${name}.onnx`);
      expect(await readLayout(file)).toMatchObject({ directory, modelFile: file, name: 'Phi-3.5-mini' });
      renameSync(file, `${file}.hidden`);
    }
    await expect(readLayout(directory)).rejects.toMatchObject({ code: 'RKLLM_MODEL_NOT_RECOGNIZED' });
  });

  it('has its facts in config.json and generation_config.json', async () => {
    const written = writeHuggingFaceModel(fixtures.directory(), { contextLength: 300, variants: { model_q4: {} } });
    editJson(written.directory, 'generation_config.json', (json) => ({ ...json, do_sample: true, top_k: 7 }));
    const [endOfText, end] = written.tokenizer.eosTokenIds;
    const layout = await readLayout(written.directory);
    expect(layout).toMatchObject({ contextLength: 300, quantization: 'q4', search: { doSample: true, topK: 7 } });
    expect(layout.eosTokenIds).toEqual([endOfText, endOfText, end]);
  });

  it('may have its only graph beside the rest, under any name, or be named by the folder of its graphs', async () => {
    const variants = { decoder: {} };
    const { directory } = writeHuggingFaceModel(fixtures.directory(), { folder: '', variants });
    expect((await readLayout(directory)).modelFile).toBe(path.join(directory, 'decoder.onnx'));
    const usual = writeHuggingFaceModel(fixtures.directory(), { variants: { model: {} } }).directory;
    expect((await readLayout(path.join(usual, 'onnx'))).directory).toBe(usual);
  });

  it('is not guessed at among several graphs', async () => {
    const variants = { encoder: {}, decoder: {} };
    const { directory } = writeHuggingFaceModel(fixtures.directory(), { variants });
    await expect(readLayout(directory)).rejects.toMatchObject({
      code: 'RKLLM_MODEL_NOT_RECOGNIZED',
      message: expect.stringMatching(/decoder\.onnx, encoder\.onnx/) as string,
    });
  });

  it('may be a snapshot of a hub’s cache, with several data files', async () => {
    const variants = { model_q4: { format: 'int4', dataFiles: 2 } } as const;
    const { directory } = writeHuggingFaceModel(fixtures.directory(), { variants });
    const expected = await generate(await fixtures.load(directory), [270], { maxNewTokens: 9 });
    const snapshot = fixtures.directory();
    mkdirSync(path.join(snapshot, 'onnx'), { recursive: true });
    const blobs = mkdtempSync(path.join(snapshot, 'blobs-'));
    for (const folder of ['', 'onnx']) {
      for (const file of readdirSync(path.join(directory, folder), { withFileTypes: true })) {
        if (!file.isFile()) continue;
        const blob = path.join(blobs, `${folder}-${file.name.length}-${readdirSync(blobs).length}`);
        copyFileSync(path.join(directory, folder, file.name), blob);
        symlinkSync(path.relative(path.join(snapshot, folder), blob), path.join(snapshot, folder, file.name));
      }
    }
    const answer = await generate(await fixtures.load(snapshot), [270], { maxNewTokens: 9 });
    expect(answer.tokens).toEqual(expected.tokens);
  });
});

describe('a directory of several models', () => {
  it('is told apart, with the models in it', async () => {
    const root = fixtures.directory('several');
    writeGenaiModel(path.join(root, 'cpu_and_mobile', 'cpu-int4'), {});
    writeGenaiModel(path.join(root, 'cuda', 'cuda-fp16'), {});
    await expect(readLayout(root)).rejects.toMatchObject({
      code: 'RKLLM_MODEL_NOT_RECOGNIZED',
      hint: expect.stringMatching(/cpu_and_mobile.cpu-int4, cuda.cuda-fp16/) as string,
    });
  });
});
