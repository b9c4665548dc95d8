import path from 'node:path';
import { isRkllmError } from '../errors.js';
import type { FinishReason } from '../generation.js';
import type { GenerateTrace, LoadTrace } from './channels.js';

/** Attributes as OpenTelemetry takes them. */
export type GenAiAttributes = Record<string, string | number | string[]>;

/** Metrics by name; durations in seconds. */
export type GenAiMetrics = Record<string, number>;

const provider = 'rkllm';

const requestAttributes: Readonly<Record<string, string>> = {
  maxNewTokens: 'gen_ai.request.max_tokens',
  temperature: 'gen_ai.request.temperature',
  topK: 'gen_ai.request.top_k',
  topP: 'gen_ai.request.top_p',
  frequencyPenalty: 'gen_ai.request.frequency_penalty',
  presencePenalty: 'gen_ai.request.presence_penalty',
  seed: 'gen_ai.request.seed',
};

const finishReasons: Readonly<Partial<Record<FinishReason, string>>> = {
  'stop-sequence': 'stop',
  'tool-calls': 'tool_call',
};

export function toGenAiAttributes(trace: GenerateTrace | LoadTrace): GenAiAttributes {
  const attributes = isLoad(trace) ? loadAttributes(trace) : generateAttributes(trace);
  const errorType = 'error' in trace ? { 'error.type': errorTypeOf(trace.error) } : {};
  return Object.fromEntries(
    Object.entries({ 'gen_ai.provider.name': provider, ...attributes, ...errorType }).filter(isKnown),
  );
}

export function toGenAiMetrics({ durationMs, result }: GenerateTrace): GenAiMetrics {
  const { timeToFirstTokenMs, decodeMs } = result?.timings ?? {};
  const further = (result?.usage.outputTokens ?? 0) - 1;
  const perTokenMs = decodeMs === undefined || further < 1 ? undefined : decodeMs / further;
  const metrics = {
    'gen_ai.server.request.duration': durationMs,
    'gen_ai.server.time_to_first_token': timeToFirstTokenMs,
    'gen_ai.server.time_per_output_token': perTokenMs,
  };
  return Object.fromEntries(
    Object.entries(metrics)
      .filter(isKnown)
      .map(([name, ms]) => [name, ms / 1000]),
  );
}

type Maybe<T> = Record<string, T | undefined>;

function generateAttributes({ id, model, input, options, result }: GenerateTrace): Maybe<GenAiAttributes[string]> {
  const isChat = input.kind === 'text' || input.kind === 'messages';
  const { usage } = result ?? {};
  const requested = Object.entries(requestAttributes).map(([option, name]) => [name, options[option]] as const);
  return {
    'gen_ai.operation.name': isChat ? 'chat' : 'text_completion',
    'gen_ai.request.model': model,
    ...(Object.fromEntries(requested) as Maybe<number>),
    'gen_ai.response.id': id,
    'gen_ai.response.model': result && model,
    'gen_ai.response.finish_reasons': result?.finishReasons.map((reason) => finishReasons[reason] ?? reason),
    'gen_ai.usage.input_tokens': usage?.inputTokens,
    'gen_ai.usage.cache_read.input_tokens': usage?.cachedInputTokens,
    'gen_ai.usage.output_tokens': usage?.outputTokens,
  };
}

function loadAttributes({ path: asked, result }: LoadTrace): Maybe<string> {
  return {
    'gen_ai.operation.name': 'load_model',
    'gen_ai.request.model': result?.name ?? (asked && path.basename(asked)),
  };
}

function isLoad(trace: GenerateTrace | LoadTrace): trace is LoadTrace {
  return trace.operation === 'load' || trace.operation === 'reload' || trace.operation === 'restart';
}

function isKnown<T>(entry: [string, T | undefined]): entry is [string, T] {
  return entry[1] !== undefined;
}

/** Not by `instanceof`: the error may be one of another realm. */
function errorTypeOf(error: unknown): string {
  if (isRkllmError(error)) return error.code;
  const name = typeof error === 'object' && error !== null && 'name' in error ? error.name : undefined;
  return typeof name === 'string' ? name : '_OTHER';
}
