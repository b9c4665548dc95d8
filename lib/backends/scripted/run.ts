import { setImmediate as nextTurn, setTimeout as sleep } from 'node:timers/promises';
import { RkllmError } from '../../errors.js';
import type { Run, RunEnd, RunRequest, TokenBatch } from '../backend.js';
import { scriptedFailure, tokensOf, wordsOf, type EngineToken, type Script } from './script.js';

/** One scripted answer: each token comes in a turn of the event loop of its own. */
export class ScriptedRun implements Run {
  readonly ended: Promise<RunEnd>;
  readonly #script: Script;
  readonly #request: RunRequest;
  readonly #contextLength: number;
  readonly #stop = new AbortController();
  #produced: EngineToken[] = [];
  #wake: (() => void) | undefined;
  #over = false;

  constructor(script: Script, request: RunRequest, contextLength: number) {
    this.#script = script;
    this.#request = request;
    this.#contextLength = contextLength;
    this.ended = this.#play().finally(() => {
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
    this.#stop.abort();
  }

  async #play(): Promise<RunEnd> {
    const { input, maxNewTokens = Infinity } = this.#request;
    const prompt = input.type === 'text' ? input.text : Array.from(input.tokenIds, String).join(' ');
    const promptTokens = wordsOf(prompt).length;
    if (promptTokens >= this.#contextLength) throw overflow(promptTokens, this.#contextLength);
    this.#script.onRun?.(prompt);
    const started = performance.now();
    await this.#pause(this.#script.prefillMs);
    const prefilled = performance.now();
    const reason = await this.#write(prompt, Math.min(maxNewTokens, this.#contextLength - promptTokens));
    return {
      reason,
      promptTokens,
      cachedPromptTokens: 0,
      prefillMs: prefilled - started,
      decodeMs: performance.now() - prefilled,
      peakMemoryMb: undefined,
    };
  }

  async #write(prompt: string, limit: number): Promise<RunEnd['reason']> {
    const { failAfterTokens = Infinity, tokenMs } = this.#script;
    let count = 0;
    for (const token of tokensOf(this.#script, prompt)) {
      if (this.#isStopped()) return 'aborted';
      if (count === failAfterTokens) throw scriptedFailure(count);
      if (count === limit) return 'length';
      await this.#pause(token.delayMs ?? (count === 0 ? undefined : tokenMs));
      if (this.#isStopped()) return 'aborted';
      this.#produced.push(token);
      count++;
      this.#wake?.();
    }
    if (count === failAfterTokens) throw scriptedFailure(count);
    return this.#isStopped() ? 'aborted' : 'eos';
  }

  #isStopped(): boolean {
    return this.#stop.signal.aborted;
  }

  /** An abort ends the pause early. */
  async #pause(ms: number | undefined): Promise<void> {
    if (ms === undefined || ms === 0) await nextTurn();
    else await sleep(ms, undefined, { signal: this.#stop.signal }).catch(() => undefined);
  }
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
