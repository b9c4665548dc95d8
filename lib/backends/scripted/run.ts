import { RkllmError } from '../../errors.js';
import { paceMs, type Pace } from '../../options/pace.js';
import type { Run, RunEnd, RunInput, RunRequest, TokenBatch } from '../backend.js';
import type { Clock } from '../clock.js';
import { answerTo, wordsOf, type EngineAnswer, type EngineToken } from './answer.js';
import { crash, scriptedFailure } from './failures.js';
import type { CheckedScript, ScriptedFailure } from './script.js';

/** A generation that reached the scripted engine. */
export interface ScriptedRequest {
  /** As the engine saw it: in the chat template; token ids with spaces between. */
  readonly prompt: string;
  /** All that the engine was asked: input, limit, sampling. */
  readonly request: RunRequest;
  /** Tokens written so far. */
  readonly written: number;
  /** It was asked to stop before it had ended. */
  readonly aborted: boolean;
  /** How it ended, as the engine has it; a limit that came with the last token is not a `'length'`. */
  readonly outcome: 'running' | 'failed' | RunEnd['reason'];
}

export interface RunContext {
  readonly script: CheckedScript;
  readonly clock: Clock;
  readonly contextLength: number;
  readonly pace: Pace | undefined;
  /** How many requests came before this one. */
  readonly index: number;
  /** Takes the model, and with it all its runs, out of this world. */
  readonly crash: (error: RkllmError) => void;
}

/** One scripted answer: each token comes in a turn of the event loop of its own. */
export class ScriptedRun implements Run, ScriptedRequest {
  readonly prompt: string;
  readonly request: RunRequest;
  readonly ended: Promise<RunEnd>;
  written = 0;
  aborted = false;
  outcome: ScriptedRequest['outcome'] = 'running';
  readonly #context: RunContext;
  readonly #stop = new AbortController();
  #death: RkllmError | undefined;
  #produced: EngineToken[] = [];
  #wake: (() => void) | undefined;
  #over = false;

  constructor(request: RunRequest, context: RunContext) {
    this.prompt = promptOf(request.input);
    this.request = request;
    this.#context = context;
    this.ended = this.#play()
      .catch((error: unknown) => {
        this.outcome = 'failed';
        throw error;
      })
      .finally(() => {
        this.#over = true;
        this.#wake?.();
      });
  }

  drain(): TokenBatch | undefined {
    if (this.#produced.length === 0) return undefined;
    const tokens = this.#produced.splice(0);
    let end = 0;
    const ends = Uint32Array.from(tokens, ({ bytes }) => (end += bytes.length));
    const tokenIds = Int32Array.from(tokens, ({ id }) => id);
    return { bytes: Buffer.concat(tokens.map(({ bytes }) => bytes)), tokenIds, ends };
  }

  readable(): Promise<void> {
    if (this.#produced.length > 0 || this.#over) return Promise.resolve();
    return new Promise((resolve) => (this.#wake = resolve));
  }

  abort(): void {
    if (this.outcome !== 'running') return;
    this.aborted = true;
    this.#stop.abort();
  }

  /** The model has died. */
  die(error: RkllmError): void {
    this.#death ??= error;
    this.#stop.abort();
  }

  async #play(): Promise<RunEnd> {
    const { script, clock, contextLength, index, pace } = this.#context;
    const { maxNewTokens = Infinity } = this.request;
    const counted = wordsOf(this.prompt).length;
    if (counted >= contextLength) throw overflow(counted, contextLength);
    script.onRun?.(this.prompt);
    const answer = answerTo(script, this.prompt, this.request, index);
    const { promptTokens = counted, cachedPromptTokens = 0 } = answer;
    const started = clock.now();
    const computed = (figure(promptTokens) ?? counted) - (figure(cachedPromptTokens) ?? 0);
    await this.#pause(answer.prefillMs, paceMs(pace?.prefillTokensPerSecond, Math.max(0, computed)));
    const prefilled = clock.now();
    const reason = await this.#write(answer, Math.min(maxNewTokens, contextLength - counted));
    return {
      reason,
      promptTokens: figure(promptTokens),
      cachedPromptTokens: figure(cachedPromptTokens),
      prefillMs: prefilled - started,
      decodeMs: clock.now() - prefilled,
      peakMemoryMb: undefined,
    };
  }

  async #write(answer: EngineAnswer, limit: number): Promise<RunEnd['reason']> {
    const pacedMs = paceMs(this.#context.pace?.decodeTokensPerSecond, 1);
    for (const token of answer.tokens) {
      const stopped = this.#checkpoint(answer, limit);
      if (stopped !== undefined) return this.#end(stopped);
      const isFirst = this.written === 0;
      await this.#pause(token.delayMs ?? (isFirst ? 0 : answer.tokenMs), isFirst ? 0 : pacedMs);
      if (this.#isStopped()) return this.#end('aborted');
      this.#produced.push(token);
      this.written++;
      this.#wake?.();
    }
    return this.#end(this.#checkpoint(answer, Infinity) ?? answer.endReason ?? 'eos');
  }

  /** In the same turn as the last token: who asks to stop because of that token comes too late. */
  #end(reason: RunEnd['reason']): RunEnd['reason'] {
    this.outcome = reason;
    return reason;
  }

  /** Between two tokens: why there are no more of them, if there are none. */
  #checkpoint(answer: EngineAnswer, limit: number): RunEnd['reason'] | undefined {
    const { failWith, failAfterTokens = failWith === undefined ? Infinity : 0 } = answer;
    const { crashWith, crashAfterTokens = crashWith === undefined ? Infinity : 0 } = answer;
    const { written } = this;
    const limited = written >= limit;
    if (!limited && this.#isStopped()) return 'aborted';
    if (written >= failAfterTokens) throw scriptedFailure('RKLLM_RUN_FAILED', `after ${written} tokens`, failWith);
    if (written >= crashAfterTokens) throw this.#crash(crashWith);
    return limited ? 'length' : undefined;
  }

  #crash(failure: ScriptedFailure | undefined): RkllmError {
    const error = crash(`after ${this.written} tokens`, failure);
    this.#context.crash(error);
    return error;
  }

  /** @throws what the model died of. */
  #isStopped(): boolean {
    if (this.#death !== undefined) throw this.#death;
    return this.#stop.signal.aborted;
  }

  /** An abort ends the pause early. What the script wants to take longer than the pace does takes longer. */
  async #pause(ms: number | undefined, pacedMs: number): Promise<void> {
    await this.#context.clock.sleep(Math.max(ms ?? 0, pacedMs), this.#stop.signal).catch((error: unknown) => {
      if (!this.#stop.signal.aborted) throw error;
    });
  }
}

export function promptOf(input: RunInput): string {
  return input.type === 'text' ? input.text : Array.from(input.tokenIds, String).join(' ');
}

function figure(stated: number | 'unstated'): number | undefined {
  return stated === 'unstated' ? undefined : stated;
}

function overflow(promptTokens: number, contextLength: number): RkllmError {
  return new RkllmError(
    'RKLLM_CONTEXT_OVERFLOW',
    `The prompt has ${String(promptTokens)} tokens; the context holds ${String(contextLength)}.`,
    {
      hint: 'Shorten the prompt, or give the script a larger contextLength.',
      details: { promptTokens, contextLength },
    },
  );
}
