/** Model directories from strangers: what is wrong in them is told, and does nothing else. */
import { mkdirSync, mkdtempSync, readdirSync, renameSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { createOnnxBackend } from '../../../lib/backends/onnx/index.js';
import { writeGenaiModel, type GenaiModelOptions } from '../../../tools/onnx/write-genai-model.js';
import { editJson, Fixtures, generate, loadRequest } from './helpers.js';

const fixtures = new Fixtures();
afterAll(() => fixtures.cleanUp());

type Section = Readonly<Record<string, unknown>>;

function model(options: GenaiModelOptions = {}): string {
  return writeGenaiModel(fixtures.directory(), options).directory;
}

/** A model whose configuration says something else about the decoder. */
function withDecoder(change: Section): string {
  return withModel((section) => ({ ...section, decoder: { ...(section['decoder'] as Section), ...change } }));
}

function withModel(change: (section: Section) => Section): string {
  const directory = model();
  editJson(directory, 'genai_config.json', (json) => ({ ...json, model: change(json['model'] as Section) }));
  return directory;
}

async function expectRefusal(location: string, code: string, message: RegExp): Promise<void> {
  await expect(createOnnxBackend().load(loadRequest(location))).rejects.toMatchObject({
    code,
    message: expect.stringMatching(message) as string,
    hint: expect.stringMatching(/^(?!.*another export)/) as string,
  });
}

describe('the name of the model file', () => {
  it.each([
    ['above the directory', '../elsewhere/model.onnx'],
    ['above the directory, by a detour', 'x/../../model.onnx'],
    ['absolute', path.resolve('/tmp/model.onnx')],
    ['the directory itself', '.'],
    ['empty', ''],
  ])('stays in the model’s directory: %s', async (_, filename) => {
    await expectRefusal(
      withDecoder({ filename }),
      'RKLLM_MODEL_CONFIG_INVALID',
      /model\.decoder\.filename must be the name of a file in the model’s directory/,
    );
  });

  it.each([
    ['with a zero', 'a\0b.onnx', /cannot be read/],
    ['longer than the file system allows', `${'x'.repeat(5000)}.onnx`, /cannot be read: ENAMETOOLONG/],
    ['of a directory', 'folder', /folder cannot be read: it is not a file/],
  ])('is told when nothing can be read there: %s', async (_, filename, message) => {
    const directory = withDecoder({ filename });
    mkdirSync(path.join(directory, 'folder'));
    await expectRefusal(directory, 'RKLLM_MODEL_INVALID', message);
  });

  it('may be in a folder below', async () => {
    const directory = withDecoder({ filename: 'cpu/model.onnx' });
    mkdirSync(path.join(directory, 'cpu'));
    renameSync(path.join(directory, 'tiny-random-cpu.onnx'), path.join(directory, 'cpu/model.onnx'));
    expect((await generate(await fixtures.load(directory), [270], { maxNewTokens: 2 })).tokens).toHaveLength(2);
  });

  it('ends in .onnx, in capital letters too', async () => {
    const directory = model({ modelFile: 'MODEL.ONNX' });
    const loaded = await fixtures.load(path.join(directory, 'MODEL.ONNX'));
    expect((await generate(loaded, [270], { maxNewTokens: 2 })).tokens).toHaveLength(2);
  });
});

describe('the configuration', () => {
  it.each([
    ['past_key_names', 'inputs'],
    ['past_value_names', 'inputs'],
    ['present_key_names', 'outputs'],
    ['present_value_names', 'outputs'],
  ])('names the layers by a pattern: %s', async (key, section) => {
    await expectRefusal(
      withDecoder({ [section]: { [key]: 'past_key_values.0.key' } }),
      'RKLLM_MODEL_CONFIG_INVALID',
      new RegExp(`model\\.decoder\\.${section}\\.${key} must be a name with %d`),
    );
  });

  it('cannot make the layers endless', async () => {
    const inputs = { past_key_names: 'past_key_values.0.key', past_value_names: 'past_key_values.0.value' };
    const outputs = { present_key_names: 'present.0.key', present_value_names: 'present.0.value' };
    await expectRefusal(withDecoder({ inputs, outputs }), 'RKLLM_MODEL_CONFIG_INVALID', /must be a name with %d/);
  });

  it.each([
    ['genai_config.json', 'RKLLM_MODEL_CONFIG_INVALID'],
    ['tokenizer.json', 'RKLLM_TOKENIZER_INVALID'],
  ])('is a file, not a device that never ends: %s', async (file, code) => {
    const directory = model();
    rmSync(path.join(directory, file));
    symlinkSync('/dev/zero', path.join(directory, file));
    await expectRefusal(directory, code, /cannot be read: it is not a file/);
  });

  it('may state any context length: memory is taken when it is needed', async () => {
    const directory = withModel((section) => ({ ...section, type: 'llama', context_length: 2 ** 50 }));
    const loaded = await fixtures.load(directory);
    expect(loaded.info.contextLength).toBe(2 ** 50);
    expect((await generate(loaded, [270, 271], { maxNewTokens: 2 })).tokens).toHaveLength(2);
  });

  it('has no numbers that are infinite', async () => {
    const directory = model();
    writeFileSync(
      path.join(directory, 'genai_config.json'),
      '{ "model": { "context_length": 8, "decoder": { "filename": "tiny-random-cpu.onnx" } }, "search": { "temperature": 1e999 } }',
    );
    await expectRefusal(directory, 'RKLLM_MODEL_CONFIG_INVALID', /search\.temperature must be a finite number/);
  });

  it('is not searched for a mistake whose place is not known', async () => {
    const directory = model();
    writeFileSync(path.join(directory, 'genai_config.json'), '{\n "a": x\n}\n\n');
    await expectRefusal(
      directory,
      'RKLLM_MODEL_CONFIG_INVALID',
      // Node.js 18 tells the place, later ones show it.
      /genai_config\.json(?::2:7 is not valid JSON: .*| is not valid JSON: .*'x'.*)/,
    );
  });

  it('reaches nothing through __proto__', async () => {
    const directory = model();
    const hostile = '"__proto__": { "polluted": 1, "context_length": 1, "filename": "evil.onnx" }';
    writeFileSync(
      path.join(directory, 'genai_config.json'),
      `{ ${hostile}, "model": { ${hostile}, "decoder": { ${hostile} } } }`,
    );
    await expectRefusal(directory, 'RKLLM_MODEL_CONFIG_INVALID', /filename must be present, but it is nothing/);
    expect('polluted' in {}).toBe(false);
  });
});

describe('the graph', () => {
  it('is refused for an input that nothing is known of', async () => {
    const directory = withDecoder({ inputs: { attention_mask: 'mask' } });
    await expectRefusal(directory, 'RKLLM_MODEL_INVALID', /its input attention_mask is not known/);
  });

  it('is refused when the ids are of another type', async () => {
    const directory = withDecoder({ inputs: { input_ids: 'past_key_values.1.value' } });
    await expectRefusal(directory, 'RKLLM_MODEL_INVALID', /past_key_values\.1\.value is float32, .* needs int64/);
  });
});

describe('the directory', () => {
  it('may be the snapshot of a Hugging Face cache, all of it links', async () => {
    const { directory, modelFile } = writeGenaiModel(fixtures.directory(), { externalData: true });
    const blobs = mkdtempSync(path.join(directory, 'blobs-'));
    for (const [i, file] of readdirSync(directory, { withFileTypes: true }).entries()) {
      if (!file.isFile()) continue;
      renameSync(path.join(directory, file.name), path.join(blobs, String(i)));
      symlinkSync(path.join(path.basename(blobs), String(i)), path.join(directory, file.name));
    }
    const expected = await generate(await fixtures.load(model()), [270], { maxNewTokens: 9 });
    for (const location of [directory, path.join(directory, modelFile)]) {
      const answer = await generate(await fixtures.load(location), [270], { maxNewTokens: 9 });
      expect(answer.tokens).toEqual(expected.tokens);
    }
  });

  it('may have any name', async () => {
    const { directory } = writeGenaiModel(fixtures.directory('Modèle 世界 #1%20 ?'), { externalData: true });
    const loaded = await fixtures.load(`${directory}/`);
    expect(loaded.info.name).toBe('Modèle 世界 #1%20 ?');
    expect((await generate(loaded, [270], { maxNewTokens: 2 })).tokens).toHaveLength(2);
  });
});
