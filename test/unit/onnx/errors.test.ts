import { mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { createOnnxBackend } from '../../../lib/backends/onnx/index.js';
import { writeGenaiModel } from '../../../tools/onnx/write-genai-model.js';
import { editJson, Fixtures, generate, loadRequest } from './helpers.js';
import { runNode } from './run-node.js';

const fixtures = new Fixtures();
afterAll(() => fixtures.cleanUp());

/** A complete model that a test may then damage. */
function model(name: string): string {
  return writeGenaiModel(fixtures.directory(name)).directory;
}

const cases: readonly (readonly [string, string, RegExp, RegExp, () => string])[] = [
  [
    'a path that is not there',
    'RKLLM_MODEL_NOT_FOUND',
    /no model at .*nowhere/,
    /Check the path/,
    () => fixtures.directory('nowhere'),
  ],
  [
    'a directory without a model',
    'RKLLM_MODEL_NOT_RECOGNIZED',
    /looked for genai_config\.json, .*; the directory has notes\.txt/,
    /onnxruntime-genai/,
    () => {
      const directory = fixtures.directory('no-model');
      mkdirSync(directory);
      writeFileSync(path.join(directory, 'notes.txt'), '');
      return directory;
    },
  ],
  [
    'an empty directory',
    'RKLLM_MODEL_NOT_RECOGNIZED',
    /the directory is empty/,
    /onnxruntime-genai/,
    () => {
      mkdirSync(fixtures.directory('empty'));
      return fixtures.directory('empty');
    },
  ],
  [
    'a file that is no model',
    'RKLLM_MODEL_NOT_RECOGNIZED',
    /tokenizer\.json is not an ONNX model/,
    /genai_config\.json/,
    () => path.join(model('file'), 'tokenizer.json'),
  ],
  [
    'broken JSON',
    'RKLLM_MODEL_CONFIG_INVALID',
    /genai_config\.json:3:1 is not valid JSON/,
    /Restore genai_config\.json/,
    () => {
      const directory = model('broken-json');
      writeFileSync(path.join(directory, 'genai_config.json'), '{\n  "model": {},\n}');
      return directory;
    },
  ],
  [
    'JSON that ends too early',
    'RKLLM_MODEL_CONFIG_INVALID',
    /genai_config\.json:2:13 is not valid JSON/,
    /Restore genai_config\.json/,
    () => {
      const directory = model('short-json');
      writeFileSync(path.join(directory, 'genai_config.json'), '{\n  "model": {');
      return directory;
    },
  ],
  [
    'a configuration without a file name',
    'RKLLM_MODEL_CONFIG_INVALID',
    /model\.decoder\.filename must be present, but it is nothing/,
    /Restore/,
    () => {
      const directory = model('no-filename');
      editJson(directory, 'genai_config.json', () => ({ model: { context_length: 8, decoder: {} } }));
      return directory;
    },
  ],
  [
    'a value of the wrong type',
    'RKLLM_MODEL_CONFIG_INVALID',
    /model\.context_length must be an integer, at least 1, but it is "512"/,
    /Restore/,
    () => {
      const directory = model('wrong-type');
      editJson(directory, 'genai_config.json', (json) => ({
        ...json,
        model: { ...(json['model'] as object), context_length: '512' },
      }));
      return directory;
    },
  ],
  [
    'a model file that is not there',
    'RKLLM_MODEL_NOT_FOUND',
    /tiny-random-cpu\.onnx, but there is no such file/,
    /Download the complete model/,
    () => {
      const directory = model('no-onnx');
      rmSync(path.join(directory, 'tiny-random-cpu.onnx'));
      return directory;
    },
  ],
  [
    'a truncated model file',
    'RKLLM_MODEL_INVALID',
    /tiny-random-cpu\.onnx cannot be loaded: .*Protobuf parsing failed/,
    /download the model again/,
    () => {
      const directory = model('truncated');
      const file = path.join(directory, 'tiny-random-cpu.onnx');
      writeFileSync(file, readFileSync(file).subarray(0, 20_000));
      return directory;
    },
  ],
  [
    'a Git LFS pointer',
    'RKLLM_MODEL_INVALID',
    /only a Git LFS pointer/,
    /git lfs pull/,
    () => {
      const directory = model('lfs');
      writeFileSync(
        path.join(directory, 'tiny-random-cpu.onnx'),
        'version https://git-lfs.github.com/spec/v1\noid sha256:00\nsize 1\n',
      );
      return directory;
    },
  ],
  [
    'external data that is not there',
    'RKLLM_MODEL_INVALID',
    /its weights are in tiny-random-cpu\.onnx\.data, but there is no such file/,
    /Download tiny-random-cpu\.onnx\.data again/,
    () => {
      const { directory, modelFile } = writeGenaiModel(fixtures.directory('no-data'), { externalData: true });
      rmSync(path.join(directory, `${modelFile}.data`));
      return directory;
    },
  ],
  [
    'a graph without the promised KV cache',
    'RKLLM_MODEL_INVALID',
    /no tensor past\.0\.key/,
    /with its KV cache, for onnxruntime-genai/,
    () => {
      const directory = model('other-names');
      editJson(directory, 'genai_config.json', (json) => {
        const section = json['model'] as Record<string, object>;
        return {
          ...json,
          model: { ...section, decoder: { ...section['decoder'], inputs: { past_key_names: 'past.%d.key' } } },
        };
      });
      return directory;
    },
  ],
  [
    'no tokenizer',
    'RKLLM_TOKENIZER_NOT_FOUND',
    /no tokenizer\.json/,
    /Download tokenizer\.json/,
    () => {
      const directory = model('no-tokenizer');
      rmSync(path.join(directory, 'tokenizer.json'));
      return directory;
    },
  ],
  [
    'a broken tokenizer',
    'RKLLM_TOKENIZER_INVALID',
    /tokenizer\.json:1:2 is not valid JSON/,
    /Restore tokenizer\.json/,
    () => {
      const directory = model('broken-tokenizer');
      writeFileSync(path.join(directory, 'tokenizer.json'), '{');
      return directory;
    },
  ],
  [
    'a tokenizer of a kind that is not known',
    'RKLLM_TOKENIZER_INVALID',
    /cannot be used/,
    /not supported/,
    () => {
      const directory = model('odd-tokenizer');
      editJson(directory, 'tokenizer.json', (json) => ({ ...json, normalizer: { type: 'Odd' } }));
      return directory;
    },
  ],
];

describe('a load fails', () => {
  it.each(cases)('for %s: %s', async (_, code, message, hint, make) => {
    const request = loadRequest(make());
    await expect(createOnnxBackend().load(request)).rejects.toMatchObject({
      code,
      message: expect.stringMatching(message) as string,
      hint: expect.stringMatching(hint) as string,
    });
  });

  it('without a path', async () => {
    await expect(createOnnxBackend().load(loadRequest('', { path: undefined }))).rejects.toMatchObject({
      code: 'RKLLM_MODEL_NOT_FOUND',
    });
  });

  it('and leaves no engine, and nothing on stderr', async () => {
    const directory = model('quiet');
    writeFileSync(path.join(directory, 'tiny-random-cpu.onnx'), 'nonsense');
    const result = await runNode(`
      await createOnnxBackend().load(request(${JSON.stringify(directory)})).catch((error) => console.log(error.code));
      console.log(process.getActiveResourcesInfo().filter((name) => /Message|Worker/.test(name)).length);
    `);
    expect(result).toEqual({ code: 0, signal: null, stdout: 'RKLLM_MODEL_INVALID\n0\n', stderr: '' });
  });
});

describe('an aborted load', () => {
  it('rejects with the reason when the signal was aborted before', async () => {
    const reason = new Error('too late');
    await expect(
      createOnnxBackend().load(loadRequest(model('aborted'), { signal: AbortSignal.abort(reason) })),
    ).rejects.toBe(reason);
  });

  it('rejects with the reason, and leaves no engine', async () => {
    const directory = model('aborted-later');
    const result = await runNode(`
      for (const delay of [0, 5, 20, 40, 60]) {
        const controller = new AbortController();
        setTimeout(() => controller.abort('stopped'), delay);
        const loading = createOnnxBackend().load({ ...request(${JSON.stringify(directory)}), signal: controller.signal });
        const outcome = await loading.then((model) => model.dispose().then(() => 'stopped'), (reason) => reason);
        if (outcome !== 'stopped') console.log(outcome);
      }
      console.log(process.getActiveResourcesInfo().filter((name) => /Message|Worker/.test(name)).length);
    `);
    expect(result).toEqual({ code: 0, signal: null, stdout: '0\n', stderr: '' });
  });
});

describe('a run fails', () => {
  it('for a prompt as long as the context, with both numbers, and the model goes on', async () => {
    const loaded = await fixtures.load(model('overflow'), { maxContextLength: 16 });
    await expect(generate(loaded, Array<number>(16).fill(270))).rejects.toMatchObject({
      code: 'RKLLM_CONTEXT_OVERFLOW',
      message: expect.stringMatching(/16 tokens.*16 tokens/) as string,
      details: { promptTokens: 16, contextLength: 16 },
    });
    await expect(generate(loaded, '')).rejects.toMatchObject({ code: 'RKLLM_EMPTY_PROMPT' });
    await expect(generate(loaded, [270, 100_000])).rejects.toMatchObject({
      code: 'RKLLM_INVALID_INPUT',
      details: { tokenId: 100_000 },
    });
    expect((await generate(loaded, Array<number>(15).fill(270))).tokens).toHaveLength(1);
  });

  it('in the graph, before or after the first token, and the model answers the next one as if nothing had been', async () => {
    const directory = model('short-tables');
    editJson(directory, 'genai_config.json', (json) => ({
      ...json,
      model: { ...(json['model'] as object), context_length: 4000 }, // its rotary tables end at 512
    }));
    const loaded = await fixtures.load(directory);
    const prompt = Array.from({ length: 480 }, (_, i) => 260 + ((i * 37) % 100));
    const expected = await generate(loaded, prompt, { maxNewTokens: 10 });
    const failure = { code: 'RKLLM_RUN_FAILED', message: expect.stringMatching(/GroupQueryAttention/) as string };
    for (const tooLong of [prompt, [...prompt, ...prompt]]) {
      await expect(generate(loaded, tooLong, { maxNewTokens: 100 })).rejects.toMatchObject(failure);
      const answer = await generate(loaded, prompt, { maxNewTokens: 10 });
      expect(answer.tokens).toEqual(expected.tokens);
      expect(answer.end.cachedPromptTokens).toBe(0);
    }
  });
});
