import type { Adapter, Embedder, Tokenizer } from '../backends/model-parts.js';
import { isAdapterList, isCpuList, isEnvironment } from './shapes.js';
import type { Checked, OptionsOf, OptionTable } from './table.js';

/** Releases of the vendor's runtime that are spoken, the oldest first. */
export const runtimeReleases = [
  '1.1.0',
  '1.1.1',
  '1.1.2',
  '1.1.3',
  '1.1.4',
  '1.2.0',
  '1.2.1b1',
  '1.2.1',
  '1.2.2',
  '1.2.3',
  '1.3.0',
  '1.3.1',
] as const;

/** The special tokens around images. */
const imageTagsTable = {
  /** Before an image, such as `'<|vision_start|>'`. */
  start: { kind: 'string', defaultsTo: 'none', runtimeField: 'img_start' },
  /** After it. */
  end: { kind: 'string', defaultsTo: 'none', runtimeField: 'img_end' },
  /** For each of its tokens, such as `'<|image_pad|>'`. */
  content: { kind: 'string', defaultsTo: 'none', runtimeField: 'img_content' },
} as const satisfies OptionTable;

/** Options that only the vendor's runtime has. `since` is the first release that has them. */
export const npuTable = {
  /**
   * Which release `librkllmrt.so` is, when its file does not say so or says it wrongly, such as `'1.2.3'`. What the
   * library itself shows must agree. Default: found out; `model.info.runtime` has the evidence.
   */
  runtimeVersion: { kind: 'choice', values: runtimeReleases, defaultsTo: 'what the library shows' },
  /**
   * How many tokens from the start of the prompt are kept when a context that is full is moved on. An integer from -1;
   * default: the runtime's, -1. From runtime 1.2.0 on.
   */
  keepTokens: {
    kind: 'integer',
    min: -1,
    max: 1_048_576,
    unit: 'tokens',
    defaultsTo: "the runtime's, -1",
    runtimeField: 'n_keep',
    since: '1.2.0',
  },
  /**
   * Floats in one of the model's token embeddings (its hidden size; 3072 for Phi-3-mini), which no release tells. Needed
   * before embeddings, images and the like can be given: the runtime reads that many for each token, however many there
   * are. An integer from 1; default: that of the first `model.runtime.hiddenStates()`, until then unknown.
   */
  embeddingWidth: { kind: 'integer', min: 1, max: 1_048_576, defaultsTo: 'unknown' },
  /**
   * How long the runtime may take to come back once it was told to stop, in milliseconds; then it counts as hung: the
   * generation fails with `RKLLM_RUNTIME_HUNG` and the model cannot be used any more. A prefill cannot be interrupted, so
   * that of a long prompt must fit in. An integer from 1; default 60000.
   */
  abortTimeoutMs: { kind: 'integer', min: 1, max: 2 ** 31 - 1, unit: 'milliseconds', defaultsTo: '60000' },
  /**
   * How long the runtime may take for the load, in milliseconds; then it counts as hung, and the load fails with
   * `RKLLM_RUNTIME_HUNG`. What the function `tokenizer` takes does not count. An integer from 1; default: 120000 and 1 for
   * each 10 kB of the model's file.
   */
  loadTimeoutMs: {
    kind: 'integer',
    min: 1,
    max: 2 ** 31 - 1,
    unit: 'milliseconds',
    defaultsTo: '120000 and 1 for each 10 kB of the file',
  },
  /**
   * How long the runtime may take for the next token (the first one needs the whole prefill) or for a call of
   * `model.runtime`, in milliseconds; then it counts as hung: what runs fails with `RKLLM_RUNTIME_HUNG` and the model
   * cannot be used any more. What the functions `tokenizer` and `embedder` take does not count. An integer from 1; default
   * 600000.
   */
  stallTimeoutMs: { kind: 'integer', min: 1, max: 2 ** 31 - 1, unit: 'milliseconds', defaultsTo: '600000' },
  /**
   * Where the runtime runs. `'process'`: in a process of its own, one for each model, so that a crash of it is an error
   * (`RKLLM_RUNTIME_CRASHED`) and what it prints goes to the log. `'none'`: in the application's process, on a thread of
   * its own; a crash of it is a crash of the application, and it prints to the application's stdout. Default `'process'`.
   */
  isolation: { kind: 'choice', values: ['process', 'none'], defaultsTo: "'process'" },
  /**
   * Environment variables for the runtime's process, such as `{ RKLLM_LOG_LEVEL: '1' }`. It has these, and of the
   * application's those that the loader, the C library, OpenMP and the runtime read. Only with `isolation: 'process'`.
   * Default: none.
   */
  runtimeEnv: {
    kind: 'shape',
    expected: 'an object of strings',
    accepts: isEnvironment,
    defaultsTo: 'none',
  },
  /**
   * LoRA adapters to load with the model, each converted together with it: `{ name, path, scale }`. Generations and
   * conversations choose one by its name with `lora`. They are there again when the model is loaded again. `scale`, from
   * -1000 to 1000, says how strongly it counts; default 1. Default: none.
   */
  adapters: {
    kind: 'shape',
    expected: 'a list of { name, path, scale } with different names',
    accepts: (value: unknown): value is readonly Adapter[] => isAdapterList(value),
    defaultsTo: 'none',
    runtimeField: 'rkllm_load_lora',
  },
  /** The special tokens that the model was trained with around images. Default: none. */
  imageTags: {
    kind: 'group',
    table: imageTagsTable,
    defaultsTo: 'none',
    runtimeField: 'img_start, img_end, img_content',
    note: 'from 1.3.0 on with the input',
  },
  /**
   * `false`: special tokens such as `<|end|>` are part of the text. Those that end a turn in the chat template end the
   * answer and stay hidden all the same, unless the prompt is raw. Default `true`.
   */
  skipSpecialTokens: { kind: 'flag', defaultsTo: 'true', runtimeField: 'skip_special_token' },
  /**
   * How many prompts `model.runtime.generateBatch()` answers at the same time. Above 1 the model answers nothing else.
   * An integer from 1 to 8; default 1. From runtime 1.2.1 on.
   */
  batchSize: { kind: 'integer', min: 1, max: 8, defaultsTo: '1', runtimeField: 'n_batch', since: '1.2.1' },
  /** `true`: for a model with an encoder; see `model.runtime.setCrossAttention()`. Default `false`. From runtime 1.2.1 on. */
  crossAttention: { kind: 'flag', defaultsTo: 'false', runtimeField: 'use_cross_attn', since: '1.2.1' },
  /** `true`: the model's end of answer does not end it; give `maxNewTokens`. Default `false`. From runtime 1.3.0 on. */
  ignoreEos: { kind: 'flag', defaultsTo: 'false', runtimeField: 'ignore_eos_token', since: '1.3.0' },
  /**
   * The NPU's memory domain, of about 4 GB each: one of its own for a second or a large model. An integer from 0 to 15;
   * default 0.
   */
  baseDomainId: { kind: 'integer', min: 0, max: 15, defaultsTo: '0', runtimeField: 'base_domain_id' },
  /**
   * `true`: token embeddings are read from the model's file as they are needed, which saves memory; the file must stay
   * as it is. Default: the runtime's, `true`. From runtime 1.2.0 on.
   */
  embedFlash: { kind: 'flag', defaultsTo: "the runtime's, true", runtimeField: 'embed_flash', since: '1.2.0' },
  /**
   * The CPUs that the runtime computes on, by number: at least as many as NPU cores that the model was made for.
   * Different integers from 0 to 7; default: the last four. From runtime 1.2.0 on.
   */
  cpus: {
    kind: 'shape',
    expected: 'a list of different CPU numbers from 0 to 7',
    accepts: isCpuList,
    defaultsTo: 'the last four',
    runtimeField: 'enabled_cpus_num, enabled_cpus_mask',
    since: '1.2.0',
  },
  /**
   * The tokenizer, for a model that was converted without one: `(text, maxTokens) => tokenIds`, or a promise of them.
   * The generation waits for it, and fails with `RKLLM_RUN_FAILED` when it does. Default: the model's own. From runtime
   * 1.3.0 on.
   */
  tokenizer: {
    kind: 'shape',
    expected: 'a function (text, maxTokens) => token ids',
    accepts: (value: unknown): value is Tokenizer => typeof value === 'function',
    defaultsTo: "the model's own",
    runtimeField: 'tokenizer_callback',
    since: '1.3.0',
  },
  /**
   * The token embeddings, for a model that was converted without them: `(tokenIds) => rows` as one Float32Array, or a
   * promise of it. The generation waits for it, for the prompt and for each token that it writes, and fails with
   * `RKLLM_RUN_FAILED` when it does. Default: the model's own. From runtime 1.3.0 on.
   */
  embedder: {
    kind: 'shape',
    expected: 'a function (tokenIds) => Float32Array',
    accepts: (value: unknown): value is Embedder => typeof value === 'function',
    defaultsTo: "the model's own",
    runtimeField: 'embed_callback',
    since: '1.3.0',
  },
} as const satisfies OptionTable;

/** Options of one generation that only the vendor's runtime has. */
export const npuRunTable = {
  /**
   * Whether a model that can think before it answers does so. Where this library applies a template that has such a
   * switch (Qwen 3's; Jinja templates with `enable_thinking`), on any backend; default: what the template does by itself.
   * Elsewhere only on a model that was loaded with `template: 'runtime'`, from runtime 1.2.1 on; default `false`.
   */
  enableThinking: {
    kind: 'flag',
    defaultsTo: "what the template does by itself; with template: 'runtime' false",
    runtimeField: 'enable_thinking',
    since: '1.2.1',
    note: "with `template: 'runtime'`",
  },
  /**
   * `true`: the runtime remembers this generation, and the next prompt goes on from it. Default `false`: a prompt is
   * the whole conversation. From runtime 1.2.0 on.
   */
  keepHistory: { kind: 'flag', defaultsTo: 'false', runtimeField: 'keep_history', since: '1.2.0' },
  /**
   * Whose words the prompt is, for the runtime's own template: `'tool'` is the result of a function call. Default
   * `'user'`. From runtime 1.2.1 on.
   */
  role: { kind: 'choice', values: ['user', 'tool'], defaultsTo: "'user'", runtimeField: 'role', since: '1.2.1' },
  /**
   * How the engine is stopped at `maxNewTokens`, at a stop sequence or by an abort: `'pause'` leaves what it has computed
   * in its KV cache, where `model.runtime.clearKvCache({ ranges })` can take a part out; the next prompt goes on from the
   * part that it shares. An abort during the prefill always aborts. Default `'abort'`. From runtime 1.2.1 on.
   */
  stopBy: {
    kind: 'choice',
    values: ['abort', 'pause'],
    defaultsTo: "'abort'",
    note: 'the result of the callback',
    since: '1.2.1',
  },
  /**
   * Name of an adapter that was loaded with the model (`adapters`) or with `model.runtime.loadLora()`. Of a conversation's
   * turn, default: that of the conversation. Default: none.
   */
  lora: { kind: 'string', defaultsTo: 'none', runtimeField: 'lora_params' },
  /**
   * A file to write what was computed for the prompt to, for `model.runtime.loadPromptCache()`; a relative path starts at
   * the current directory of the call. Default: none.
   */
  savePromptCache: { kind: 'string', defaultsTo: 'none', runtimeField: 'prompt_cache_params' },
} as const satisfies OptionTable;

/** Options that only the vendor's runtime has. */
export interface NpuOptions extends OptionsOf<typeof npuTable> {}

/** Options that only the vendor's runtime has, after validation. An absent field means: the runtime's own default. */
export interface ResolvedNpuOptions extends Checked<typeof npuTable> {}

/** Options of one generation that only the vendor's runtime has, after validation. */
export interface ResolvedNpuRunOptions extends Checked<typeof npuRunTable> {}

/** Mirostat sampling, in place of `topK` and `topP`: of the vendor's runtime and of the `onnx` backend. */
export const mirostatTable = {
  /**
   * Mirostat sampling, which holds the text's perplexity: 0 is off, 1 and 2 are its versions. Default: the runtime's, 0.
   * Only where `model.capabilities.mirostat`.
   */
  mirostat: { kind: 'integer', min: 0, max: 2, defaultsTo: "the runtime's, 0", runtimeField: 'mirostat' },
  /** The perplexity that Mirostat aims at, as its logarithm. From 0 to 100; default: the runtime's, 5. */
  mirostatTau: { kind: 'number', min: 0, max: 100, defaultsTo: "the runtime's, 5", runtimeField: 'mirostat_tau' },
  /** How fast Mirostat adapts. From 0 to 1; default: the runtime's, 0.1. */
  mirostatEta: { kind: 'number', min: 0, max: 1, defaultsTo: "the runtime's, 0.1", runtimeField: 'mirostat_eta' },
} as const satisfies OptionTable;
