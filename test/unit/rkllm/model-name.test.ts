import fc from 'fast-check';
import { parseModelName, type ModelName } from '../../../lib/backends/rkllm/model-name.js';

type Row = [name: string, expected: Partial<ModelName>];

const nothing: ModelName = {
  family: undefined,
  size: undefined,
  chip: undefined,
  quantization: undefined,
  optimization: undefined,
  hybridRatio: undefined,
  release: undefined,
  contextLength: undefined,
};

function facts(
  family: string | undefined,
  size: string | undefined,
  chip?: string,
  quantization?: string,
  more: Partial<ModelName> = {},
): Partial<ModelName> {
  return { family, size, chip, quantization, ...more };
}

const c01zaut = (optimization: number, hybridRatio: number): Partial<ModelName> => ({ optimization, hybridRatio });

test.each<Row>([
  ['Qwen3-4B-rk3588-w8a8.rkllm', facts('qwen3', '4b', 'RK3588', 'w8a8')],
  [
    'Phi-3-mini-4k-instruct-rk3588-w8a8_g128-opt-1-hybrid-ratio-0.5.rkllm',
    facts('phi-3', undefined, 'RK3588', 'w8a8_g128', { ...c01zaut(1, 0.5), contextLength: 4096 }),
  ],
  [
    'Phi-3-mini-4k-instruct-rk3588-w8a8-opt-0-hybrid-ratio-0.0.rkllm',
    facts('phi-3', undefined, 'RK3588', 'w8a8', { ...c01zaut(0, 0), contextLength: 4096 }),
  ],
  [
    'Phi-3-mini-128k-instruct-rk3588-w8a8_g256-opt-1-hybrid-ratio-1.0.rkllm',
    facts('phi-3', undefined, 'RK3588', 'w8a8_g256', { ...c01zaut(1, 1), contextLength: 131_072 }),
  ],
  [
    'Phi-3.5-mini-instruct-rk3588-w8a8_g512-opt-1-hybrid-ratio-0.5.rkllm',
    facts('phi-3.5', undefined, 'RK3588', 'w8a8_g512', c01zaut(1, 0.5)),
  ],
  ['qwen2.5-vl-3b-w8a8_level1_rk3588.rkllm', facts('qwen2.5', '3b', 'RK3588', 'w8a8', { optimization: 1 })],
  ['DeepSeek-R1-Distill-Qwen-1.5B_W8A8_RK3588.rkllm', facts('deepseek-r1-distill-qwen', '1.5b', 'RK3588', 'w8a8')],
  ['DeepSeek-R1-Distill-Llama-8B_W4A16_RK3576.rkllm', facts('deepseek-r1-distill-llama', '8b', 'RK3576', 'w4a16')],
  [
    'Qwen3-4B-Instruct-rk3588-w8a8-grq-v1.2.3-RKLLM.rkllm',
    facts('qwen3', '4b', 'RK3588', 'w8a8', { release: '1.2.3' }),
  ],
  [
    'Qwen2.5-3B-Instruct-rk3588-w8a8-opt-0-hybrid-ratio-1.0.rkllm',
    facts('qwen2.5', '3b', 'RK3588', 'w8a8', c01zaut(0, 1)),
  ],
  [
    'Llama-2-7B-Chat-rk3588-w4a16_g64-opt-0-hybrid-ratio-0.4',
    facts('llama-2', '7b', 'RK3588', 'w4a16_g64', c01zaut(0, 0.4)),
  ],
  [
    'deepseek-coder-7b-instruct-v1.5-rk3588-w8a8-opt-1-hybrid-ratio-0.5',
    facts('deepseek-coder', '7b', 'RK3588', 'w8a8', c01zaut(1, 0.5)),
  ],
  ['deepseek-math-7b-instruct-rk3588-w8a8', facts('deepseek', '7b', 'RK3588', 'w8a8')],
  ['Qwen_w8a8_RK3588.rkllm', facts('qwen', undefined, 'RK3588', 'w8a8')],
  ['qwen-1_8b_w4a16_rk3576.rkllm', facts('qwen', '1.8b', 'RK3576', 'w4a16')],
  ['Qwen3-0.6B-w8a8-rk3588.rkllm', facts('qwen3', '0.6b', 'RK3588', 'w8a8')],
  [
    'Qwen3-1.7B-w4a16_g128-RK3576-ctx16384.rkllm',
    facts('qwen3', '1.7b', 'RK3576', 'w4a16_g128', { contextLength: 16_384 }),
  ],
  [
    'qwen3_8b_w8a8_g128_rk3588_max_context_8192.rkllm',
    facts('qwen3', '8b', 'RK3588', 'w8a8_g128', { contextLength: 8192 }),
  ],
  ['Qwen3.5-0.8B-rk3588-fp16-v1.3.1.rkllm', facts('qwen3.5', '0.8b', 'RK3588', 'fp16', { release: '1.3.1' })],
  ['Qwen3-VL-2B-Instruct_w8a8_rk3588.rkllm', facts('qwen3', '2b', 'RK3588', 'w8a8')],
  ['Qwen2-VL-2B-Instruct.rkllm', facts('qwen2', '2b')],
  ['Qwen1.5-1.8B-Chat-w8a8-rk3588.rkllm', facts('qwen1.5', '1.8b', 'RK3588', 'w8a8')],
  ['qwen2.5-coder-1.5b-w8a8g128-rk3588s.rkllm', facts('qwen2.5', '1.5b', 'RK3588S', 'w8a8_g128')],
  [
    'TinyLlama-1.1B-Chat-v1.0-rk3588-w8a8-opt-0-hybrid-ratio-0.5.rkllm',
    facts('tinyllama', '1.1b', 'RK3588', 'w8a8', c01zaut(0, 0.5)),
  ],
  ['Llama-3.2-1B-Instruct-rk3588-w8a8.rkllm', facts('llama-3.2', '1b', 'RK3588', 'w8a8')],
  ['Llama3.2-3B_W8A8_G128_RK3588.rkllm', facts('llama-3.2', '3b', 'RK3588', 'w8a8_g128')],
  [
    'Meta-Llama-3.1-8B-Instruct-rk3588-w8a8_g128-opt-1.rkllm',
    facts('llama-3.1', '8b', 'RK3588', 'w8a8_g128', { optimization: 1 }),
  ],
  ['gemma-2-2b-it-rk3588-w8a8-opt-1-hybrid-ratio-0.0.rkllm', facts('gemma-2', '2b', 'RK3588', 'w8a8', c01zaut(1, 0))],
  ['gemma-2b-it-w8a8-rk3588.rkllm', facts('gemma', '2b', 'RK3588', 'w8a8')],
  ['gemma-3n-E2B-it_w8a8_rk3588.rkllm', facts('gemma-3n', 'e2b', 'RK3588', 'w8a8')],
  ['gemma3-1b-rk3576-w4a16-g64.rkllm', facts('gemma-3', '1b', 'RK3576', 'w4a16_g64')],
  ['internlm2-chat-1_8b-rk3588-w8a8_g256.rkllm', facts('internlm2', '1.8b', 'RK3588', 'w8a8_g256')],
  ['InternVL3-1B_w8a8_rk3588.rkllm', facts('internvl3', '1b', 'RK3588', 'w8a8')],
  ['InternVL3.5-2B-w8a8-rk3576.rkllm', facts('internvl3.5', '2b', 'RK3576', 'w8a8')],
  ['MiniCPM-V-2_6-rk3588-w8a8.rkllm', facts('minicpm-v-2', undefined, 'RK3588', 'w8a8')],
  ['MiniCPM4-0.5B-W8A8-RK3588.rkllm', facts('minicpm4', '0.5b', 'RK3588', 'w8a8')],
  ['MiniCPM3-4B-rk3588-w8a8.rkllm', facts('minicpm3', '4b', 'RK3588', 'w8a8')],
  ['chatglm3-6b_w8a8_rk3588.rkllm', facts('chatglm3', '6b', 'RK3588', 'w8a8')],
  ['Mistral-7B-Instruct-v0.3-rk3588-w8a8-opt-1.rkllm', facts('mistral', '7b', 'RK3588', 'w8a8', { optimization: 1 })],
  ['SmolLM2-1.7B-Instruct-rk3562-w4a8_g32.rkllm', facts('smollm2', '1.7b', 'RK3562', 'w4a8_g32')],
  ['SmolLM3-3B-w4a16_g32-rv1126b-v1.3.0.rkllm', facts('smollm3', '3b', 'RV1126B', 'w4a16_g32', { release: '1.3.0' })],
  ['RWKV7-1.5B-rk3588-w8a8.rkllm', facts('rwkv7', '1.5b', 'RK3588', 'w8a8')],
  ['phi-2-rk3566-w8a8.rkllm', facts('phi-2', undefined, 'RK3566', 'w8a8')],
  ['phi3_mini_3.8b_w8a8_rk3588_rkllm1.0.1.rkllm', facts('phi-3', '3.8b', 'RK3588', 'w8a8', { release: '1.0.1' })],
  [
    'Phi-4-mini-instruct_W8A8_RK3588_1.2.1b1.rkllm',
    facts('phi-4', undefined, 'RK3588', 'w8a8', { release: '1.2.1b1' }),
  ],
  ['opt-1.3b-rk3588.rkllm', facts(undefined, '1.3b', 'RK3588')],
  ['exaone-3.5-2.4b-instruct-rk3588-w8a8.rkllm', facts('exaone-3.5', '2.4b', 'RK3588', 'w8a8')],
  ['Qwen3-w8a8x.rkllm', facts('qwen3', undefined)],
  ['model.rkllm', {}],
  ['.rkllm', {}],
  ['', {}],
  // The folder has what the name leaves out.
  [
    '/data/Qwen2.5-3B-Instruct-RK3588S-RKLLM1.1.4/model.rkllm',
    facts('qwen2.5', '3b', 'RK3588S', undefined, { release: '1.1.4' }),
  ],
  [
    'c01zaut/Qwen2.5-3B-Instruct-RK3588-1.1.1/Qwen2.5-3B-Instruct-rk3588-w8a8-opt-0-hybrid-ratio-0.0.rkllm',
    facts('qwen2.5', '3b', 'RK3588', 'w8a8', { ...c01zaut(0, 0), release: '1.1.1' }),
  ],
  ['C:\\models\\Phi-3-rk3576\\phi3-w4a16.rkllm', facts('phi-3', undefined, 'RK3576', 'w4a16')],
  [
    '/home/me/.cache/huggingface/hub/models--c01zaut--Qwen3-1.7B-RK3588-1.2.1/snapshots/0a1b2c/qwen-w8a8.rkllm',
    facts('qwen', '1.7b', 'RK3588', 'w8a8', { release: '1.2.1' }),
  ],
  ['/opt/rkllm-runtime-v1.2.3/phi3.rkllm', facts('phi-3', undefined, undefined, undefined, { release: '1.2.3' })],
])('%s', (name, expected) => {
  expect(parseModelName(name)).toEqual({ ...nothing, ...expected });
});

test('capitals make no difference', () => {
  const name = 'phi-3-mini-4k-rk3588s-w8a8_g128-opt-1-hybrid-ratio-0.5-rkllm1.2.1b1-3.8b';
  expect(parseModelName(name.toUpperCase())).toEqual(parseModelName(name));
});

describe('whatever the name', () => {
  const piece = fc.constantFrom(
    'phi',
    '3',
    'w8a8',
    '_g',
    '128',
    'rk3588',
    '.',
    '-',
    '_',
    'opt',
    'hybrid-ratio',
    'k',
    'b',
    '/',
  );
  const name = fc.oneof(
    fc.string({ unit: 'binary' }),
    fc.array(piece).map((pieces) => pieces.join('')),
  );

  test('it can be read', () => {
    fc.assert(
      fc.property(name, (text) => {
        const found = parseModelName(text);
        for (const value of [found.optimization, found.hybridRatio, found.contextLength]) {
          expect(value === undefined || Number.isFinite(value)).toBe(true);
        }
      }),
      { numRuns: 2000 },
    );
  });
});
