import type { Capabilities } from './backends/backend.js';
import type { RuntimeInfo } from './backends/model-info.js';
import type { Matrix, ModelRuntime } from './backends/runtime-controls.js';
import type { ChatSession } from './chat/session.js';
import type { TemplateInfo } from './chat/templates/recognize.js';
import type { Embeddings } from './embeddings.js';
import type { Generation } from './generation.js';
import type { ChatOptions } from './options/chat.js';
import type { EmbedOptions, LogitsOptions } from './options/embed.js';
import type { GenerateOptions } from './options/generate.js';
import type { Pace } from './options/pace.js';
import type { ComputeInput, GenerateInput } from './prompt.js';

/** Facts about a loaded model. */
export interface ModelInfo {
  /** What computes: `'onnx'`, `'rkllm'`, or the name of your own backend. */
  readonly backend: string;
  /** Short name of the model. */
  readonly name: string;
  /** Absolute path of the file or directory that was loaded; `undefined` for backends that have none. */
  readonly path: string | undefined;
  /** The model is the small one that comes with this package. */
  readonly embedded: boolean;
  /**
   * The path that was asked for, when `RKLLM_BACKEND` made another model take its place (an app for the NPU that runs
   * on a computer without one); otherwise `undefined`.
   */
  readonly substituteFor: string | undefined;
  /** Prompt plus output, in tokens. */
  readonly contextLength: number;
  /** Quantization as far as it is known, such as `w8a8` or `int8`. */
  readonly quantization: string | undefined;
  /** The chat template that is applied; `undefined` when this library applies none. */
  readonly template: TemplateInfo | undefined;
  /** The speed that it is held to (the option `pace`); `undefined`: it computes as fast as it goes. */
  readonly pace: Pace | undefined;
  /** The vendor's runtime, for models that run on it. */
  readonly runtime: RuntimeInfo | undefined;
}

/**
 * `'ready'`, `'busy'` with at least one generation, on its way out, or gone. `'restarting'`: its engine died and is being
 * loaded again, or will be after a pause (`onCrash: 'restart'`); generations are accepted and wait. `'failed'`: its engine
 * died, and there will be none.
 */
export type ModelState = 'ready' | 'busy' | 'restarting' | 'disposing' | 'disposed' | 'failed';

/** How to dispose a model. */
export interface DisposeOptions {
  /** Stop the running generation instead of waiting for its end. Default `false`. */
  readonly abort?: boolean | undefined;
}

/** A model in memory. */
export interface Model extends AsyncDisposable {
  /** Facts: what computes, the name, the context length, the chat template, the runtime. */
  readonly info: ModelInfo;
  /** What this model can do. What it cannot is refused with `RKLLM_UNSUPPORTED_OPTION` before the engine is touched. */
  readonly capabilities: Capabilities;
  /** What the vendor's runtime can do besides; `undefined` for models that do not run on it. */
  readonly runtime: ModelRuntime | undefined;
  /** What the model is doing; asked again, it may be something else. */
  readonly state: ModelState;
  /** How many generations wait for the engine. */
  readonly pending: number;
  /**
   * Starts an answer. Everything that can be wrong with the arguments is thrown here, before the engine is touched;
   * what goes wrong later rejects the generation.
   *
   * @throws RkllmError `RKLLM_INVALID_INPUT`, `RKLLM_EMPTY_PROMPT`, `RKLLM_INVALID_OPTION`, `RKLLM_UNKNOWN_OPTION`,
   * `RKLLM_UNSUPPORTED_OPTION`, `RKLLM_TEMPLATE_UNKNOWN`, `RKLLM_QUEUE_FULL`, `RKLLM_DISPOSED`.
   */
  generate(input: GenerateInput, options?: GenerateOptions): Generation;
  /**
   * Starts a conversation that remembers what was said, or goes on with one that was saved.
   *
   * @throws RkllmError `RKLLM_INVALID_OPTION`, `RKLLM_UNKNOWN_OPTION`, `RKLLM_INVALID_INPUT`, `RKLLM_DISPOSED`.
   */
  chat(options?: ChatOptions): ChatSession;
  /**
   * Vectors that texts with a similar meaning have in common: what the last hidden layer of the model makes of them. Texts
   * are used as they are, with no chat template around them. One call waits once for the engine, and has it until all of
   * its texts are done. Only where `model.capabilities.hiddenStates`; with `pooling: 'mean'` an engine that gives the row of
   * the last token only gives that. Models that were made to chat give poor vectors: use one that was made for it.
   *
   * @throws RkllmError (as a rejection) `RKLLM_INVALID_INPUT`, `RKLLM_EMPTY_PROMPT`, `RKLLM_INVALID_OPTION`,
   * `RKLLM_UNKNOWN_OPTION`, `RKLLM_UNSUPPORTED_OPTION`, `RKLLM_CONTEXT_OVERFLOW`, `RKLLM_RUN_FAILED`, `RKLLM_QUEUE_FULL`,
   * `RKLLM_DISPOSED`.
   */
  embed(texts: string | readonly string[], options?: EmbedOptions): Promise<Embeddings>;
  /**
   * What the model would write next: a number for each token of its vocabulary, row after row. There is one row for each
   * token of the prompt, or that of the last one alone where the engine gives no others; the last row is always that of the
   * next token. Only where `model.capabilities.logits`: on the NPU from runtime 1.2.0 on.
   *
   * @throws RkllmError (as a rejection) as {@link Model.embed} does, and `RKLLM_UNSUPPORTED_BY_RUNTIME`.
   */
  logits(input: ComputeInput, options?: LogitsOptions): Promise<Matrix>;
  /**
   * Frees the model. Generations that wait are rejected with `RKLLM_DISPOSED`, also those that wait for an engine that
   * died to be loaded again: it is not. The running one is waited for, or stopped with `{ abort: true }`. Idempotent.
   * `await using` does it with `{ abort: true }`.
   */
  dispose(options?: DisposeOptions): Promise<void>;
}
