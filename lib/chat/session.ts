import { RkllmError } from '../errors.js';
import type { Generation, GenerationResult } from '../generation.js';
import { checkOptions } from '../options/check.js';
import type { GenerateOptions } from '../options/generate.js';
import type { OptionsOf, OptionTable } from '../options/table.js';
import { checkMessages } from '../prompt.js';
import type { ChatMessage } from './message.js';
import { renderToolCall } from './tool-call.js';

/** Options of a conversation. */
export const chatTable = {
  /** What the model is told before the first message. Default: nothing. */
  system: { kind: 'string', defaultsTo: 'no system message' },
} as const satisfies OptionTable;

/** Options of a conversation. */
export type ChatOptions = OptionsOf<typeof chatTable>;

/** A conversation. Each turn is answered with everything that was said before. */
export interface ChatSession {
  /** Everything said so far, the system message included. */
  readonly messages: readonly ChatMessage[];
  /**
   * Says something and starts the answer. The user's message and the answer join {@link ChatSession.messages} when
   * the answer is over: the whole of it, or what was written until it was stopped; with its tool calls, without
   * reasoning that was told from it. A turn that fails, or is aborted
   * by its signal with `onAbort: 'throw'`, leaves the conversation as it was.
   *
   * @throws RkllmError `RKLLM_CHAT_BUSY` while the previous turn is not over, and what {@link Model.generate} throws.
   */
  send(content: string, options?: GenerateOptions): Generation;
  /**
   * Forgets what was said, except the system message.
   *
   * @throws RkllmError `RKLLM_CHAT_BUSY` while a turn is not over.
   */
  reset(): void;
}

/** How a conversation asks its model. */
export type Ask = (messages: readonly ChatMessage[], options: GenerateOptions | undefined) => Generation;

/** {@link ChatSession} that sends the whole transcript each time; an engine with a KV cache computes only the rest. */
export class TranscriptChat implements ChatSession {
  readonly #ask: Ask;
  readonly #opening: readonly ChatMessage[];
  #messages: readonly ChatMessage[];
  #busy = false;

  constructor(ask: Ask, options: ChatOptions | undefined) {
    const { system } = checkOptions('chat()', chatTable, options);
    this.#ask = ask;
    this.#opening = Object.freeze<ChatMessage[]>(system === undefined ? [] : [{ role: 'system', content: system }]);
    this.#messages = this.#opening;
  }

  get messages(): readonly ChatMessage[] {
    return this.#messages;
  }

  send(content: string, options?: GenerateOptions): Generation {
    this.#refuseWhileBusy('send another message');
    const transcript = checkMessages([...this.#messages, { role: 'user', content }]);
    const answer = this.#ask(transcript, options);
    this.#busy = true;
    answer.result().then(
      (result) => {
        const content = contentOf(result);
        this.#messages = Object.freeze<ChatMessage[]>([...transcript, { role: 'assistant', content }]);
        this.#busy = false;
      },
      () => (this.#busy = false),
    );
    return answer;
  }

  reset(): void {
    this.#refuseWhileBusy('reset the conversation');
    this.#messages = this.#opening;
  }

  #refuseWhileBusy(action: string): void {
    if (!this.#busy) return;
    throw new RkllmError('RKLLM_CHAT_BUSY', `Cannot ${action}: the previous turn is not over.`, {
      hint: 'Await the previous answer, or stop it with abort() and await it.',
    });
  }
}

/** A model must see the calls that it made; what it thought is not shown to it again. */
function contentOf({ text, toolCalls }: GenerationResult): string {
  if (toolCalls.length === 0) return text;
  const before = text === '' || text.endsWith('\n') ? text : `${text}\n`;
  return before + toolCalls.map(renderToolCall).join('\n');
}
