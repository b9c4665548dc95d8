import { ContextBudget, type AskedTurn, type FittedTurn } from '../chat/context-budget.js';
import type { ContextMeter } from '../chat/context-meter.js';
import type { ChatMessage } from '../chat/message.js';
import type { Generation } from '../generation.js';
import { CheckedGeneration } from './checked-generation.js';
import type { ResponseFormat } from './response-format.js';

/** What was asked, as far as it has to be asked again. */
interface Asked {
  /** The input as it was given. */
  readonly given: unknown;
  readonly messagesOf: (prompt: unknown) => readonly ChatMessage[] | undefined;
}

/** Who asks the model. */
interface Asker {
  /** The first time. */
  readonly start: (turn: AskedTurn | undefined) => Generation;
  readonly ask: (messages: readonly ChatMessage[], turn: AskedTurn | undefined) => Generation;
}

/** Asks a model that cannot be held to a schema. A conversation is kept within the context each time it is asked. */
export function checkedGeneration(
  format: ResponseFormat,
  { given, messagesOf }: Asked,
  conversation: AskedTurn | undefined,
  meter: ContextMeter,
  { start, ask }: Asker,
): Generation {
  let sent: unknown = given;
  const onFitted = (fitted: FittedTurn): void => {
    sent = fitted.messages;
    conversation?.onFitted(fitted);
  };
  const budget = new ContextBudget(meter, 'error', undefined);
  return new CheckedGeneration({
    format,
    first: start(conversation && { ...conversation, onFitted }),
    sent: () => messagesOf(sent),
    ask: (messages) => {
      const turn = conversation && { ...budget.turnOf(messages), onFitted: () => undefined };
      return ask(messages, turn);
    },
  });
}
