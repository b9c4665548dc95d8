import type * as LoadModelModule from './load-model.js';
import type { Model } from './model.js';
import type { LoadModelOptions } from './options/load.js';

export { RkllmError, errorCodes, isRkllmError, type RkllmErrorCode, type RkllmErrorInit } from './errors.js';
export type { Model, ModelInfo, ModelState, DisposeOptions } from './model.js';
export type {
  Chunk,
  FinishChunk,
  FinishReason,
  Generation,
  GenerationHandle,
  GenerationResult,
  GenerationState,
  ReasoningChunk,
  TextChunk,
  ToolCallChunk,
} from './generation.js';
export type { Timings, Usage } from './usage.js';
export type { GenerateInput, RawPrompt, TokenPrompt } from './prompt.js';
export {
  channels,
  type GenerateFigures,
  type GenerateTrace,
  type LoadTrace,
  type LogTrace,
  type OptionSummary,
  type QueueTrace,
} from './observe/channels.js';
export type { LogFields, Logger } from './observe/logger.js';
export { toGenAiAttributes, toGenAiMetrics, type GenAiAttributes, type GenAiMetrics } from './observe/otel.js';
export type { ToolCall } from './chat/tool-call.js';
export type { ChatMessage, ChatRole } from './chat/message.js';
export type { ChatOptions, ChatSession } from './chat/session.js';
export type { SamplingOptions } from './options/sampling.js';
export type { GenerateOptions } from './options/generate.js';
export type {
  BatchAnswer,
  ComputeOptions,
  CrossAttention,
  KvRange,
  Matrix,
  ModelRuntime,
  RuntimeControls,
  RuntimeInput,
} from './backends/runtime-controls.js';
export type { Media, MediaKind, PromptMedia } from './backends/media.js';
export type { Embedder, TokenIds, Tokenizer } from './backends/model-parts.js';
export type { NpuOptions } from './options/npu.js';
export type { BatchOptions } from './options/batch.js';
export type { BackendName, LoadModelOptions, LoadProgress } from './options/load.js';
export type {
  Backend,
  BackendModel,
  BackendModelInfo,
  BatchRequest,
  Capabilities,
  EngineLine,
  EngineOption,
  LoadRequest,
  ResolvedSampling,
  Run,
  RunEnd,
  RunInput,
  RunRequest,
  RuntimeEvidence,
  RuntimeInfo,
  TokenBatch,
} from './backends/backend.js';

/**
 * Loads a model.
 *
 * @param path - a `.rkllm` file (NPU), an ONNX model's directory or `.onnx` file (CPU); without one the environment
 * variable `RKLLM_MODEL`, else the small model that comes with this package (CPU).
 * @throws RkllmError; among others `RKLLM_MODEL_NOT_FOUND`, `RKLLM_MODEL_NOT_RECOGNIZED`, `RKLLM_MODEL_INVALID`,
 * `RKLLM_ONNXRUNTIME_NOT_FOUND`, `RKLLM_RUNTIME_NOT_FOUND`. After a failed load nothing is left running.
 */
export async function loadModel(path?: string, options?: LoadModelOptions): Promise<Model> {
  // Here and not at the top: importing this package has to cost next to nothing, whether a model is loaded or not. Not
  // with `import()`, which Jest refuses in a project that has not turned ES modules on.
  // eslint-disable-next-line @typescript-eslint/no-require-imports -- an import declaration cannot wait
  const implementation = require('./load-model.js') as typeof LoadModelModule;
  return implementation.loadModel(path, options);
}
