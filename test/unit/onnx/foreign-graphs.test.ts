/** Valid ONNX files that this backend cannot run say so, in both layouts. */
import { readFileSync, rmSync, truncateSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { createOnnxBackend } from '../../../lib/backends/onnx/index.js';
import { buildOddGraph, type OddGraph } from '../../../tools/onnx/odd-graphs.js';
import { writeGenaiModel } from '../../../tools/onnx/write-genai-model.js';
import { writeHuggingFaceModel } from '../../../tools/onnx/write-huggingface-model.js';
import { Fixtures, loadRequest } from './helpers.js';

const fixtures = new Fixtures();
afterAll(() => fixtures.cleanUp());

async function expectRefusal(directory: string, message: RegExp, hint: RegExp): Promise<void> {
  await expect(createOnnxBackend().load(loadRequest(directory))).rejects.toMatchObject({
    code: 'RKLLM_MODEL_INVALID',
    message: expect.stringMatching(message) as string,
    hint: expect.stringMatching(hint) as string,
  });
}

const graphs: readonly (readonly [OddGraph, RegExp, RegExp])[] = [
  ['encoder', /not a text decoder with a KV cache: it has no tensor past_key_values\.0\.key/, /with its KV cache/],
  ['embeddings-split', /only a part of a model: it takes embeddings/, /takes input_ids/],
  ['unknown-operator', /OperatorOfTomorrow/, /operators that this onnxruntime-node cannot compute/],
  ['unknown-input', /its input use_cache_branch is not known/, /with its KV cache/],
];

it.each(graphs)('a graph of the kind %s is refused', async (kind, message, hint) => {
  const genai = writeGenaiModel(fixtures.directory());
  writeFileSync(path.join(genai.directory, genai.modelFile), buildOddGraph(kind));
  await expectRefusal(genai.directory, message, hint);
  const { directory } = writeHuggingFaceModel(fixtures.directory(), { variants: { model: {} } });
  writeFileSync(path.join(directory, 'onnx/model.onnx'), buildOddGraph(kind));
  await expectRefusal(directory, message, hint);
});

it('a file of a later version of ONNX is refused', async () => {
  const { directory } = writeGenaiModel(fixtures.directory(), { opset: 999 });
  await expectRefusal(directory, /opset 999/i, /update onnxruntime-node/);
});

it('weights that end too early are named, with both sizes', async () => {
  const { directory, modelFile } = writeGenaiModel(fixtures.directory(), { externalData: true });
  const file = path.join(directory, `${modelFile}.data`);
  truncateSync(file, 5000);
  await expectRefusal(
    directory,
    /are in tiny-random-cpu\.onnx\.data, but that has only 5000 of the \d+ bytes/,
    /Download/,
  );
});

it('one of several files of weights that is missing is named', async () => {
  const variants = { model: { dataFiles: 3 } };
  const { directory } = writeHuggingFaceModel(fixtures.directory(), { variants });
  rmSync(path.join(directory, 'onnx/model.onnx_data_1'));
  await expectRefusal(directory, /its weights are in model\.onnx_data_1, but there is no such file/, /keep its name/);
});

it('a model file that ends anywhere is refused, whatever is left of it', async () => {
  const { directory, modelFile } = writeGenaiModel(fixtures.directory());
  const file = path.join(directory, modelFile);
  const whole = readFileSync(file);
  for (const share of [0, 0.001, 0.1, 0.5, 0.9, 0.999]) {
    writeFileSync(file, whole.subarray(0, Math.floor(share * whole.length)));
    await expectRefusal(directory, /cannot be loaded|not a text decoder/, /./);
  }
});
