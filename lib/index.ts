export { loadModel } from './load-model.js';
export { RkllmError, errorCodes, isRkllmError, type RkllmErrorCode, type RkllmErrorInit } from './errors.js';
export type { Model, ModelInfo, ModelState, DisposeOptions } from './model.js';
export type {
  Chunk,
  FinishChunk,
  FinishReason,
  Generation,
  GenerationResult,
  GenerationState,
  TextChunk,
} from './generation.js';
export type { Timings, Usage } from './usage.js';
export type { GenerateInput, RawPrompt, TokenPrompt } from './prompt.js';
export type { ChatMessage, ChatRole } from './chat/message.js';
export type { ChatOptions, ChatSession } from './chat/session.js';
export type { SamplingOptions } from './options/sampling.js';
export type { GenerateOptions } from './options/generate.js';
export type {
  ComputeOptions,
  CrossAttention,
  KvRange,
  Matrix,
  RuntimeControls,
  RuntimeInput,
} from './backends/runtime-controls.js';
export type { Media, MediaKind, PromptMedia } from './backends/media.js';
export type { NpuOptions } from './options/npu.js';
export type { BackendName, LoadModelOptions } from './options/load.js';
export type {
  Backend,
  BackendModel,
  BackendModelInfo,
  Capabilities,
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
