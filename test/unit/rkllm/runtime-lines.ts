import { diagnose, type Diagnosis, type DiagnosisContext } from '../../../lib/backends/rkllm/diagnosis/index.js';
import { parseLogLine, type RuntimeLogLine } from '../../../lib/backends/rkllm/runtime-log/line.js';

export const parse = (...lines: string[]): RuntimeLogLine[] => lines.map((line) => parseLogLine(line, 'stdout'));

export const explain = (lines: string[], context: Partial<DiagnosisContext> = {}): Diagnosis | undefined =>
  diagnose(parse(...lines), { phase: 'load', ...context });

/** What 1.2.x and later print before they read the model. */
export function opening({ runtime = '1.2.3', driver = '0.9.8', toolkit = '1.2.3', target = 'RK3588' } = {}): string[] {
  return [
    `I rkllm: rkllm-runtime version: ${runtime}, rknpu driver version: ${driver}, platform: RK3588`,
    'I rkllm: loading rkllm model from ./qwen.rkllm',
    `I rkllm: rkllm-toolkit version: ${toolkit}, max_context_limit: 4096, npu_core_num: 3, target_platform: ${target}, model_dtype: W8A8_G128`,
  ];
}

export const tooOldDriver = 'W rkllm: Warning: Your rknpu driver version is too low, please upgrade to 0.9.7';
export const badAddress = 'E RKNN: [09:40:45.140] failed to allocate handle, ret: -1, errno: 14, errstr: Bad address';
export const noMemory = 'E RKNN: [09:40:45.140] failed to malloc npu memory, size: 3085697024, flags: 0x2';
export const tooManyFiles =
  'E RKNN: [10:49:05.216] failed to convert handle(1020) to fd, ret: -1, errno: 24, errstr: Too many open files';
export const noModule = 'E RKNN: [12:35:17.433] failed to open rknpu module, need to insmod rknpu dirver!';
export const noDevice = 'E RKNN: [12:35:17.433] failed to open rknn device!';
export const notLoaded = ['E RKNN: [09:40:45.148] load model file error!', 'E rkllm: rkllm_init failed'];
export const assertion = ':0: GGML_ASSERT(view_src == NULL || data_size == 0) failed';
