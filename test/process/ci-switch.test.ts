import { mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { root, runModule } from '../support/run-node.js';

const embedded = path.join(root, 'models', 'tiny-phi3');
const asked = '/models/phi-3.rkllm';
let directory: string;
let own: string;

beforeAll(() => {
  directory = mkdtempSync(path.join(tmpdir(), 'rkllm-switch-'));
  own = path.join(directory, 'own-model');
  symlinkSync(embedded, own);
  writeFileSync(path.join(directory, 'real.rkllm'), 'RKLLM');
});
afterAll(() => rmSync(directory, { recursive: true }));

interface Outcome {
  /** `model.info`, or the error's code and details. */
  readonly printed: Record<string, unknown>;
  readonly warnings: number;
  readonly stderr: string;
}

/** Loads in a process of its own, asks with the options that are given, and says what came of it. */
async function load(args: string, env: NodeJS.ProcessEnv, times = 1, asking = ''): Promise<Outcome> {
  const { code, stdout, stderr } = await runModule(
    `import { loadModel } from 'rkllm';
     let printed;
     for (let time = 0; time < ${times}; time++) {
       try {
         const model = await loadModel(${args});
         const { text } = await model.generate('Hello', { maxNewTokens: 5, ${asking} });
         printed = { ...model.info, answered: text !== '' };
         await model.dispose();
       } catch (error) {
         if (error.code === undefined) throw error;
         printed = { code: error.code, message: error.message, hint: error.hint };
       }
     }
     console.log(JSON.stringify(printed));`,
    { env },
  );
  expect({ code, stderr: code === 0 ? '' : stderr }).toEqual({ code: 0, stderr: '' });
  const warnings = stderr.split('[RKLLM_SUBSTITUTE]').length - 1;
  return { printed: JSON.parse(stdout) as Record<string, unknown>, warnings, stderr };
}

const onCpu = { RKLLM_BACKEND: 'onnx' };
const quoted = JSON.stringify(asked);

describe('RKLLM_BACKEND=onnx', () => {
  test('puts the embedded model in the place of a .rkllm file, and warns once, however often', async () => {
    const { printed, warnings, stderr } = await load(quoted, onCpu, 3);
    expect(printed).toMatchObject({ backend: 'onnx', embedded: true, path: embedded, substituteFor: asked });
    expect(printed).toMatchObject({ answered: true, template: { name: 'phi3' } });
    expect(warnings).toBe(1);
    expect(stderr).toContain(asked);
    expect(stderr).toContain('model.info');
  });

  test('also of one that is there', async () => {
    const real = path.join(directory, 'real.rkllm');
    const { printed, warnings } = await load(JSON.stringify(real), onCpu);
    expect(printed).toMatchObject({ embedded: true, substituteFor: real, answered: true });
    expect(warnings).toBe(1);
  });

  test('with RKLLM_MODEL: that model', async () => {
    const { printed, warnings } = await load(quoted, { ...onCpu, RKLLM_MODEL: own });
    expect(printed).toMatchObject({
      backend: 'onnx',
      path: own,
      embedded: false,
      substituteFor: asked,
      answered: true,
    });
    expect(warnings).toBe(1);
  });

  test('with a .rkllm file in RKLLM_MODEL and no path: the embedded model for that file', async () => {
    const { printed, warnings } = await load('', { ...onCpu, RKLLM_MODEL: asked });
    expect(printed).toMatchObject({ embedded: true, substituteFor: asked, answered: true });
    expect(warnings).toBe(1);
  });

  test('takes no notice of options that only the NPU has', async () => {
    const options = `{ runtimePath: '/nowhere.so', runtimeVersion: '1.2.3', cpus: [4, 5, 6, 7], baseDomainId: 1,
      keepTokens: 4, embedFlash: false, skipSpecialTokens: true, crossAttention: false, ignoreEos: false,
      imageTags: { start: '<a>' }, mirostat: 1, template: 'runtime', maxContextLength: 256 }`;
    const { printed, warnings, stderr } = await load(`${quoted}, ${options}`, onCpu);
    expect(printed).toMatchObject({
      substituteFor: asked,
      template: { name: 'phi3' },
      contextLength: 256,
      answered: true,
    });
    expect(warnings).toBe(1);
    expect(stderr).not.toMatch(/cpus|runtimePath|baseDomainId/u);
  });

  test.each(["'qwen2.5'", "{ file: '/nowhere.jinja' }"])(
    'asks the model in its own template, not in that of the one it takes the place of: %s',
    async (template) => {
      const { printed } = await load(`${quoted}, { template: ${template} }`, onCpu);
      expect(printed).toMatchObject({ template: { name: 'phi3', source: 'model' }, answered: true });
    },
  );

  test('nor of those of a generation, thinking and a runtime that is newer than most included', async () => {
    const asking = `enableThinking: true, keepHistory: true, role: 'tool', stopBy: 'pause', lora: 'tone',
      savePromptCache: '/nowhere/cache.bin', mirostat: 2, mirostatTau: 4, mirostatEta: 0.2`;
    const { printed, warnings } = await load(quoted, onCpu, 1, asking);
    expect(printed).toMatchObject({ substituteFor: asked, answered: true });
    expect(warnings).toBe(1);
  });

  test.each([
    ['wrong values', "role: 'system'", 'RKLLM_INVALID_OPTION'],
    ['misspelt options', 'keepHistroy: true', 'RKLLM_UNKNOWN_OPTION'],
  ])('but of %s of a generation', async (_, asking, code) => {
    expect((await load(quoted, onCpu, 1, asking)).printed).toMatchObject({ code });
  });

  test('refuses them where nothing is replaced', async () => {
    const { printed } = await load(JSON.stringify(embedded), onCpu, 1, 'keepHistory: true');
    expect(printed).toMatchObject({ code: 'RKLLM_UNSUPPORTED_OPTION' });
  });

  test.each([
    ['wrong values', '{ cpus: [9] }', 'RKLLM_INVALID_OPTION'],
    ['misspelt options', '{ runtimePaht: "/usr" }', 'RKLLM_UNKNOWN_OPTION'],
  ])('but of %s', async (_, options, code) => {
    const { printed, warnings } = await load(`${quoted}, ${options}`, onCpu);
    expect(printed).toMatchObject({ code });
    expect(warnings).toBe(0);
  });

  test('says nothing where nothing is replaced', async () => {
    const { printed, stderr } = await load(JSON.stringify(embedded), onCpu);
    expect(printed).not.toHaveProperty('substituteFor');
    expect(printed).toMatchObject({ backend: 'onnx', embedded: true, answered: true });
    expect(stderr).toBe('');
  });

  test('refuses an RKLLM_MODEL that is not there, and names it', async () => {
    const { printed, warnings } = await load(quoted, { ...onCpu, RKLLM_MODEL: '/not/there' });
    expect(printed).toMatchObject({ code: 'RKLLM_MODEL_NOT_FOUND' });
    expect(printed['message']).toContain('/not/there');
    expect(warnings).toBe(0);
  });

  test('gives way to what the app says', async () => {
    const { printed, stderr } = await load(`${quoted}, { backend: 'rkllm' }`, onCpu);
    expect(printed).toMatchObject({ code: 'RKLLM_MODEL_NOT_FOUND' });
    expect(stderr).toBe('');
  });
});

test.each([
  ['no RKLLM_BACKEND', {}],
  ['RKLLM_BACKEND=auto', { RKLLM_BACKEND: 'auto' }],
  ['RKLLM_BACKEND=rkllm', { RKLLM_BACKEND: 'rkllm' }],
  ['an empty RKLLM_BACKEND', { RKLLM_BACKEND: '' }],
])('%s replaces nothing, RKLLM_MODEL or not', async (_, env) => {
  const { printed, stderr } = await load(quoted, { ...env, RKLLM_MODEL: own });
  expect(printed).toMatchObject({ code: 'RKLLM_MODEL_NOT_FOUND' });
  expect(stderr).toBe('');
});

test.each(['cpu', 'ONNX', ' onnx', 'scripted'])(
  'RKLLM_BACKEND=%s is refused, and the values are named',
  async (value) => {
    const { printed, stderr } = await load(quoted, { RKLLM_BACKEND: value });
    expect(printed).toMatchObject({ code: 'RKLLM_BACKEND_UNKNOWN' });
    expect(printed['message']).toContain(`'${value}'`);
    expect(printed['hint']).toContain("'onnx'");
    expect(stderr).toBe('');
  },
);
