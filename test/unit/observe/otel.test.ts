import { RkllmError, toGenAiAttributes, toGenAiMetrics, type GenerateTrace, type LoadTrace } from 'rkllm';

const asked: GenerateTrace = {
  id: 'an-id',
  operation: 'chat',
  model: 'my-model',
  backend: 'rkllm',
  input: { kind: 'messages', length: 33 },
  options: { maxNewTokens: 9, temperature: 0, topK: 5, topP: 0.5, frequencyPenalty: 1, presencePenalty: 2, seed: 3 },
};
const usage = {
  inputTokens: 7,
  cachedInputTokens: 2,
  computedInputTokens: 5,
  outputTokens: 5,
  totalTokens: 12,
};
const timings = {
  queuedMs: 1,
  reloadMs: undefined,
  timeToFirstTokenMs: 250,
  prefillMs: 200,
  decodeMs: 400,
  totalMs: 700,
  prefillTokensPerSecond: undefined,
  decodeTokensPerSecond: undefined,
  peakMemoryMb: undefined,
};
const answered: GenerateTrace = {
  ...asked,
  state: 'done',
  result: { finishReasons: ['stop-sequence', 'tool-calls', 'length', 'abort'], usage, timings },
  durationMs: 750,
};

const atStart = {
  'gen_ai.provider.name': 'rkllm',
  'gen_ai.operation.name': 'chat',
  'gen_ai.request.model': 'my-model',
  'gen_ai.request.max_tokens': 9,
  'gen_ai.request.temperature': 0,
  'gen_ai.request.top_k': 5,
  'gen_ai.request.top_p': 0.5,
  'gen_ai.request.frequency_penalty': 1,
  'gen_ai.request.presence_penalty': 2,
  'gen_ai.request.seed': 3,
  'gen_ai.response.id': 'an-id',
};

test('a generation at its start has what was asked', () => {
  expect(toGenAiAttributes(asked)).toEqual(atStart);
  expect(toGenAiMetrics(asked)).toEqual({});
});

test('a generation at its end has what came of it', () => {
  expect(toGenAiAttributes(answered)).toEqual({
    ...atStart,
    'gen_ai.response.model': 'my-model',
    'gen_ai.response.finish_reasons': ['stop', 'tool_call', 'length', 'abort'],
    'gen_ai.usage.input_tokens': 7,
    'gen_ai.usage.cache_read.input_tokens': 2,
    'gen_ai.usage.output_tokens': 5,
  });
  expect(toGenAiMetrics(answered)).toEqual({
    'gen_ai.server.request.duration': 0.75,
    'gen_ai.server.time_to_first_token': 0.25,
    'gen_ai.server.time_per_output_token': 0.1,
  });
});

test('a single token has no time per token, and a batch no timings', () => {
  const single = { finishReasons: ['stop'], usage: { ...usage, outputTokens: 1 }, timings } as const;
  expect(toGenAiMetrics({ ...answered, result: single })).not.toHaveProperty(['gen_ai.server.time_per_output_token']);
  const batch = { finishReasons: ['stop'], usage, timings: undefined } as const;
  expect(toGenAiMetrics({ ...answered, result: batch })).toEqual({ 'gen_ai.server.request.duration': 0.75 });
});

test.each([
  ['text', 'chat'],
  ['prompt', 'text_completion'],
  ['tokens', 'text_completion'],
  ['batch', 'text_completion'],
] as const)('what was asked with %s is a %s', (kind, operation) => {
  const attributes = toGenAiAttributes({ ...asked, input: { kind, length: 1 } });
  expect(attributes['gen_ai.operation.name']).toBe(operation);
});

test.each([
  [new RkllmError('RKLLM_RUN_FAILED', 'It failed.', { hint: 'Try again.' }), 'RKLLM_RUN_FAILED'],
  [new TypeError('mine'), 'TypeError'],
  [AbortSignal.abort().reason as unknown, 'AbortError'],
  ['late', '_OTHER'],
])('the error %s', (error, type) => {
  expect(toGenAiAttributes({ ...asked, state: 'failed', error })['error.type']).toBe(type);
});

describe('a load', () => {
  const load: LoadTrace = { operation: 'load', path: '/models/phi-3.rkllm', backend: 'auto', options: {} };
  const common = { 'gen_ai.provider.name': 'rkllm', 'gen_ai.operation.name': 'load_model' };

  test('has the name of the file, then that of the model', () => {
    expect(toGenAiAttributes(load)).toEqual({ ...common, 'gen_ai.request.model': 'phi-3.rkllm' });
    const result = { name: 'phi-3' } as NonNullable<LoadTrace['result']>;
    expect(toGenAiAttributes({ ...load, result })).toEqual({ ...common, 'gen_ai.request.model': 'phi-3' });
  });

  test('without a path has neither', () => {
    expect(toGenAiAttributes({ ...load, operation: 'reload', path: undefined })).toEqual(common);
    expect(toGenAiAttributes({ ...load, operation: 'restart', path: undefined })).toEqual(common);
  });
});
