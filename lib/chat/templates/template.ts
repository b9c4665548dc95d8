import type { ChatMessage } from '../message.js';

/** Turns a conversation into the text that the model was trained on. */
export interface ChatTemplate {
  /** Shown in `model.info.template`. */
  readonly name: string;
  /** The prompt, up to the point where the model writes the assistant's next message. */
  render(messages: readonly ChatMessage[]): string;
}
