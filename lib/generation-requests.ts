import type { ResolvedSampling, RunRequest } from './backends/backend.js';
import type { ModelRuntime } from './backends/runtime-controls.js';
import type { AnswerEnds } from './answer.js';
import type { FittedTurn } from './chat/context-budget.js';
import type { ChatMessage } from './chat/message.js';
import type { Splits } from './chat/tag-splitter.js';
import { toRuntimeTools, type RuntimeTools } from './chat/tools/runtime-tools.js';
import { ToolSet } from './chat/tools/tool-set.js';
import type { Engine } from './engine.js';
import type { ModelInfo } from './model.js';
import { checkOptions } from './options/check.js';
import type { chatTable } from './options/chat.js';
import { generateTable } from './options/generate.js';
import type { Checked } from './options/table.js';
import { without } from './options/without.js';
import { instructed, responseFormatOf, tokensOf, type ResponseFormat } from './structured/response-format.js';
import { splitMedia } from './prompt-media.js';
import { checkMessages, toRunInput, type Prompting } from './prompt.js';
import { checkReasoningBudget, tokensOfEnding } from './reasoning-budget.js';
import { historyOfChat, noRoomFor, toolsWithoutTemplate } from './refusals.js';
import { npuOptionsOf, reasoningOf, samplingOf, withoutNpuOptions, type LoadedFacts } from './run-options.js';

/** The loaded model, as far as what it is asked depends on it. */
export interface AskedModel {
  readonly info: ModelInfo;
  readonly prompting: Prompting;
  /** Sampling that was given at load. */
  readonly sampling: ResolvedSampling;
  readonly maxNewTokens: number | undefined;
}

/** What a generation was asked, checked, and what that means for the engine. */
export interface AskedGeneration {
  readonly options: Checked<typeof generateTable>;
  /** The input as it was given, without images and the like. */
  readonly given: unknown;
  readonly request: RunRequest;
  /** The same request for a conversation that takes the place of the one that was given. */
  readonly requestOf: (fitted: FittedTurn) => RunRequest;
  /** Sampling that the model has to be loaded with; undefined: whatever it has. */
  readonly loadedSampling: ResolvedSampling | undefined;
  /** What the answer has to be; undefined: anything. */
  readonly format: ResponseFormat | undefined;
  /** The messages of a prompt as the model gets them; undefined where it is used as it is. */
  readonly messagesOf: (prompt: unknown) => readonly ChatMessage[] | undefined;
  readonly ends: Omit<AnswerEnds, 'maxNewTokens'>;
  readonly splits: Splits;
  /** What the runtime's own template is to show the model; undefined: nothing. */
  readonly runtimeTools: RuntimeTools | undefined;
}

/** Makes requests for the engine of what a loaded model is asked. Nothing has been started when it throws. */
export class GenerationRequests {
  readonly #model: AskedModel;
  readonly #engine: Engine;
  readonly #runtime: ModelRuntime | undefined;

  constructor(model: AskedModel, engine: Engine, runtime: ModelRuntime | undefined) {
    this.#model = model;
    this.#engine = engine;
    this.#runtime = runtime;
  }

  /**
   * The options of a conversation as far as they are the loaded model's.
   *
   * @throws RkllmError `RKLLM_UNSUPPORTED_OPTION` or `RKLLM_ADAPTER_UNKNOWN`.
   */
  ofChat(checked: Checked<typeof chatTable>): Checked<typeof chatTable> {
    if (this.#model.info.substituteFor !== undefined) return without(checked, ['lora']);
    if (checked.lora !== undefined) npuOptionsOf('chat()', { lora: checked.lora }, this.#facts());
    return checked;
  }

  /**
   * @param owner - who was called, for messages: `generate()`.
   * @param turn - of a conversation: how long the answer may be.
   * @throws RkllmError what {@link Model.generate} throws about its arguments.
   */
  of(owner: string, input: unknown, options: unknown, turn: Pick<FittedTurn, 'room'> | undefined): AskedGeneration {
    const { info, prompting } = this.#model;
    const { capabilities } = this.#engine;
    const template = prompting.by === 'library' ? prompting.template : undefined;
    const given = checkOptions(owner, generateTable, options);
    const checked = info.substituteFor === undefined ? given : withoutNpuOptions(given);
    const { rest, media } = splitMedia(input, this.#engine);
    if (turn !== undefined && checked.keepHistory === true) throw historyOfChat(owner);
    const facts = this.#facts();
    const { sampling, loadedSampling } = samplingOf(owner, checked, facts);
    const isTemplated = typeof rest === 'string' || Array.isArray(rest);
    const switched = isTemplated && template?.switchesThinking === true;
    const npu = npuOptionsOf(owner, switched ? without(checked, ['enableThinking']) : checked, facts);
    const maxNewTokens = checked.maxNewTokens ?? this.#model.maxNewTokens;
    const tools = checked.tools === undefined ? undefined : ToolSet.of(owner, checked.tools);
    const byRuntime = tools !== undefined && prompting.by === 'runtime' && typeof rest === 'string';
    if (tools !== undefined && !byRuntime && (!isTemplated || prompting.by !== 'library'))
      throw toolsWithoutTemplate(owner);
    const isConstrained = capabilities.constrainedJson === true;
    const format = responseFormatOf(owner, checked, isConstrained);
    const messagesOf = (prompt: unknown): readonly ChatMessage[] | undefined => {
      if (!isTemplated || template === undefined) return undefined;
      const messages = Array.isArray(prompt) ? checkMessages(prompt) : [userMessage(prompt)];
      return instructed(messages, format?.instruction);
    };
    const { maxReasoningTokens } = checked;
    const thinking = checked.enableThinking ?? (maxReasoningTokens === 0 ? false : undefined);
    const added = tokensOf(format?.instruction) + (maxReasoningTokens === undefined ? 0 : tokensOfEnding);
    const requestOf = (prompt: unknown, free: number | undefined): RunRequest => {
      const room = free === undefined ? undefined : roomBeside(added, free, info.contextLength);
      return {
        input: toRunInput(
          format?.instruction === undefined ? prompt : (messagesOf(prompt) ?? prompt),
          prompting,
          capabilities,
          { thinking, tools: tools?.shown },
        ),
        maxNewTokens: room === undefined ? maxNewTokens : Math.min(maxNewTokens ?? room, room),
        sampling,
        media,
        ...(format !== undefined && isConstrained ? { json: format.schema } : {}),
        ...npu,
      };
    };
    const request = requestOf(rest, turn?.room);
    checkReasoningBudget(owner, checked, request, prompting);
    const { stop = [], stopTokenIds = [] } = checked;
    // Within JSON they are text, and its end is known.
    const endMarkers = isTemplated && request.json === undefined ? (template?.endMarkers ?? []) : [];
    return {
      options: checked,
      given: rest,
      request,
      requestOf: ({ messages, room }) => requestOf(messages, room),
      loadedSampling,
      format,
      messagesOf,
      ends: { stop: [...stop], endMarkers, stopTokenIds: [...stopTokenIds], maxReasoningTokens },
      splits: {
        reasoning: reasoningOf(checked.reasoning, request.input),
        toolCalls: checked.toolCalls ?? (tools === undefined ? 'text' : 'parse'),
        tools,
        bareCalls: tools !== undefined && template?.bareCalls,
      },
      runtimeTools: byRuntime ? toRuntimeTools(owner, tools, this.#runtime) : undefined,
    };
  }

  #facts(): LoadedFacts {
    const { capabilities, reloads } = this.#engine;
    return { capabilities, runtime: this.#runtime, atLoad: this.#model.sampling, reloads };
  }
}

/** A text that is empty is refused as such, with or without a message around it. */
function userMessage(prompt: unknown): ChatMessage {
  return { role: 'user', content: String(prompt) };
}

/** What is left of the room for an answer, where the prompt was measured without what the options add to it. */
function roomBeside(added: number, free: number, contextLength: number): number {
  if (added === 0 || free > added) return free - added;
  throw noRoomFor('what responseFormat or maxReasoningTokens adds', added, free, contextLength);
}
