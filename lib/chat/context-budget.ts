import { RkllmError } from '../errors.js';
import { describe } from '../options/describe.js';
import { checkMessages } from '../prompt.js';
import type { ContextMeter } from './context-meter.js';
import type { ContextReducer, ContextStrategy, ContextUsage } from './context-usage.js';
import type { ChatMessage } from './message.js';
import type { ShownTool } from './tools/tool-set.js';

/** A conversation that fits. */
export interface FittedTurn {
  readonly messages: readonly ChatMessage[];
  /** Most tokens that its answer may have; undefined: the engine ends it where the context does. */
  readonly room: number | undefined;
}

/** A turn as it is asked. */
export interface ChatTurn extends FittedTurn {
  /** Decides later on what is asked in place of the messages, given the turn's output limit. Absent: they are asked. */
  readonly admission?: (maxNewTokens: number | undefined, signal: AbortSignal) => Promise<FittedTurn>;
}

/** A turn, and who is told what is asked in place of its messages. */
export interface AskedTurn extends ChatTurn {
  readonly onFitted: (fitted: FittedTurn) => void;
}

type Count = (messages: readonly ChatMessage[]) => Promise<ContextUsage>;

/** Keeps a conversation within the context of its model. */
export class ContextBudget {
  readonly #meter: ContextMeter;
  readonly #strategy: ContextStrategy;
  readonly #reserveTokens: number | undefined;

  constructor(meter: ContextMeter, strategy: ContextStrategy, reserveTokens: number | undefined) {
    this.#meter = meter;
    this.#strategy = strategy;
    this.#reserveTokens = reserveTokens;
  }

  /** Without a count that has to be waited for, and with nothing to be done about it, the turn is asked at once. */
  turnOf(messages: readonly ChatMessage[], tools?: readonly ShownTool[]): ChatTurn {
    const count = (asked: readonly ChatMessage[]): Promise<ContextUsage> => this.#meter.count(asked, tools);
    const admission: ChatTurn['admission'] = (maxNewTokens, signal) => this.#fit(messages, count, maxNewTokens, signal);
    if (this.#strategy !== 'error') return { messages, room: undefined, admission };
    if (this.#meter.isExact) {
      return this.#reserveTokens === undefined
        ? { messages, room: undefined } // the engine refuses what does not fit
        : { messages, room: undefined, admission };
    }
    const usage = this.#meter.estimate(messages, tools);
    return usage.freeTokens >= this.#reserveFor(undefined, usage)
      ? { messages, room: usage.freeTokens }
      : { messages, room: undefined, admission };
  }

  async #fit(
    messages: readonly ChatMessage[],
    count: Count,
    maxNewTokens: number | undefined,
    signal: AbortSignal,
  ): Promise<FittedTurn> {
    const usage = await count(messages);
    const reserveTokens = this.#reserveFor(maxNewTokens, usage);
    if (usage.freeTokens >= reserveTokens) return fitted(messages, usage);
    if (this.#strategy === 'error') throw overflow(usage, reserveTokens);
    if (this.#strategy === 'drop-oldest-turns') return drop(messages, count, usage, reserveTokens);
    const reduced = await reduce(this.#strategy, messages, { ...usage, reserveTokens, signal });
    const left = await count(reduced);
    if (left.freeTokens < reserveTokens) throw overflow(left, reserveTokens);
    return fitted(reduced, left);
  }

  #reserveFor(maxNewTokens: number | undefined, { contextLength }: ContextUsage): number {
    if (this.#reserveTokens !== undefined) return this.#reserveTokens;
    const quarter = Math.max(1, Math.floor(contextLength / 4));
    return this.#strategy === 'error' ? 1 : Math.min(maxNewTokens ?? quarter, quarter);
  }
}

/**
 * Down to half of the context where that is possible: everything behind what was dropped is computed again, and must
 * not be in every turn from now on.
 */
async function drop(
  messages: readonly ChatMessage[],
  count: Count,
  full: ContextUsage,
  reserveTokens: number,
): Promise<FittedTurn> {
  let best: FittedTurn | undefined;
  let least = full;
  for (const shorter of withoutOldestTurns(messages)) {
    least = await count(shorter);
    if (least.freeTokens < reserveTokens) continue;
    best ??= fitted(shorter, least);
    if (2 * least.promptTokens <= least.contextLength) return fitted(shorter, least);
  }
  if (best === undefined) throw overflow(least, reserveTokens);
  return best;
}

function fitted(messages: readonly ChatMessage[], { counting, freeTokens }: ContextUsage): FittedTurn {
  return { messages, room: counting === 'exact' ? undefined : freeTokens };
}

/** The conversation without its oldest turn, without the two oldest, and so on; system messages at its start stay. */
function* withoutOldestTurns(messages: readonly ChatMessage[]): Generator<readonly ChatMessage[]> {
  const start = messages.findIndex(({ role }) => role !== 'system');
  const opening = messages.slice(0, start);
  for (let from = start + 1; from < messages.length; from++) {
    if (messages[from]?.role === 'user') yield [...opening, ...messages.slice(from)];
  }
}

async function reduce(
  reducer: ContextReducer,
  messages: readonly ChatMessage[],
  context: Parameters<ContextReducer>[1],
): Promise<readonly ChatMessage[]> {
  const given: unknown = await reducer(messages, context);
  if (!Array.isArray(given)) throw notReduced(`It gave ${describe(given)}.`);
  const reduced = Object.freeze(checkMessages(given));
  const last = messages.at(-1)?.role;
  if (reduced.at(-1)?.role !== last) throw notReduced(`The last message is not of role '${String(last)}', as it was.`);
  return reduced;
}

function notReduced(found: string): RkllmError {
  return new RkllmError('RKLLM_INVALID_INPUT', `The function onContextFull has to give a list of messages. ${found}`, {
    hint: 'Return the messages that the model is to be asked, with the last one as it was given.',
    details: { option: 'onContextFull' },
  });
}

function overflow({ promptTokens, contextLength, counting }: ContextUsage, reserveTokens: number): RkllmError {
  const about = counting === 'exact' ? '' : 'about ';
  return new RkllmError(
    'RKLLM_CONTEXT_OVERFLOW',
    `The conversation has ${about}${String(promptTokens)} tokens and has to leave ${String(reserveTokens)} for the ` +
      `answer; the context has ${String(contextLength)}.`,
    {
      hint:
        "Start a new chat, have old turns dropped or summarized with the chat's option onContextFull, or load the model " +
        'with a larger maxContextLength if it was made for one.',
      details: { promptTokens, contextLength, reserveTokens, counting },
    },
  );
}
