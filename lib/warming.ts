import { onAbort } from './abort-listeners.js';
import type { BackendModel, RunEnd, RunRequest } from './backends/backend.js';
import type { Adapter } from './backends/model-parts.js';
import { ContextBudget } from './chat/context-budget.js';
import type { ContextMeter } from './chat/context-meter.js';
import type { ChatMessage } from './chat/message.js';
import { toolsOf } from './chat/tools/tool-set.js';
import type { WarmedPrompt } from './chat/warmed-prompt.js';
import type { EngineCalls } from './engine-calls.js';
import type { Engine } from './engine.js';
import { checkOptions } from './options/check.js';
import type { GenerateOptions } from './options/generate.js';
import { warmTable, type WarmOptions } from './options/warm.js';
import type { PromptCacheFiles } from './prompt-cache/files.js';
import type { PromptCacheKey } from './prompt-cache/key.js';
import type { CacheFile } from './prompt-cache/loaded.js';
import { readRun } from './read-run.js';
import { nothingKept, nothingToWarm, promptCacheUnusable, promptCacheUnwritten } from './refusals.js';
import { usageOf } from './usage.js';

/** The loaded model, as far as a prompt can be computed before it is asked. */
export interface WarmedModel {
  readonly engine: Engine;
  readonly calls: EngineCalls;
  readonly meter: ContextMeter;
  /** Name of the chat template. */
  readonly template: string | undefined;
  /** Where later processes find what was computed; undefined: nowhere. */
  readonly files: PromptCacheFiles | undefined;
  /** An engine that keeps nothing by itself writes what it has computed of conversations to files. */
  readonly keepsTurns: boolean;
  /** The adapters that are loaded, by name. */
  readonly adapters: ReadonlyMap<string, Adapter>;
  /** @throws RkllmError what a conversation's turn throws about them. */
  requestOf(owner: string, messages: readonly ChatMessage[], options: GenerateOptions): RunRequest;
}

/** What it is, and where it is kept; undefined: in no file. */
interface Entry {
  readonly files: PromptCacheFiles;
  readonly key: PromptCacheKey;
}

/** Computes what a conversation's next prompt begins with, or has the runtime read it from a file. */
export class Warming {
  readonly #model: WarmedModel;
  /** The runtime has loaded this very one, unless another has taken its place. */
  #file: CacheFile | undefined;

  constructor(model: WarmedModel) {
    this.#model = model;
  }

  async warm(messages: readonly ChatMessage[], given: WarmOptions | undefined): Promise<WarmedPrompt> {
    const owner = 'warm()';
    const { signal, ...options } = checkOptions(owner, warmTable, given);
    const { engine, calls, files, keepsTurns } = this.#model;
    const request = this.#requestOf(owner, messages, options);
    if (!engine.capabilities.kvReuse && !keepsTurns && files === undefined) throw nothingKept(owner);
    const refusal = this.#refusalOf(messages, options);
    if (refusal !== undefined) await refusal;
    // At once, and everything else when it is its turn: a question that is asked right after it comes after it.
    return calls.onModel('none', signal, async (model, stop) => {
      const entry = await this.#entryOf(request);
      const found = await onFiles(() => entry?.files.find(entry.key));
      await engine.kv.prepare(request, true);
      stop.throwIfAborted();
      if (found !== undefined && 'path' in found) {
        if (await this.#load(found.path, request)) return fromFile;
        await onFiles(() => entry?.files.remove(entry.key));
      }
      const problem = found && ('refused' in found ? found.refused : 'the runtime did not take it');
      return this.#compute(model, request, entry, problem, stop);
    });
  }

  /** Of the prompt what is the same whatever is said next. */
  #requestOf(owner: string, messages: readonly ChatMessage[], options: GenerateOptions): RunRequest {
    const probe = (content: string): RunRequest =>
      this.#model.requestOf(owner, [...messages, { role: 'user', content }], options);
    const request = probe('a');
    const text = commonStart(textOf(request), textOf(probe('b')));
    if (text === '') throw nothingToWarm(owner);
    return { ...request, input: { type: 'text', text }, maxNewTokens: 1, sampling: {} };
  }

  /** Rejects as a turn would that is too long; undefined when it is not. Engines that count refuse by themselves. */
  #refusalOf(messages: readonly ChatMessage[], options: GenerateOptions): Promise<unknown> | undefined {
    const { meter } = this.#model;
    if (meter.isExact) return undefined;
    const asked: readonly ChatMessage[] = [...messages, { role: 'user', content: 'a' }];
    const { admission } = new ContextBudget(meter, 'error', undefined).turnOf(asked, toolsOf('warm()', options));
    return admission?.(1, new AbortController().signal);
  }

  /** A file that cannot be said to be of this adapter is none. */
  async #entryOf({ input, npu }: RunRequest): Promise<Entry | undefined> {
    const { files, template = '', adapters } = this.#model;
    const lora = npu?.lora === undefined ? undefined : adapters.get(npu.lora);
    if (files === undefined || input.type !== 'text' || (npu?.lora !== undefined && lora === undefined))
      return undefined;
    const { text } = input;
    return { files, key: await onFiles(() => files.keyOf({ text, template, lora })) };
  }

  async #load(path: string, { npu }: RunRequest): Promise<boolean> {
    const lora = npu?.lora;
    if (this.#file?.path !== path || this.#file.lora !== lora) this.#file = { path, lora };
    return this.#model.engine.kv.load(this.#file);
  }

  async #compute(
    model: BackendModel,
    request: RunRequest,
    entry: Entry | undefined,
    problem: string | undefined,
    stop: AbortSignal,
  ): Promise<WarmedPrompt> {
    const { engine, keepsTurns } = this.#model;
    const { kvReuse } = engine.capabilities;
    const isFirst = engine.kv.isEmpty;
    const unfinished = await onFiles(() => entry?.files.begin(entry.key));
    try {
      stop.throwIfAborted(); // meanwhile: nobody would be told of it again
      const saving = unfinished && { npu: { ...request.npu, savePromptCache: unfinished.path } };
      const end = await this.#run(model, { ...request, ...saving }, stop);
      const path = await onFiles(() => unfinished?.keep());
      if (!kvReuse && path === undefined && !keepsTurns) throw promptCacheUnwritten('warm()');
      // What an engine has in memory it need not read.
      if (!kvReuse && path !== undefined) await this.#load(path, request);
      const { computedInputTokens } = usageOf(end, 0, kvReuse && !isFirst);
      return { source: 'computed', computedInputTokens, isStored: path !== undefined, problem };
    } catch (error) {
      await unfinished?.discard();
      throw error;
    }
  }

  /** Has the prompt computed, and one token, which nobody sees: it is over where the engine takes no limit, too. */
  async #run(model: BackendModel, asked: RunRequest, stop: AbortSignal): Promise<RunEnd> {
    const { kv } = this.#model.engine;
    const request = kv.toStart(asked, true);
    const run = model.start(request);
    const ended = kv.started(request);
    const ignoreStop = onAbort(stop, () => run.abort());
    let hasTokens = false;
    let end: RunEnd | undefined;
    try {
      end = await readRun(run, () => {
        hasTokens = true;
        run.abort();
      });
    } catch (error) {
      // It may be our own failure to read: the engine must be idle all the same.
      run.abort();
      await run.ended.catch(() => undefined);
      throw error;
    } finally {
      ignoreStop();
      ended(end, hasTokens);
    }
    stop.throwIfAborted();
    return end;
  }
}

const fromFile: WarmedPrompt = { source: 'file', computedInputTokens: 0, isStored: true, problem: undefined };

function textOf({ input }: RunRequest): string {
  return input.type === 'text' ? input.text : '';
}

function commonStart(one: string, other: string): string {
  let length = 0;
  while (length < one.length && one[length] === other[length]) length++;
  return one.slice(0, length);
}

/** What the file system says against it is told as what it is. */
async function onFiles<T>(act: () => T | Promise<T>): Promise<T> {
  try {
    return await act();
  } catch (cause) {
    throw promptCacheUnusable('warm()', cause);
  }
}
