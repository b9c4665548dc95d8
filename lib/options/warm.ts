import { generateTable } from './generate.js';
import type { OptionsOf, OptionTable } from './table.js';

/** What a conversation's first prompt depends on besides its messages. */
export const warmTable = {
  /** The adapter that will answer. Default: that of the conversation. */
  lora: generateTable.lora,
  /** What the model may call in the next turn: it is part of the prompt. Default: nothing. */
  tools: generateTable.tools,
  /** As the next turn will have it: where the template switches it, it is part of the prompt. Default: as for a turn. */
  enableThinking: generateTable.enableThinking,
  /** Stops it; it then rejects with `signal.reason`, once the engine is idle. */
  signal: generateTable.signal,
} as const satisfies OptionTable;

/** Options of `chat.warm()`. */
export interface WarmOptions extends OptionsOf<typeof warmTable> {}
