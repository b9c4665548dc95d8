/**
 * Language models on Rockchip NPUs and on the CPU.
 *
 * @module rkllm
 */

/* eslint-disable @typescript-eslint/no-require-imports -- an import declaration cannot wait */
import type { StandardSchema } from './chat/tools/standard-schema.js';
import type { Tool, TypedTool } from './chat/tools/tool.js';
import type * as DoctorModule from './doctor/doctor.js';
import type { DoctorReport } from './doctor/doctor.js';
import type { DoctorOptions } from './options/doctor.js';
import type * as LoadModelModule from './load-model.js';
import type { Model } from './model.js';
import type * as ChannelsModule from './observe/channels.js';
import type { Channels, GenerateTrace, LoadTrace } from './observe/channels.js';
import type * as OtelModule from './observe/otel.js';
import type { GenAiAttributes, GenAiMetrics } from './observe/otel.js';
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
export type { ComputeInput, GenerateInput, RawPrompt, TokenPrompt } from './prompt.js';
export type { JsonSchema } from './structured/validate.js';
export type {
  Channels,
  GenerateFigures,
  GenerateTrace,
  LoadTrace,
  LogTrace,
  OptionSummary,
  QueueTrace,
} from './observe/channels.js';
export type { LogFields, Logger } from './observe/logger.js';
export type { GenAiAttributes, GenAiMetrics } from './observe/otel.js';
export type { ToolCall } from './chat/tool-call.js';
export type { Tool, ToolContext, ToolDefinition, TypedTool } from './chat/tools/tool.js';
export type { ToolResult } from './chat/tools/tool-runner.js';
export type {
  ChatRun,
  RunChunk,
  RunFinishChunk,
  RunFinishReason,
  RunResult,
  RunStep,
  StepChunk,
  ToolResultChunk,
} from './chat/tools/run.js';
export type { ToolRunOptions } from './options/run.js';
export type {
  OutputOf,
  StandardIssue,
  StandardPathSegment,
  StandardResult,
  StandardSchema,
} from './chat/tools/standard-schema.js';
export type { ChatMessage, ChatRole } from './chat/message.js';
export type { ContextReducer, ContextStrategy, ContextUsage, FullContext } from './chat/context-usage.js';
export type { SavedChat } from './chat/saved-chat.js';
export type { ChatSession } from './chat/session.js';
export type { ChatOptions } from './options/chat.js';
export type { WarmOptions } from './options/warm.js';
export type { WarmedPrompt } from './chat/warmed-prompt.js';
export type { PromptCacheFilesOptions } from './options/prompt-cache-files.js';
export type { FamilyName, OwnTemplate, TemplateChoice } from './chat/templates/choice.js';
export type { TemplateInfo } from './chat/templates/recognize.js';
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
export type { NpuOptions, ResolvedNpuOptions, ResolvedNpuRunOptions } from './options/npu.js';
export type { BatchOptions } from './options/batch.js';
export type { EmbedOptions, EmbedProgress, LogitsOptions } from './options/embed.js';
export type { Embeddings } from './embeddings.js';
export type { Adapter } from './backends/model-parts.js';
export type { BatchListener } from './options/shapes.js';
export type { DoctorReport } from './doctor/doctor.js';
export type { DoctorOptions } from './options/doctor.js';
export type { Check, CheckStatus } from './checks/check.js';
export type { BackendName, LoadModelOptions, LoadProgress, QueueOptions, RestartOptions } from './options/load.js';
export type { Pace, PaceOptions, PacePreset } from './options/pace.js';
export type {
  Backend,
  BackendModel,
  BatchRequest,
  Capabilities,
  ComputedOutput,
  EngineLine,
  EngineOption,
  LoadRequest,
  ResolvedSampling,
  Run,
  RunEnd,
  RunInput,
  RunRequest,
  TokenBatch,
} from './backends/backend.js';
export type { BackendModelInfo, RuntimeEvidence, RuntimeInfo } from './backends/model-info.js';

// Importing this package has to cost next to nothing, whether a model is loaded or not: what does the work is loaded when
// it is used. Not with `import()`, which Jest refuses in a project that has not turned ES modules on.

/**
 * Loads a model.
 *
 * @param path - a `.rkllm` file (NPU), an ONNX model's directory or `.onnx` file (CPU); without one the environment
 * variable `RKLLM_MODEL`, else the small model that comes with this package (CPU).
 * @throws RkllmError; among others `RKLLM_MODEL_NOT_FOUND`, `RKLLM_MODEL_NOT_RECOGNIZED`, `RKLLM_MODEL_INVALID`,
 * `RKLLM_ONNX_NOT_INSTALLED`, `RKLLM_RUNTIME_NOT_FOUND`. After a failed load nothing is left running.
 */
export async function loadModel(path?: string, options?: LoadModelOptions): Promise<Model> {
  const implementation = require('./load-model.js') as typeof LoadModelModule;
  return implementation.loadModel(path, options);
}

/**
 * Where this library tells what it does, by Node's `diagnostics_channel`. The names are stable; later releases add
 * fields. No message has a prompt or an answer, but for lines of an engine that was asked to print them
 * (`RKLLM_LOG_LEVEL=2`).
 *
 * `load` and `generate` are tracing channels: `start` and `end` around the call, `error` when it throws or rejects,
 * `asyncStart` and `asyncEnd` when it has settled, each with the same object. Arguments that are refused as such are not traced.
 * Subscribe before: what began unobserved stays so.
 */
export const channels: Channels = {
  get load() {
    return loadedChannels().load;
  },
  get generate() {
    return loadedChannels().generate;
  },
  get queue() {
    return loadedChannels().queue;
  },
  get log() {
    return loadedChannels().log;
  },
};

function loadedChannels(): Channels {
  return (require('./observe/channels.js') as typeof ChannelsModule).channels;
}

/**
 * A trace in OpenTelemetry's names for generative AI (`gen_ai.…`), for a span: what is known at the start from `start`
 * on, the rest from `asyncStart` on. What is not known is left out. The conventions have the status Development: when
 * they change, so does this. There is none for loading; its operation is named `load_model`.
 */
export function toGenAiAttributes(trace: GenerateTrace | LoadTrace): GenAiAttributes {
  return (require('./observe/otel.js') as typeof OtelModule).toGenAiAttributes(trace);
}

/** The figures of a generation that is over, by the names of OpenTelemetry's histograms for servers. */
export function toGenAiMetrics(trace: GenerateTrace): GenAiMetrics {
  return (require('./observe/otel.js') as typeof OtelModule).toGenAiMetrics(trace);
}

/**
 * Looks at this computer, and at a model if there is one: what is missing, why it matters, and the command that helps.
 * Nothing of the vendor is loaded, and nothing is changed. On a computer without an NPU that is no failure, since models
 * run on its CPU; `requireNpu` makes it one.
 *
 * @throws RkllmError `RKLLM_INVALID_OPTION`, `RKLLM_UNKNOWN_OPTION`. What is found is never thrown.
 */
export async function doctor(options?: DoctorOptions): Promise<DoctorReport> {
  const implementation = require('./doctor/doctor.js') as typeof DoctorModule;
  return implementation.doctor(options);
}

/** Gives `run` the types of the schema in `parameters`. It returns what it is given. */
export function defineTool<Schema extends StandardSchema>(tool: TypedTool<Schema>): Tool {
  return tool as unknown as Tool; // the schema has validated what `run` gets
}
