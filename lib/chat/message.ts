import type { ToolCall } from './tool-call.js';

/** Who speaks in a conversation. `'tool'` gives the result of a function that the model has called. */
export type ChatRole = 'system' | 'user' | 'assistant' | 'tool';

/** One message of a conversation. */
export interface ChatMessage {
  /** Whose words they are. */
  readonly role: ChatRole;
  /** Of `'assistant'` what it said besides its calls; of `'tool'` the result as the model reads it. */
  readonly content: string;
  /** The functions that the model has called. Only of `'assistant'`. */
  readonly toolCalls?: readonly ToolCall[] | undefined;
  /** {@link ToolCall.id} of the call that this is the result of. Of `'tool'` only, and there it is due. */
  readonly toolCallId?: string | undefined;
  /** Name of the function that was called. Of `'tool'` only, and there it is due. */
  readonly toolName?: string | undefined;
}
