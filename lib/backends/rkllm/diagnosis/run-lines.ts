import type { KnownLine } from './known-line.js';

/** What the runtime says of runs and of its own end, and that something has failed without saying what. */
export const runLines: readonly KnownLine[] = [
  {
    example: 'error: prompt gather than max context (prompt: 1299 tokens, max context: 1020)',
    pattern: /prompt gather than max context \(prompt: (?<prompt>\d+) tokens, max context: (?<context>\d+)\)/u,
    code: 'RKLLM_CONTEXT_OVERFLOW',
    weight: 'cause',
    explain: ({ prompt, context }) => ({
      summary: `The prompt has ${prompt ?? '?'} tokens, but the context has room for ${context ?? '?'}.`,
      hint: 'Shorten the prompt or the chat, or load the model with a larger maxContextLength if it allows one.',
      details: { promptTokens: Number(prompt), contextLength: Number(context) },
    }),
  },
  {
    example: 'E rkllm: Getting the logits is not supported for multiple batches',
    pattern: /Getting the logits is not supported for multiple batches/u,
    code: 'RKLLM_UNSUPPORTED_OPTION',
    weight: 'cause',
    explain: () => ({
      summary: 'The runtime gives no logits of a model that was loaded with a batchSize above 1.',
      hint: 'Load the model without batchSize.',
      details: { option: 'batchSize' },
    }),
  },
  {
    example: 'W rkllm: The qwen35 model does not support saving prompt cache!',
    pattern: /The (?<architecture>\S+) model does not support saving prompt cache/u,
    code: 'RKLLM_UNSUPPORTED_OPTION',
    weight: 'warning',
    explain: ({ architecture }) => ({
      summary: `The runtime cannot save the prompt cache of models of this kind (${architecture ?? '?'}); nothing was written.`,
      hint: 'Leave savePromptCache out.',
      details: { option: 'savePromptCache', architecture },
    }),
  },
  {
    example:
      ':0: GGML_ASSERT(view_src == NULL || data_size == 0 || data_size + view_offs <= ggml_nbytes(view_src)) failed',
    pattern: /GGML_ASSERT(?:\((?<assertion>.*)\) failed|: (?<older>.*))/u,
    code: 'RKLLM_RUNTIME_CRASHED',
    weight: 'death',
    explain: ({ assertion, older }) => ({
      summary: 'The runtime has found that something in it is wrong, and ended the process.',
      hint:
        'It does so after a load that failed unnoticed (1.1.x), and with models and inputs that it was not made for. Try a ' +
        'newer librkllmrt.so, and a model that was converted for it.',
      details: { assertion: assertion ?? older },
    }),
  },
  {
    example: "terminate called after throwing an instance of 'std::bad_alloc'",
    pattern: /terminate called after throwing an instance of '(?<exception>[^']*)'/u,
    code: 'RKLLM_RUNTIME_CRASHED',
    weight: 'death',
    explain: ({ exception }) => ({
      summary: `The runtime has ended the process because of an error that it does not handle (${exception ?? '?'}).`,
      hint:
        exception === 'std::bad_alloc'
          ? 'There is not enough memory: load with a smaller maxContextLength or a smaller model, or end other processes.'
          : 'Load the model again. If it happens again, try another release of librkllmrt.so.',
      details: { exception },
    }),
  },
  {
    example: 'free(): invalid pointer',
    pattern:
      /^(?<complaint>(?:(?:free|malloc\w*|realloc|munmap_chunk|tcache\w*)\(\)|double free or|corrupted |\*\*\* stack).*)/u,
    code: 'RKLLM_RUNTIME_CRASHED',
    weight: 'death',
    explain: ({ complaint }) => ({
      summary: `The C library has found the memory of the process destroyed (${complaint ?? '?'}) and ended it.`,
      hint: 'Load the model again. If it happens again, try another release of librkllmrt.so, and with a smaller maxContextLength.',
      details: { complaint },
    }),
  },
  ...[
    { example: 'E RKNN: [19:58:54.145] load model file error!', pattern: /load model file error/u },
    { example: 'rknn_init fail! ret=-1', pattern: /rknn_init fail/u },
    { example: 'E rkllm: rkllm_init failed', pattern: /rkllm_init failed/u },
    {
      example: ": error: failed to load model 'models/qwen.rkllm'",
      pattern: /failed to load model|load model failed/u,
    },
  ].map(({ example, pattern }): KnownLine => ({
    example,
    pattern,
    code: 'RKLLM_INIT_FAILED',
    weight: 'consequence',
    initFailed: true,
    explain: () => ({
      summary: 'The runtime has not loaded the model, and does not say why.',
      hint:
        'Usual reasons: the model was converted for another SoC or by a newer toolkit, the NPU driver is missing or too ' +
        'old, or there is not enough memory.',
    }),
  })),
];
