import { loadModel, type Backend } from 'rkllm';
import { scripted } from 'rkllm/testing';

const without = (engineOptions: Backend['engineOptions'] & object): Backend => ({ ...scripted(), engineOptions });

describe('an option of another engine', () => {
  test('is refused before anything is loaded', async () => {
    const load = jest.fn(scripted().load);
    const backend: Backend = { name: 'mine', engineOptions: ['runtimePath'], load };
    await expect(loadModel(undefined, { backend, threads: 2 })).rejects.toMatchObject({
      code: 'RKLLM_UNSUPPORTED_OPTION',
      message: 'loadModel(): the mine backend has no threads.',
    });
    expect(load).not.toHaveBeenCalled();
  });

  test.each([
    ['one that is declared', without(['threads'])],
    ['any, where none are declared', scripted()],
  ])('is taken: %s', async (_, backend) => {
    const model = await loadModel(undefined, { backend, threads: 2 });
    expect(model.state).toBe('ready');
    await model.dispose();
  });

  test('reaches the backend', async () => {
    const load = jest.fn(scripted().load);
    const backend: Backend = { ...without(['threads', 'prefillChunk']), load };
    const model = await loadModel(undefined, { backend, threads: 2, prefillChunk: 7 });
    expect(load).toHaveBeenCalledWith(expect.objectContaining({ threads: 2, prefillChunk: 7 }));
    await model.dispose();
  });

  test("is refused: template: 'runtime' where there is none", async () => {
    await expect(loadModel(undefined, { backend: without(['threads']), template: 'runtime' })).rejects.toMatchObject({
      code: 'RKLLM_UNSUPPORTED_OPTION',
      message: "loadModel(): the scripted backend has no template: 'runtime'.",
    });
  });

  test('is refused by the CPU backend for the vendor runtime, unless the model is a substitute', async () => {
    await expect(loadModel(undefined, { runtimePath: '/nowhere.so' })).rejects.toMatchObject({
      code: 'RKLLM_UNSUPPORTED_OPTION',
    });
    process.env['RKLLM_BACKEND'] = 'onnx';
    try {
      const model = await loadModel('/models/phi-3.rkllm', { runtimePath: '/nowhere.so' });
      expect(model.info.substituteFor).toBe('/models/phi-3.rkllm');
      await model.dispose();
    } finally {
      delete process.env['RKLLM_BACKEND'];
    }
  });
});
