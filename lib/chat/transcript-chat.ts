import { RkllmError } from '../errors.js';
import type { Generation, GenerationResult } from '../generation.js';
import type { ChatOptions, chatTable } from '../options/chat.js';
import type { GenerateOptions } from '../options/generate.js';
import type { ToolRunOptions } from '../options/run.js';
import type { WarmOptions } from '../options/warm.js';
import type { Checked } from '../options/table.js';
import { checkMessages } from '../prompt.js';
import { ContextBudget, type AskedTurn, type FittedTurn } from './context-budget.js';
import type { ContextMeter } from './context-meter.js';
import type { ContextUsage } from './context-usage.js';
import type { ChatMessage } from './message.js';
import { restoreChat, saveChat, type SavedChat } from './saved-chat.js';
import type { ChatSession } from './session.js';
import { ActiveRun, type AskedAnswer } from './tools/active-run.js';
import { checkRun } from './tools/check-run.js';
import type { ChatRun } from './tools/run.js';
import { toolsOf } from './tools/tool-set.js';
import type { WarmedPrompt } from './warmed-prompt.js';

/** The model of a conversation, as it is seen from there. */
export interface ChatModel {
  /** @param owner - who was called, for messages: `send()`. */
  ask(owner: string, turn: AskedTurn, options: GenerateOptions | undefined): Generation;
  /** Computes what a prompt of these messages begins with. */
  warm(messages: readonly ChatMessage[], options: WarmOptions | undefined): Promise<WarmedPrompt>;
  readonly meter: ContextMeter;
  /** @throws RkllmError `RKLLM_DISPOSED`, what the model died of, or `RKLLM_UNSUPPORTED_OPTION`: it answers batches only. */
  refuseUnusable(): void;
}

/**
 * {@link ChatSession} that sends the whole transcript each time; an engine with a KV cache computes only what is new. So
 * there is nothing in an engine that belongs to a conversation, and every turn is what it would be after a cold start.
 */
export class TranscriptChat implements ChatSession {
  readonly #model: ChatModel;
  readonly #options: Checked<typeof chatTable>;
  readonly #budget: ContextBudget;
  #messages: readonly ChatMessage[];
  #busy = false;

  /** @param messages - what was said before; undefined: what the options say. */
  constructor(model: ChatModel, options: Checked<typeof chatTable>, messages = openingOf(options)) {
    const { onContextFull = 'error', reserveTokens } = options;
    this.#model = model;
    this.#options = options;
    this.#budget = new ContextBudget(model.meter, onContextFull, reserveTokens);
    this.#messages = Object.freeze(messages);
  }

  get messages(): readonly ChatMessage[] {
    return this.#messages;
  }

  send(content: string, options?: GenerateOptions): Generation {
    return this.#turn('send()', 'send another message', () => [...this.#messages, { role: 'user', content }], options);
  }

  run(content: string, options: ToolRunOptions): ChatRun {
    this.#refuseWhileBusy('send another message');
    const asked = checkRun(options);
    const run = new ActiveRun({
      ...asked,
      start: [...this.#messages, { role: 'user', content }],
      ask: (messages, signal) => this.#ask('run()', () => messages, { ...asked.generation, signal, onAbort: 'return' }),
      conclude: (messages) => {
        this.#busy = false;
        if (messages !== undefined) this.#messages = Object.freeze(messages);
      },
      keepsPartial: this.#options.partialAnswers !== 'discard',
    });
    this.#busy = true;
    return run;
  }

  regenerate(options?: GenerateOptions): Generation {
    return this.#turn(
      'regenerate()',
      'ask for another answer',
      () => {
        if (this.#messages.at(-1)?.role !== 'assistant') throw nothingTo('regenerate()', 'an answer');
        return this.#messages.slice(0, -1);
      },
      options,
    );
  }

  editLast(content: string, options?: GenerateOptions): Generation {
    return this.#turn(
      'editLast()',
      'change the last message',
      () => {
        const last = this.#messages.map(({ role }) => role).lastIndexOf('user');
        if (last < 0) throw nothingTo('editLast()', 'a message of the user');
        return [...this.#messages.slice(0, last), { role: 'user', content }];
      },
      options,
    );
  }

  fork(): ChatSession {
    this.#model.refuseUnusable();
    return new TranscriptChat(this.#model, this.#options, this.#messages);
  }

  reset(): void {
    this.#refuseWhileBusy('reset the conversation');
    const end = this.#messages.findIndex(({ role }) => role !== 'system');
    if (end >= 0) this.#messages = Object.freeze(this.#messages.slice(0, end));
  }

  async contextUsage(content?: string): Promise<ContextUsage> {
    this.#model.refuseUnusable();
    const messages =
      content === undefined ? this.#messages : checkMessages([...this.#messages, { role: 'user', content }]);
    return this.#model.meter.count(messages);
  }

  warm(options?: WarmOptions): Promise<WarmedPrompt> {
    const warming = this.#warm(options);
    // It need not be awaited: one that fails makes the turn take longer, and must not end the process.
    warming.catch(() => undefined);
    return warming;
  }

  toJSON(): SavedChat {
    return saveChat(this.#messages);
  }

  async #warm(options: WarmOptions | undefined): Promise<WarmedPrompt> {
    this.#refuseWhileBusy('warm the conversation up');
    this.#model.refuseUnusable();
    return this.#model.warm(this.#messages, this.#turnOptions(options));
  }

  #turn(
    owner: string,
    action: string,
    transcriptOf: () => readonly ChatMessage[],
    options: GenerateOptions | undefined,
  ): Generation {
    this.#refuseWhileBusy(action);
    const { generation } = this.#ask(owner, transcriptOf, options, (messages, result) => {
      this.#busy = false;
      if (result.finishReason === 'abort' && this.#options.partialAnswers === 'discard') return;
      this.#messages = Object.freeze(messages);
    });
    this.#busy = true;
    generation.result().catch(() => (this.#busy = false));
    return generation;
  }

  /** @param onConcluded - called before anybody else sees the result: who does may ask the next question at once. */
  #ask(
    owner: string,
    transcriptOf: () => readonly ChatMessage[],
    options: GenerateOptions | undefined,
    onConcluded?: (messages: readonly ChatMessage[], result: GenerationResult) => void,
  ): AskedAnswer {
    this.#model.refuseUnusable();
    const tools = toolsOf(owner, options);
    const turn = this.#budget.turnOf(Object.freeze(checkMessages(transcriptOf())), tools);
    let asked = turn.messages;
    const onFitted = ({ messages }: FittedTurn): void => void (asked = messages);
    const generation = this.#model.ask(owner, { ...turn, onFitted }, this.#turnOptions(options));
    const concluded = generation.result().then((result) => {
      const answer = answerOf(result);
      // With a format the tokens are also those of its instruction and of repairs, which the conversation does not keep.
      if (options?.responseFormat === undefined) this.#model.meter.learn(asked, answer, result, tools);
      const messages = [...asked, answer];
      onConcluded?.(messages, result);
      return { messages, result };
    });
    concluded.catch(() => undefined); // who reads the generation sees it
    return { generation, concluded };
  }

  /** What is no options object is for the model to refuse. */
  #turnOptions<T extends object>(options: T | undefined): T | { readonly lora: string } | undefined {
    const { lora } = this.#options;
    if (lora === undefined || (options !== undefined && !isObject(options))) return options;
    return { lora, ...options };
  }

  #refuseWhileBusy(action: string): void {
    if (!this.#busy) return;
    throw new RkllmError('RKLLM_CHAT_BUSY', `Cannot ${action}: the previous turn is not over.`, {
      hint: 'Await the previous answer, or stop it with abort() and await it.',
    });
  }
}

function openingOf({ system, from }: ChatOptions): readonly ChatMessage[] {
  if (from === undefined) return system === undefined ? [] : [{ role: 'system', content: system }];
  if (system === undefined) return restoreChat(from);
  throw new RkllmError('RKLLM_INVALID_OPTION', 'chat(): system has no meaning beside from, which has its own.', {
    hint: 'Leave one of them out.',
    details: { owner: 'chat()', option: 'system' },
  });
}

function answerOf({ text: content, toolCalls }: GenerationResult): ChatMessage {
  return toolCalls.length === 0 ? { role: 'assistant', content } : { role: 'assistant', content, toolCalls };
}

function nothingTo(call: string, missing: string): RkllmError {
  return new RkllmError('RKLLM_INVALID_INPUT', `${call} needs ${missing} at the end of the conversation.`, {
    hint: 'Use send() for the next message.',
  });
}

function isObject(value: unknown): value is object {
  return typeof value === 'object' && value !== null;
}
