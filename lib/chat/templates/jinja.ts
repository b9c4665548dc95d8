import { isRkllmError, RkllmError } from '../../errors.js';
import type { ChatMessage } from '../message.js';
import { protocol } from '../tools/dialect.js';
import { isWrapped } from './applied.js';
import { ControlTokens } from './control-tokens.js';
import { compileJinja, jinjaLimits, TemplateRefusal, type JinjaLimits } from './jinja-engine.js';
import { jinjaMessages, jinjaTool, type JinjaMessage } from './jinja-tools.js';
import type { ChatTemplate, RenderOptions } from './template.js';

/** A Jinja template, and what its model's files say about it. */
export interface JinjaSource {
  readonly source: string;
  /** For messages: its file, or that it was given as an option. */
  readonly origin: string;
  readonly bosToken: string | undefined;
  readonly eosToken: string | undefined;
  /** Special tokens of the tokenizer, as far as they are known. */
  readonly controlTokens: readonly string[];
  /** The engine puts the first token there by itself. */
  readonly addsBos: boolean;
}

/** Words that no template has. They stand for messages, to see what a template writes around them. */
const probes = { question: 'rkllmQuestion', answer: 'rkllmAnswer', next: 'rkllmNext' } as const;

/** In place of a token that nobody has told: a prompt with it is none. */
const unknownToken = 'rkllmUnknownToken';

/** {@link ChatTemplate} by a Jinja template as Hugging Face's models bring them. */
export class JinjaTemplate implements ChatTemplate {
  readonly name = 'jinja';
  readonly endMarkers: readonly string[];
  readonly switchesThinking: boolean;
  readonly bareCalls: boolean;
  readonly #origin: string;
  readonly #limits: JinjaLimits;
  readonly #compiled: (items: Readonly<Record<string, unknown>>) => string;
  readonly #items: Readonly<Record<string, unknown>>;
  readonly #tokens: ControlTokens;
  readonly #ending: string;
  /** It writes tools, calls and results itself. */
  readonly #knowsTools: boolean;

  /** @throws RkllmError `RKLLM_TEMPLATE_FAILED` when it cannot write the simplest of conversations. */
  constructor({ source, origin, bosToken, eosToken, controlTokens, addsBos }: JinjaSource, limits = jinjaLimits) {
    this.#origin = origin;
    this.#limits = limits;
    this.#compiled = this.#explained(() => compileJinja(source, limits));
    this.#items = { bos_token: addsBos ? '' : (bosToken ?? ''), eos_token: eosToken ?? unknownToken };
    this.#knowsTools = /\btools\b/u.test(source);
    this.bareCalls = this.#knowsTools && !source.includes('<tool_call>');
    this.switchesThinking = /\benable_thinking\b/u.test(source);
    const { before, betweenTurns, ending } = this.#probe();
    const ends = eosToken === undefined || eosToken === '' ? [] : [eosToken];
    // A tokenizer that is not known has at least the tokens that the template writes.
    const written = [before, betweenTurns, ending].flatMap((text) => text.match(/<[^\s<>]+>|\[\/?[A-Z_]+\]/gu) ?? []);
    this.#tokens = new ControlTokens([...controlTokens, bosToken ?? '', ...ends, ...written]);
    this.#ending = ending;
    this.endMarkers = [...new Set([...ends, ...this.#tokens.in(betweenTurns)])];
  }

  render(messages: readonly ChatMessage[], { thinking, tools = [] }: RenderOptions = {}): string {
    const neutralize = (text: string): string => this.#tokens.neutralize(text);
    const switched = thinking === undefined ? {} : { enable_thinking: thinking };
    if (this.#knowsTools) {
      const offered = tools.length === 0 ? {} : { tools: tools.map((tool) => jinjaTool(tool, neutralize)) };
      return this.#write(jinjaMessages(messages, neutralize), { ...switched, ...offered });
    }
    const plain = protocol.lower(messages, tools).map(({ role, content }) => ({ role, content: neutralize(content) }));
    return this.#write(plain, switched);
  }

  isApplied(text: string): boolean {
    return isWrapped(text, this.#tokens, this.#ending);
  }

  #write(messages: readonly JinjaMessage[], more: Readonly<Record<string, unknown>>): string {
    const text = this.#explained(() =>
      this.#compiled({ ...this.#items, ...more, messages, add_generation_prompt: true }),
    );
    if (this.#items['eos_token'] === unknownToken && text.includes(unknownToken)) {
      throw this.#failed('it writes eos_token, and no tokenizer_config.json beside it says what that is');
    }
    // What it repeats of the messages, a template may; one that grows without bounds must not reach the engine.
    const longest = this.#limits.extraLength + 8 * lengthOf(messages, more);
    if (text.length <= longest) return text;
    throw this.#failed(`it makes ${text.length} characters of this conversation`);
  }

  /** What the template writes before the first message of a user, between an answer and the next one, and at the end. */
  #probe(): { readonly before: string; readonly betweenTurns: string; readonly ending: string } {
    const { question, answer, next } = probes;
    const text = this.#write(
      [
        { role: 'user', content: question },
        { role: 'assistant', content: answer },
        { role: 'user', content: next },
      ],
      {},
    );
    const places = [question, answer, next].map((probe) => text.indexOf(probe));
    const [first = -1, second = -1, third = -1] = places;
    if (first < 0 || second < first || third < second)
      throw this.#failed('it leaves out messages, or changes their order');
    return {
      before: text.slice(0, first),
      betweenTurns: text.slice(second + answer.length, third),
      ending: text.slice(third + next.length),
    };
  }

  #explained<T>(work: () => T): T {
    try {
      return work();
    } catch (error) {
      if (isRkllmError(error)) throw error;
      throw this.#failed(error instanceof Error ? error.message : String(error), error);
    }
  }

  #failed(reason: string, cause?: unknown): RkllmError {
    const refused = cause instanceof TemplateRefusal;
    return new RkllmError(
      'RKLLM_TEMPLATE_FAILED',
      refused
        ? `The model's chat template (${this.#origin}) refuses this conversation: ${reason}`
        : `The chat template (${this.#origin}) cannot be used: ${reason}.`,
      {
        hint: refused
          ? 'Change the messages as it says; most templates want a system message first if at all, then user and assistant in turn.'
          : "Load the model with a built-in template, another { file }, or template: 'none' and { prompt }.",
        details: { origin: this.#origin },
        cause,
      },
    );
  }
}

/** Most that a template can repeat: words of messages, and what the model may call. */
function lengthOf(messages: readonly JinjaMessage[], { tools = [] }: Readonly<Record<string, unknown>>): number {
  const lengthOfCalls = (calls: readonly object[] = []): number => JSON.stringify(calls).length;
  return messages.reduce(
    (sum, { content, tool_calls: calls }) => sum + content.length + lengthOfCalls(calls),
    lengthOfCalls(tools as readonly object[]),
  );
}
