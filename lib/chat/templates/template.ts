import type { ChatMessage } from '../message.js';

/** Turns a conversation into the text that the model was trained on. */
export interface ChatTemplate {
  /** Shown in `model.info.template`. */
  readonly name: string;
  /**
   * Texts that mean that the answer is over: the model's ends of a turn, and what begins somebody else's. An engine
   * stops there by itself, unless it does not know the model's end tokens.
   */
  readonly endMarkers: readonly string[];
  /** The prompt, up to the point where the model writes the assistant's next message. */
  render(messages: readonly ChatMessage[]): string;
}
