import type { ChatMessage } from '../message.js';
import type { ShownTool } from '../tools/tool-set.js';

/** What else a prompt depends on. */
export interface RenderOptions {
  /** Whether the model thinks first. Only for templates that switch it; default: what the template does by itself. */
  readonly thinking?: boolean | undefined;
  /** What the model may call. Default: nothing. */
  readonly tools?: readonly ShownTool[] | undefined;
}

/**
 * Turns a conversation into the text that the model was trained on. Where the template allows it, a conversation's prompt
 * followed by the answer is the beginning of the prompt with that answer and the next message: an engine that keeps what
 * it computed goes on from there. Templates that trim or cut answers (Llama 3, Gemma, DeepSeek) keep that for the prompt
 * up to the answer at most.
 */
export interface ChatTemplate {
  /** Shown in `model.info.template`. */
  readonly name: string;
  /**
   * Texts that mean that the answer is over: the model's ends of a turn, and what begins somebody else's. An engine
   * stops there by itself, unless it does not know the model's end tokens.
   */
  readonly endMarkers: readonly string[];
  /** Heeds {@link RenderOptions.thinking}. */
  readonly switchesThinking: boolean;
  /** Its models may begin an answer with a call that has no tags around it. */
  readonly bareCalls: boolean;
  /**
   * The prompt, up to the point where the model writes the assistant's next message. What looks like a control token in a
   * message is taken apart, so that it is text to the model, too.
   *
   * @throws RkllmError `RKLLM_TEMPLATE_FAILED` when the template takes no such conversation.
   */
  render(messages: readonly ChatMessage[], options?: RenderOptions): string;
  /** Whether a text is a whole prompt in this template already. */
  isApplied(text: string): boolean;
}
