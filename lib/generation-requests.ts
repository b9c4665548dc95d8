import type { ResolvedSampling, RunRequest } from './backends/backend.js';
import type { ModelRuntime } from './backends/runtime-controls.js';
import type { AnswerEnds } from './answer.js';
import type { FittedTurn } from './chat/context-budget.js';
import type { Splits } from './chat/tag-splitter.js';
import type { Engine } from './engine.js';
import type { ModelInfo } from './model.js';
import { checkOptions } from './options/check.js';
import { generateTable } from './options/generate.js';
import type { Checked } from './options/table.js';
import { without } from './options/without.js';
import { splitMedia } from './prompt-media.js';
import { toRunInput, type Prompting } from './prompt.js';
import { historyOfChat } from './refusals.js';
import { npuOptionsOf, reasoningOf, samplingOf, withoutNpuOptions } from './run-options.js';

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
  readonly ends: Omit<AnswerEnds, 'maxNewTokens'>;
  readonly splits: Splits;
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
   * @param owner - who was called, for messages: `generate()`.
   * @param turn - of a conversation: how long the answer may be.
   * @throws RkllmError what {@link Model.generate} throws about its arguments.
   */
  of(owner: string, input: unknown, options: unknown, turn: Pick<FittedTurn, 'room'> | undefined): AskedGeneration {
    const { info, prompting, sampling: atLoad } = this.#model;
    const { capabilities, reloads } = this.#engine;
    const template = prompting.by === 'library' ? prompting.template : undefined;
    const given = checkOptions(owner, generateTable, options);
    const checked = info.substituteFor === undefined ? given : withoutNpuOptions(given);
    const { rest, media } = splitMedia(input, this.#engine);
    if (turn !== undefined && checked.keepHistory === true) throw historyOfChat(owner);
    const facts = { capabilities, runtime: this.#runtime, atLoad, reloads };
    const { sampling, loadedSampling } = samplingOf(owner, checked, facts);
    const isTemplated = typeof rest === 'string' || Array.isArray(rest);
    const switched = isTemplated && template?.switchesThinking === true;
    const npu = npuOptionsOf(owner, switched ? without(checked, ['enableThinking']) : checked, facts);
    const maxNewTokens = checked.maxNewTokens ?? this.#model.maxNewTokens;
    const requestOf = (prompt: unknown, room: number | undefined): RunRequest => ({
      input: toRunInput(prompt, prompting, capabilities, { thinking: checked.enableThinking }),
      maxNewTokens: room === undefined ? maxNewTokens : Math.min(maxNewTokens ?? room, room),
      sampling,
      media,
      ...npu,
    });
    const request = requestOf(rest, turn?.room);
    const { stop = [], stopTokenIds = [] } = checked;
    const endMarkers = isTemplated ? (template?.endMarkers ?? []) : [];
    return {
      options: checked,
      given: rest,
      request,
      requestOf: ({ messages, room }) => requestOf(messages, room),
      loadedSampling,
      ends: { stop: [...stop], endMarkers, stopTokenIds: [...stopTokenIds] },
      splits: { reasoning: reasoningOf(checked.reasoning, request.input), toolCalls: checked.toolCalls ?? 'text' },
    };
  }
}
